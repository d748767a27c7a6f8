"""Series of what was used over REST."""

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metrics.serializers import SeriesSerializer
from metrics.series import BY, MAX_DAYS, MAX_FINE_DAYS, PER, SOURCES, InvalidQuery, Query, read_series
from metrics.views.spans import NameParameter, SpanSerializer
from stores.api.filters import read_query
from stores.api.members import AnyMember, FlagParameter
from stores.api.problems import bad_parameter


class SeriesQuerySerializer(SpanSerializer):
    by = AnyMember(
        schema={"type": "string", "enum": sorted(BY), "default": "all"},
        help_text="What each period is grouped by; `hour`: the hour of the day.",
    )
    per = AnyMember(
        schema={"type": "string", "enum": sorted(PER), "default": "day"},
        help_text="The length of a period. Weeks begin on Monday.",
    )
    service = NameParameter(help_text="Only calls of this service.")
    vendor = NameParameter(help_text="Only calls of this vendor.")
    model = NameParameter(help_text="Only calls of this model.")
    source = NameParameter(  # type: ignore[assignment]  # a parameter, not the attribute of fields
        schema={"type": "string", "enum": sorted(SOURCES)},
        help_text="Only calls recorded by this source. Tests are not counted.",
    )
    latencies = FlagParameter(default=True, help_text="`false` leaves out percentiles.")


class SeriesView(APIView):
    @extend_schema(
        operation_id="metrics_series",
        description="Usage over time: calls, tokens, cost, errors and durations.\n\n"
        f"By hour, persona or conversation, or per hour, over at most {MAX_FINE_DAYS} days; per day over at most "
        f"{MAX_DAYS}.",
        parameters=[SeriesQuerySerializer],
        responses=SeriesSerializer,
    )
    def get(self, request: Request) -> Response:
        """Usage over time: calls, tokens, cost, errors and durations."""
        try:
            query = Query(**read_query(request, SeriesQuerySerializer))
        except InvalidQuery as error:
            raise bad_parameter(error.parameter, str(error)) from error
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
