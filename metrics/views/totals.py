"""Totals over REST, in big-AGI's fields; recording calls of clients; resetting the count."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from metrics.counting import read_totals, start_counting
from metrics.events import describe_event, find_event
from metrics.presenting import describe_start, describe_totals
from metrics.reporting import read_call, report_call
from metrics.serializers import CountingStartSerializer, MetricsSerializer, ReportedCallSerializer, UsageEventSerializer
from stores.api.filters import check_parameters
from stores.api.viewsets import WritingViewSet
from stores.records.errors import Conflict

CONFIRM = OpenApiParameter("confirm", OpenApiTypes.BOOL, description="Must be true; otherwise nothing is reset.")


class TotalsViewSet(WritingViewSet):
    """Usage in total, and since the last reset."""

    serializer_class = MetricsSerializer
    pagination_class = None

    @extend_schema(operation_id="metrics_retrieve", responses=MetricsSerializer)
    def retrieve(self, request: Request) -> Response:
        """Totals of all services and of each: browser counts plus the calls in the ledger that they do not include."""
        check_parameters(request, ())
        return Response(describe_totals(read_totals()))

    @extend_schema(
        operation_id="metrics_create",
        request=ReportedCallSerializer,
        responses={201: UsageEventSerializer},
    )
    def create(self, request: Request) -> Response:
        """Record one call that was made elsewhere. Without a cost it is priced here; if that is not
        possible, `cost_code` says why. Undo reverses it with an event of the opposite amounts."""
        check_parameters(request, ())
        origin = self.get_origin()
        key, change = report_call(origin, read_call(ReportedCallSerializer(data=self.read_object()).take(), origin))
        body = describe_event(find_event(key))
        return self.answer_write(body, None, change, created_at=f"/api/metrics/events/{key}")

    @extend_schema(
        operation_id="metrics_destroy",
        parameters=[CONFIRM],
        responses={200: CountingStartSerializer},
    )
    def destroy(self, request: Request) -> Response:
        """Reset the count. Nothing is deleted: all-time totals and events stay, and it can be
        undone. 409 without `?confirm=true`."""
        if not self.read_flag("confirm"):
            raise Conflict(
                "This resets the count; all-time totals stay. To confirm, add ?confirm=true.",
                "not-confirmed",
            )
        start, change = start_counting(self.get_origin())
        return self.answer_write(describe_start(start), None, change)
