from django.urls import re_path

from metrics.service_tests import ServiceTestViewSet
from metrics.views import MetricsView, RequestViewSet
from stores.api.ids import LOOKUP
from stores.api.routers import ApiRouter

app_name = "metrics"

router = ApiRouter()
router.register("requests", RequestViewSet, "request")

urlpatterns = [
    re_path(r"^metrics/?$", MetricsView.as_view(), name="totals"),
    re_path(
        rf"^services/(?P<id>{LOOKUP})/test/?$", ServiceTestViewSet.as_view({"post": "create"}), name="service-test"
    ),
    *router.urls,
]
