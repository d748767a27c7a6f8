"""The REST API of models, services and assignments."""

from llms.views.assignments import AssignmentViewSet
from llms.views.models import ModelViewSet
from llms.views.services import ServiceViewSet
from llms.views.whole import LlmsViewSet

__all__ = ["AssignmentViewSet", "LlmsViewSet", "ModelViewSet", "ServiceViewSet"]
