"""The REST API of what was used, and of the requests to the API itself."""

from metrics.views.accounts import ReconciliationView, RepricingView
from metrics.views.budgets import BudgetViewSet
from metrics.views.events import EventViewSet
from metrics.views.requests import RequestViewSet
from metrics.views.series import SeriesView
from metrics.views.totals import TotalsViewSet

__all__ = [
    "BudgetViewSet",
    "EventViewSet",
    "ReconciliationView",
    "RepricingView",
    "RequestViewSet",
    "SeriesView",
    "TotalsViewSet",
]
