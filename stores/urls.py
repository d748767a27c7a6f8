from stores.api.routers import ApiRouter
from stores.views import (
    ChangeViewSet,
    KeptRevisionViewSet,
    ProvenanceViewSet,
    RunRecordViewSet,
    RunViewSet,
    StoreViewSet,
)

app_name = "stores"

router = ApiRouter()
router.register("stores", StoreViewSet, "store")
router.register("changes", ChangeViewSet, "change")
router.register("migrations", RunViewSet, "migration")
router.register(RunRecordViewSet.prefix, RunRecordViewSet, "run-record")
router.register(ProvenanceViewSet.prefix, ProvenanceViewSet, "provenance")
router.register("revisions", KeptRevisionViewSet, "revision")

urlpatterns = router.urls
