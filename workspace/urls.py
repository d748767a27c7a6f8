from stores.api.routers import ApiRouter
from workspace.views import LiveFileViewSet, WorkspaceViewSet

app_name = "workspace"

router = ApiRouter()
router.register("workspace", WorkspaceViewSet, "workspace")
router.register("files", LiveFileViewSet, "file")

urlpatterns = router.urls
