"""Monthly budgets over REST."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from metrics.budgets import ALL, BudgetState, find_budget, read_budgets, set_budget
from metrics.models import Budget
from metrics.serializers import BudgetSerializer, BudgetsSerializer, BudgetWriteSerializer
from stores.api.filters import check_parameters
from stores.api.viewsets import WritingViewSet
from stores.records.errors import Missing
from stores.records.ids import LOOKUP, decode_id, encode_id
from stores.records.secrets import mask_found

ALL_WORD = "all"
"""Stands for all services in an address; a service of this id has the form with `~` there."""


class BudgetViewSet(WritingViewSet):
    """Monthly budgets, by service and in total."""

    queryset = Budget.objects.none()
    serializer_class = BudgetSerializer
    pagination_class = None
    lookup_field = "service"
    lookup_url_kwarg = "id"
    lookup_value_regex = LOOKUP

    @extend_schema(operation_id="metrics_budgets", responses=BudgetsSerializer)
    def list(self, request: Request) -> Response:
        """The current budgets, with the spending of this month."""
        check_parameters(request, ())
        budgets = [describe_budget(budget) for budget in read_budgets()]
        return Response({"zone": settings.OWNER_TIME_ZONE, "results": budgets})

    @extend_schema(
        operation_id="metrics_budgets_update",
        request=BudgetWriteSerializer,
        responses=BudgetSerializer,
    )
    def update(self, request: Request, id: str) -> Response:
        """Set the monthly budget of a service, or of all services under `all`."""
        check_parameters(request, ())
        service = _read_service(id)
        change = set_budget(
            self.get_origin(), service, BudgetWriteSerializer(data=self.read_object()).take()["nano_usd"]
        )
        budget = find_budget(service)
        assert budget is not None
        return self.answer_write(describe_budget(budget), None, change)

    @extend_schema(operation_id="metrics_budgets_destroy", responses={204: None})
    def destroy(self, request: Request, id: str) -> Response:
        """Remove the budget."""
        check_parameters(request, ())
        service = _read_service(id)
        if find_budget(service) is None:
            raise Missing("There is no budget for all services." if service == ALL else f"{service} has no budget.")
        return self.answer_deletion(set_budget(self.get_origin(), service, None))


def describe_budget(budget: BudgetState) -> dict[str, Any]:
    """Return a budget's JSON."""
    is_all = budget.service == ALL
    segment = ALL_WORD if is_all else _segment_of(budget.service)
    return {
        "service": None if is_all else budget.service,
        "nano_usd": budget.nano_usd,
        "spent_nano_usd": budget.spent_nano_usd,
        "unpriced": budget.unpriced,
        "share": budget.share,
        "state": budget.state,
        "month_start": budget.month_start,
        "month_end": budget.month_end,
        "href": f"/api/metrics/budgets/{segment}",
    }


def _segment_of(service: str) -> str:
    return "~YWxs" if service == ALL_WORD else encode_id(service)


def _read_service(segment: str) -> str:
    # As in the events that it is compared with.
    return ALL if segment == ALL_WORD else mask_found(decode_id(segment))
