"""Generations over REST: start, join, read, stop."""

import json
from collections.abc import AsyncGenerator
from typing import Any

from django.db import DatabaseError
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from chats.generations import engine
from chats.generations.abandoned import close_abandoned, is_abandoned
from chats.generations.engine import find_stream
from chats.generations.replay import describe_generation, describe_unread, find_generation, replay, reset
from chats.generations.requests import GenerationRequest
from chats.generations.stream import GenerationStream
from chats.models import Generation
from chats.serializers.generations import GenerateSerializer, GenerationSerializer
from llms.callable_model import UnknownModel
from llms.vendors.endpoint import NotCallable
from stores.api.filters import check_parameters
from stores.api.problems import Problem
from stores.api.renderers import EventStreamRenderer, JSONRenderer, write_json
from stores.api.schema import EVENT
from stores.api.viewsets import WritingViewSet
from stores.background.threads import in_thread, on_loop
from stores.records.codecs import JSONObject
from stores.records.commits import Stored, find_stored
from stores.records.errors import Conflict, at
from stores.records.faults import fault_of
from stores.records.ids import LOOKUP, decode_id, href
from stores.services.idempotency import HEADER, REPLAYED, Claim, StoredAnswer, release

EVENTS: Any = {(200, EventStreamRenderer.media_type): EVENT}
HTML = OpenApiParameter("html", OpenApiTypes.BOOL, description="Also send each complete block of Markdown as HTML.")
LAST_EVENT = OpenApiParameter(
    "Last-Event-ID",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The id of the last event you received. If it is unknown, the whole message is sent first.",
)


