"""The REST API of models, services and assignments."""

from llms.views.assignments import AssignmentViewSet
from llms.views.llms_store import LlmsViewSet
from llms.views.models import ModelViewSet
from llms.views.services import ServiceViewSet

__all__ = ["AssignmentViewSet", "LlmsViewSet", "ModelViewSet", "ServiceViewSet"]
