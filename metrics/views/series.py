"""Series of what was used over REST."""

from typing import Any

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metrics.serializers import SeriesSerializer
from metrics.series import BY, FILTERS, MAX_DAYS, MAX_FINE_DAYS, PER, SOURCES, InvalidQuery, Query, read_series
from metrics.views.spans import NAME, SPAN, read_name, read_span
from stores.api.filters import check_parameters
from stores.api.problems import bad_parameter

_PARAMETERS = [
    OpenApiParameter(
        "by", enum=BY, default="all", description="What each period is grouped by; `hour`: the hour of the day."
    ),
    OpenApiParameter("per", enum=PER, default="day", description="The length of a period. Weeks begin on Monday."),
    *SPAN,
    OpenApiParameter("service", NAME, description="Only calls of this service."),
    OpenApiParameter("vendor", NAME, description="Only calls of this vendor."),
    OpenApiParameter("model", NAME, description="Only calls of this model."),
    OpenApiParameter("source", enum=SOURCES, description="Only calls recorded by this source. Tests are not counted."),
    OpenApiParameter("latencies", OpenApiTypes.BOOL, default=True, description="`false` leaves out percentiles."),
]


class SeriesView(APIView):
    @extend_schema(
        operation_id="metrics_series",
        description="Usage over time: calls, tokens, cost, errors and durations.\n\n"
        f"By hour, persona or conversation, or per hour, over at most {MAX_FINE_DAYS} days; per day over at most "
        f"{MAX_DAYS}.",
        parameters=_PARAMETERS,
        responses=SeriesSerializer,
    )
    def get(self, request: Request) -> Response:
        """Usage over time: calls, tokens, cost, errors and durations."""
        check_parameters(request, ("by", "per", "start", "end", *FILTERS, "latencies"))
        query = _read_query(request)
        series = read_series(query)
        return Response(
            {
                "by": query.by,
                "per": query.per,
                "start": str(query.start),
                "end": str(query.end),
                "zone": settings.OWNER_TIME_ZONE,
                "columns": series.columns,
                "rows": series.rows,
            }
        )


def _read_query(request: Request) -> Query:
    latencies = request.query_params.get("latencies") or "true"
    if latencies not in ("1", "0", "true", "false"):
        raise bad_parameter("latencies", "latencies must be true or false.")
    start, end = read_span(request)
    facts: dict[str, Any] = {name: read_name(request, name) for name in FILTERS}
    facts |= {name: value for name in ("by", "per") if (value := request.query_params.get(name))}
    try:
        return Query(start, end, latencies=latencies in ("1", "true"), **facts)
    except InvalidQuery as error:
        raise bad_parameter(error.parameter, str(error)) from error
