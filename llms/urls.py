from django.urls import re_path

from llms.views import AssignmentViewSet, LlmsViewSet, ModelViewSet, ServiceViewSet
from llms.views.openai_models import OpenAIModelsView
from stores.api.routers import ApiRouter

app_name = "llms"

router = ApiRouter()
router.register("llms", ModelViewSet, "model")
router.register("services", ServiceViewSet, "service")
router.register("assignments", AssignmentViewSet, "assignment")

urlpatterns = [
    # A router's lists know no DELETE.
    re_path(r"^llms/?$", LlmsViewSet.as_view({"get": "retrieve", "post": "create", "delete": "destroy"}), name="llms"),
    re_path(r"^openai-models/?$", OpenAIModelsView.as_view(), name="openai-models"),
    *router.urls,
]
