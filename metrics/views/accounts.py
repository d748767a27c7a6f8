"""Browser counts compared with the ledger, and costs at other prices, over REST."""

import re
from dataclasses import asdict

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metrics.days import DAY, EARLIEST, LATEST, start_of
from metrics.reconciliation import reconcile
from metrics.repricing import reprice, suppose_price
from metrics.serializers import ReconciliationSerializer, RepricingSerializer
from metrics.views.spans import NAME, SPAN, read_name, read_span
from stores.api.filters import check_parameters
from stores.api.problems import bad_parameter

MAX_DAYS = 366
"""Maximum number of days that one request can price again."""


class ReconciliationView(APIView):
    @extend_schema(operation_id="metrics_reconciliation", responses=ReconciliationSerializer)
    def get(self, request: Request) -> Response:
        """Browser counts compared with the ledger, by service: what messages account for, what they do not, and
        alarms if the numbers are inconsistent. This takes seconds on a large ledger."""
        check_parameters(request, ())
        return Response({"results": [asdict(report) for report in reconcile()]})


MAX_USD = 10**6
"""The largest price of a million tokens."""
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")
_PRICE = {"type": "number", "minimum": 0, "maximum": MAX_USD}
_REPRICING = [
    *SPAN,
    OpenApiParameter("service", NAME, description="Only calls of this service."),
    OpenApiParameter("model", NAME, description="Only calls of this model."),
    OpenApiParameter(
        "input",
        _PRICE,
        description="With `model` and `output`: a price to try, in USD per million tokens. `supposed` is what calls "
        "would cost at that price, for example for a local model without one.",
    ),
    OpenApiParameter("output", _PRICE, description="The price of output tokens."),
]


class RepricingView(APIView):
    @extend_schema(operation_id="metrics_repricing", parameters=_REPRICING, responses=RepricingSerializer)
    def get(self, request: Request) -> Response:
        """Cost of calls as recorded, at list prices of the day, and at today's prices, by model, over at most 366 days.
        Nothing is overwritten. This takes seconds for many calls."""
        check_parameters(request, ("start", "end", "service", "model", "input", "output"))
        start, end = read_span(request)
        service, model = read_name(request, "service"), read_name(request, "model")
        chat = _read_prices(request, model)
        if not EARLIEST <= start <= LATEST:
            raise bad_parameter("start", f"start must be a day from {EARLIEST} to {LATEST}.")
        if not start <= end <= LATEST:
            raise bad_parameter("end", f"end must be a day from start to {LATEST}.")
        if (end - start).days >= MAX_DAYS:
            raise bad_parameter("start", f"The range must be at most {MAX_DAYS} days.")
        span = start_of(start), start_of(end + DAY)
        results = reprice(*span, service=service, model=model)
        supposed = suppose_price(model, chat, *span, service=service).supposed if model and chat else None
        return Response(
            {
                "start": str(start),
                "end": str(end),
                "zone": settings.OWNER_TIME_ZONE,
                "results": [asdict(result) for result in results],
                "supposed": None if supposed is None else asdict(supposed),
            }
        )


def _read_prices(request: Request, model: str | None) -> dict[str, float] | None:
    """Return the price that is to be tried, in big-AGI's shape; None: none is. Raises `Problem`."""
    prices = {name: _read_price(request, name) for name in ("input", "output") if request.query_params.get(name)}
    if not prices:
        return None
    if len(prices) < 2 or model is None:
        name = next((name for name in ("input", "output") if name not in prices), "model")
        raise bad_parameter(name, "To try a price, send model, input and output.")
    return prices


def _read_price(request: Request, name: str) -> float:
    text = request.query_params[name]
    price = float(text) if _NUMBER.fullmatch(text) else -1
    if not 0 <= price <= MAX_USD:
        raise bad_parameter(name, f"{name} must be a number from 0 to {MAX_USD}, in USD per million tokens.")
    return price