class GenerationViewSet(WritingViewSet):
    """Answers of models. They are server tasks that continue without a reader."""

    serializer_class = GenerationSerializer
    renderer_classes = [JSONRenderer, EventStreamRenderer]
    lookup_url_kwarg = "id"
    lookup_value_regex = LOOKUP
    waits = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if getattr(self, "action", "") == "generate":
            # A generation keeps its key itself, in the transaction that starts it.
            GenericViewSet.initial(self, request, *args, **kwargs)
        else:
            super().initial(request, *args, **kwargs)

    @extend_schema(
        operation_id="chats_generate",
        parameters=[HTML],
        request=GenerateSerializer,
        responses=EVENTS | {(200, JSONRenderer.media_type): GenerationSerializer},
    )
    def generate(self, request: Request, chat: str) -> StreamingHttpResponse:
        """Send a message to a model: it is added to the chat, and the answer is streamed and stored there.

        Server-sent events, numbered from 1: `start`, `delta` with `text` or `reasoning`, `rethought` where all text
        so far turns out to be reasoning, `usage`, `error`, and finally `done` with the whole message. With
        `stream: false` the response is the finished generation. A client that disconnects can rejoin: events are kept
        for ten minutes. 409 if another generation is running in the chat, or the model cannot be called."""
        html = self.read_flag("html")
        body = GenerateSerializer(data=self.read_object(ignores_facts=False)).take()
        held = self.claim_key() if HEADER in request.headers else None
        if isinstance(held, StoredAnswer):
            return self._answer_again(json.loads(held.body)["generation"], body, html=html)
        if held is None:
            stream = self._start(chat, body, None)
        else:
            with held:
                try:
                    stream = self._start(chat, body, held)
                except BaseException:
                    # What is not started may be sent again under its key.
                    release(held)
                    raise
        if body.get("stream") is False:
            return _answer_at_end(stream, stream.uid)
        return _stream(stream.read(html=html), stream.uid)

    @extend_schema(operation_id="generations_retrieve", responses=GenerationSerializer)
    def retrieve(self, request: Request, id: str) -> Response:
        """The status of the generation, and its message."""
        check_parameters(request, ())
        return Response(describe_generation(decode_id(id)), headers={"Cache-Control": "no-store"})

    @extend_schema(operation_id="generations_events", parameters=[HTML, LAST_EVENT], responses=EVENTS)
    @action(detail=True)
    def events(self, request: Request, id: str) -> StreamingHttpResponse:
        """Stream the generation's events, from the beginning or after `Last-Event-ID`."""
        uid, html = decode_id(id), self.read_flag("html")
        given = request.headers.get("Last-Event-ID", "")
        is_number = given == "" or (given.isascii() and given.isdigit() and len(given) < 16)
        after = int(given or 0) if is_number else 0
        stream = find_stream(uid)
        if stream is None:
            find_generation(uid)
            return _stream(replay(uid, after, html=html) if is_number else reset(uid, 1), uid)
        if not is_number or after > len(stream.frames):
            return _stream(_reset_and_follow(stream, html=html), uid)
        return _stream(stream.read(after, html=html), uid)

    @extend_schema(operation_id="generations_stop", request=None, responses={202: GenerationSerializer})
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, id: str) -> Response:
        """Stop the generation. The text so far is kept."""
        self.refuse_members()
        check_parameters(request, ())
        uid = decode_id(id)
        row = find_generation(uid)
        if row.status == Generation.Status.RUNNING and is_abandoned(row):
            close_abandoned(row)
        # First that of this process: a call that costs ends even where nothing can be written.
        on_loop(request, engine.stop(uid))
        if find_stream(uid) is None:
            Generation.objects.filter(uid=uid, status=Generation.Status.RUNNING).update(stop_requested=True)
        return Response(describe_generation(uid), status=202)

    def _start(self, chat: str, body: JSONObject, claim: Claim | None) -> GenerationStream:
        generation = GenerationRequest(
            self.get_origin(),
            decode_id(chat),
            body.get("message"),
            body.get("modelId"),
            body.get("replaces"),
            body.get("parameters", {}),
            body.get("shareContext", False),
            claim,
        )
        try:
            return on_loop(self.request, engine.start(generation))
        except UnknownModel as error:
            raise at("/modelId", str(error), "unknown") from error
        except NotCallable as error:
            raise Conflict(str(error), error.kind) from error
        except (DatabaseError, OSError) as error:
            fault = fault_of(error)
            if fault is None or find_stored(error) is not Stored.NOTHING:
                raise
            detail = f"{fault.what} The message was neither stored nor sent. {fault.remedy}"
            raise Problem(fault.status, detail, kind=fault.kind) from error

    def _answer_again(self, uid: str, body: JSONObject, *, html: bool) -> StreamingHttpResponse:
        """Return the answer to a generate that was sent before: the same generation."""
        find_generation(uid)
        stream = find_stream(uid)
        if body.get("stream") is False:
            answer = _answer_at_end(stream, uid)
        else:
            answer = _stream(replay(uid, 0, html=html) if stream is None else stream.read(html=html), uid)
        answer.headers[REPLAYED] = "true"
        return answer


async def _reset_and_follow(stream: GenerationStream, *, html: bool) -> AsyncGenerator[bytes, None]:
    """Yield the message as it is now, and then what comes."""
    if stream.phase.is_released:
        async for content in reset(stream.uid, len(stream.frames)):
            yield content
        return
    number, now = stream.describe_now()
    yield now
    async for content in stream.read(number, html=html):
        yield content


def _answer_at_end(stream: GenerationStream | None, uid: str) -> StreamingHttpResponse:
    """Return the answer that comes when the generation has ended; no thread waits for it."""

    async def content() -> AsyncGenerator[bytes, None]:
        if stream is not None:
            async for _ in stream.read():
                pass
        try:
            yield write_json(await in_thread(describe_generation, uid)).encode("ascii")
        except Exception as error:
            # The status has been sent: the answer says what is so, and does not end as HTTP asks for.
            yield write_json({"_server": {"problem": describe_unread(uid, error)}}).encode("ascii")
            raise

    headers = {"Cache-Control": "no-store", "Location": href("generations", uid)}
    return StreamingHttpResponse(content(), content_type=JSONRenderer.media_type, headers=headers)


def _stream(content: AsyncGenerator[bytes, None], uid: str) -> StreamingHttpResponse:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Location": href("generations", uid)}
    return StreamingHttpResponse(content, content_type="text/event-stream; charset=utf-8", headers=headers)
