"""Browser counts compared with the ledger, and costs at other prices, over REST."""

import re
from dataclasses import asdict
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metrics.days import DAY, EARLIEST, LATEST, start_of
from metrics.reconciliation import reconcile
from metrics.repricing import reprice, suppose_price
from metrics.serializers import ReconciliationSerializer, RepricingSerializer
from metrics.views.spans import NameParameter, SpanSerializer
from stores.api.filters import check_parameters, read_query
from stores.api.members import LimitedMember
from stores.api.problems import bad_parameter

MAX_DAYS = 366
"""Maximum number of days that one request can price again."""
MAX_USD = 10**6
"""The largest price of a million tokens."""
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?")


class ReconciliationView(APIView):
    @extend_schema(operation_id="metrics_reconciliation", responses=ReconciliationSerializer)
    def get(self, request: Request) -> Response:
        """Browser counts compared with the ledger, by service: what messages account for, what they do not, and
        alarms if the numbers are inconsistent. This takes seconds on a large ledger."""
        check_parameters(request, ())
        return Response({"results": [asdict(report) for report in reconcile()]})


PRICES = ("input", "output")


class PriceParameter(LimitedMember):
    schema = {"type": "number", "minimum": 0, "maximum": MAX_USD}
    fault = f"{{name}} must be a number from 0 to {MAX_USD}, in USD per million tokens."

    def to_internal_value(self, data: str) -> Any:
        return super().to_internal_value(float(data) if _NUMBER.fullmatch(data) else -1)


class RepricingQuerySerializer(SpanSerializer):
    service = NameParameter(help_text="Only calls of this service.")
    model = NameParameter(help_text="Only calls of this model.")
    input = PriceParameter(
        help_text="With `model` and `output`: a price to try, in USD per million tokens. `supposed` is what calls "
        "would cost at that price, for example for a local model without one."
    )
    output = PriceParameter(help_text="The price of output tokens.")

    def validate(self, attrs: Any) -> Any:
        attrs = super().validate(attrs)
        start, end = attrs["start"], attrs["end"]
        lacking = [name for name in (*PRICES, "model") if name not in attrs]
        if lacking and attrs.keys() & set(PRICES):
            raise bad_parameter(lacking[0], "To try a price, send model, input and output.")
        if not EARLIEST <= start <= LATEST:
            raise bad_parameter("start", f"start must be a day from {EARLIEST} to {LATEST}.")
        if not start <= end <= LATEST:
            raise bad_parameter("end", f"end must be a day from start to {LATEST}.")
        if (end - start).days >= MAX_DAYS:
            raise bad_parameter("start", f"The range must be at most {MAX_DAYS} days.")
        return attrs


class RepricingView(APIView):
    @extend_schema(
        operation_id="metrics_repricing", parameters=[RepricingQuerySerializer], responses=RepricingSerializer
    )
    def get(self, request: Request) -> Response:
        """Cost of calls as recorded, at list prices of the day, and at today's prices, by model, over at most 366 days.
        Nothing is overwritten. This takes seconds for many calls."""
        query = read_query(request, RepricingQuerySerializer)
        start, end, service = query["start"], query["end"], query.get("service")
        span = start_of(start), start_of(end + DAY)
        results = reprice(*span, service=service, model=query.get("model"))
        prices = {name: query[name] for name in PRICES if name in query}
        supposed = suppose_price(query["model"], prices, *span, service=service).supposed if prices else None
        return Response(
            {
                "start": str(start),
                "end": str(end),
                "zone": settings.OWNER_TIME_ZONE,
                "results": [asdict(result) for result in results],
                "supposed": None if supposed is None else asdict(supposed),
            }
        )
