from stores.api.routers import ApiRouter
from stores.views import RunViewSet, StoreViewSet

app_name = "stores"

router = ApiRouter()
router.register("stores", StoreViewSet, "store")
router.register("migrations", RunViewSet, "migration")

urlpatterns = router.urls
