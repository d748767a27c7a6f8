"""Import runs over REST as they go on: followed, and resumed."""

from collections.abc import AsyncIterator
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from stores.api.filters import check_parameters
from stores.api.renderers import EventStreamRenderer, JSONRenderer
from stores.api.schema import EVENT
from stores.api.viewsets import RecordViewSet
from stores.importers import uploads
from stores.importers.following import Place, follow
from stores.querysets import as_seen_now
from stores.serializers import RunSerializer
from stores.views.run_problems import run_problems

LAST_EVENT = OpenApiParameter(
    "Last-Event-ID",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The id of the last event you received. Notes and errors that came before it are not sent again.",
)
EVENTS: Any = {(200, EventStreamRenderer.media_type): EVENT, 204: None}


class RunProgressViews(RecordViewSet):
    """What is asked of a run that goes on, or could."""

    @extend_schema(operation_id="migrations_events", parameters=[LAST_EVENT], responses=EVENTS)
    @action(detail=True, waits=True, renderer_classes=[JSONRenderer, EventStreamRenderer])
    def events(self, request: Request, id: str) -> StreamingHttpResponse | Response:
        """Follow the run as server-sent events, which end with it.

        First `progress`, as it is now, and again when it has changed, at most twice a second: `status`, `phase`,
        `phases`, `counts`, `bytes_read` of `bytes_total`, `last_completed_task`, `next_task`, and `proof`, a sentence.
        Then each `note` (`text`) and each `error` (`at`, `phase`, `place`, `message`). The last event is `done`, with
        `status` and `proof`. Of a run that was resumed, notes and errors are told anew. A client that comes again with
        the id of `done` is answered 204.
        """
        check_parameters(request, ())
        run, place = as_seen_now(self.get_object()), Place.read(request.headers.get("Last-Event-ID", ""))
        if place.is_behind_end(run):
            return Response(status=204, headers={"Cache-Control": "no-store"})
        return _stream(follow(run.pk, place))

    @extend_schema(operation_id="migrations_resume", request=None, responses={202: RunSerializer})
    @action(detail=True, methods=["post"], waits=True, parser_classes=RecordViewSet.parser_classes)
    def resume(self, request: Request, id: str) -> Response:
        """Resume an upload whose import was broken off, as by a full disk. It goes on with what it has not decided yet.

        What was broken off with the server goes on by itself when that starts. 409 if the run is running, has finished,
        or read the whole file and found a difference; 410 if its file is no longer kept.
        """
        self.refuse_members()
        check_parameters(request, ())
        run = self.get_object()
        with run_problems():
            body = RunSerializer(uploads.start_again(run)).data
        return Response(body, 202, headers={"Location": body["href"]})


def _stream(content: AsyncIterator[bytes]) -> StreamingHttpResponse:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(content, content_type="text/event-stream; charset=utf-8", headers=headers)
