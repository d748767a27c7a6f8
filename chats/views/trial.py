"""`/api/test-ai`: which services can be used, and a test of the full round trip."""

import asyncio
import contextvars
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from structlog.contextvars import bind_contextvars

from chats.serializers.trial import TrialSerializer, TrialServicesSerializer, TrialStepsSerializer
from chats.trial.reach import list_endpoints, look_at_all
from chats.trial.walk import Walk
from stores.api.filters import check_parameters
from stores.api.renderers import EventStreamRenderer, JSONRenderer, write_json
from stores.api.schema import EVENT
from stores.api.viewsets import WritingViewSet
from stores.background.threads import on_loop
from stores.records.codecs import JSONObject
from stores.records.errors import Missing
from stores.records.event_frames import frame

EVENTS: Any = {(200, EventStreamRenderer.media_type): EVENT}

_walks: set[asyncio.Task[None]] = set()
"""Walks under way: each goes on to its end and cleans up, also when its reader has gone."""


class TrialViewSet(WritingViewSet):
    """Whether models can be called, with a test of the full round trip."""

    serializer_class = TrialSerializer
    renderer_classes = [JSONRenderer, EventStreamRenderer]
    waits = True
    keeps_answers = False

    @extend_schema(
        operation_id="test_ai_services",
        parameters=[
            OpenApiParameter("reach", OpenApiTypes.BOOL, description="If false, no host is contacted."),
            OpenApiParameter("service", OpenApiTypes.STR, description="The id of the one service to check."),
        ],
        responses=TrialServicesSerializer,
    )
    def services(self, request: Request) -> Response:
        """Which services are configured, and whether they work: each is asked once for its list of models, with its
        key. That costs nothing, and nothing is stored."""
        check_parameters(request, ("reach", "service"))
        only = request.GET.get("service")
        listed = list_endpoints(only)
        if only is not None and not listed:
            raise Missing(f"There is no service {only}.")
        if self.parse_flag("reach", is_default=True):
            services = on_loop(request, look_at_all(listed))
        else:
            services = [text for text, _ in listed]
        return Response({"services": services})

    @extend_schema(
        operation_id="test_ai",
        parameters=[
            OpenApiParameter("stream", OpenApiTypes.BOOL, description="If false, one response after all steps.")
        ],
        request=TrialSerializer,
        responses=EVENTS | {(200, JSONRenderer.media_type): TrialStepsSerializer},
    )
    def create(self, request: Request) -> StreamingHttpResponse:
        """Test the full round trip, database to model to database, in six steps, each reported with its time.

        The stream has an event `step` for each, `delta` for each piece of the answer's text, and `done`. Afterwards
        only the call's event remains in the ledger, with the source `test`."""
        check_parameters(request, ("stream",))
        body = TrialSerializer(data=self.read_object()).take()
        is_stream = self.parse_flag("stream", is_default=True)
        walk = Walk(
            replace(self.get_origin(), source="test"),
            body.get("modelId"),
            body.get("serviceId"),
            body.get("prompt"),
            body.get("shareContext", True),
        )
        queue = on_loop(request, _start(walk))
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        if is_stream:
            kind = "text/event-stream; charset=utf-8"
            return StreamingHttpResponse(_frames(queue), content_type=kind, headers=headers)
        return StreamingHttpResponse(_whole(queue), content_type=JSONRenderer.media_type, headers=headers)


async def _start(walk: Walk) -> "asyncio.Queue[JSONObject | None]":
    queue: asyncio.Queue[JSONObject | None] = asyncio.Queue()
    walk.tell = lambda text: queue.put_nowait({"text": text})
    # Not in the context of the request, which ends before.
    context = contextvars.Context()
    context.run(bind_contextvars, request_id=walk.origin.request_id)
    task = asyncio.get_running_loop().create_task(_run(walk, queue), context=context)
    _walks.add(task)
    task.add_done_callback(_walks.discard)
    return queue


async def _run(walk: Walk, queue: "asyncio.Queue[JSONObject | None]") -> None:
    try:
        async for step in walk.steps():
            queue.put_nowait(step)
    finally:
        queue.put_nowait(None)


async def _read(queue: "asyncio.Queue[JSONObject | None]") -> AsyncGenerator[JSONObject, None]:
    while (step := await queue.get()) is not None:
        yield step


async def _frames(queue: "asyncio.Queue[JSONObject | None]") -> AsyncGenerator[bytes, None]:
    number = 0
    async for step in _read(queue):
        number += 1
        name = "step" if "number" in step else "delta" if "text" in step else "done"
        yield frame(number, name, step)


async def _whole(queue: "asyncio.Queue[JSONObject | None]") -> AsyncGenerator[bytes, None]:
    steps = [step async for step in _read(queue) if "text" not in step]
    yield write_json(steps[-1] | {"steps": steps[:-1]}).encode("ascii")
