from django.urls import re_path

from metrics.views import (
    BudgetViewSet,
    EventViewSet,
    ReconciliationView,
    RepricingView,
    RequestViewSet,
    SeriesView,
    TotalsViewSet,
)
from metrics.views.service_tests import ServiceTestViewSet
from stores.api.routers import ApiRouter
from stores.records.ids import LOOKUP

app_name = "metrics"

router = ApiRouter()
router.register("requests", RequestViewSet, "request")
router.register("metrics/events", EventViewSet, "event")
router.register("metrics/budgets", BudgetViewSet, "budget")

TOTALS = TotalsViewSet.as_view({"get": "retrieve", "post": "create", "delete": "destroy"})

urlpatterns = [
    re_path(r"^metrics/?$", TOTALS, name="totals"),
    re_path(r"^metrics/series/?$", SeriesView.as_view(), name="series"),
    re_path(r"^metrics/reconciliation/?$", ReconciliationView.as_view(), name="reconciliation"),
    re_path(r"^metrics/repricing/?$", RepricingView.as_view(), name="repricing"),
    re_path(
        rf"^services/(?P<id>{LOOKUP})/test/?$", ServiceTestViewSet.as_view({"post": "create"}), name="service-test"
    ),
    *router.urls,
]
