from llms.views import AssignmentViewSet, ModelViewSet, ServiceViewSet
from stores.api.routers import ApiRouter

app_name = "llms"

router = ApiRouter()
router.register("llms", ModelViewSet, "model")
router.register("services", ServiceViewSet, "service")
router.register("assignments", AssignmentViewSet, "assignment")

urlpatterns = router.urls
