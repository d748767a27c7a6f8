"""Generations over REST: start, join, read, stop."""

import json
from collections.abc import AsyncGenerator
from typing import Any

from django.db import DatabaseError
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from chats.generations.begin import Begin
from chats.generations.engine import begin_run, find_stream, stop_run
from chats.generations.lock import is_abandoned
from chats.generations.recovery import close_abandoned
from chats.generations.replay import describe_run, describe_unread, find_run, replay, reset
from chats.generations.stream import Stream
from chats.models import Generation
from chats.serializers.conversations import MessageSerializer
from chats.serializers.generations import GenerateSerializer, GenerationSerializer
from llms.catalog import UnknownModel
from llms.vendors.endpoint import NotCallable
from stores.api.asynchronous import in_thread, on_loop
from stores.api.filters import check_parameters
from stores.api.idempotency import HEADER, REPLAYED, Claim, StoredAnswer, claim_key, digest_request, release
from stores.api.ids import decode_id, href
from stores.api.problems import Problem
from stores.api.renderers import EventStreamRenderer, JSONRenderer, write_json
from stores.api.schema import EVENT
from stores.api.serializers import find_errors
from stores.api.viewsets import WritingViewSet
from stores.codecs import JSONObject
from stores.faults import fault_of
from stores.jsontext import canonical
from stores.outcomes import Stored, find_stored
from stores.services.errors import Conflict, at, pointer_of

ALLOWED = ("message", "modelId", "parameters", "replaces", "shareContext", "stream")
_TYPES: dict[str, tuple[type, str]] = {
    "message": (dict, "an object"),
    "modelId": (str, "a string"),
    "parameters": (dict, "an object"),
    "replaces": (str, "a string"),
    "shareContext": (bool, "true or false"),
    "stream": (bool, "true or false"),
}
PARAMETERS = {"temperature": "llmTemperature", "maxTokens": "llmResponseTokens"}
"""Parameters of a call, and what big-AGI calls them; either name is taken."""
MAX_TEMPERATURE = 2
MAX_TOKENS = 10_000_000
EVENTS: Any = {(200, EventStreamRenderer.media_type): EVENT}
HTML = OpenApiParameter("html", OpenApiTypes.BOOL, description="Also send each complete block of Markdown as HTML.")
LAST_EVENT = OpenApiParameter(
    "Last-Event-ID",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="The id of the last event you received. If it is unknown, the whole message is sent first.",
)


def read_body(request: Request) -> JSONObject:
    """Return the body of a generate. Raises `Problem` and `Invalid`."""
    body = request.data
    if not isinstance(body, dict):
        raise Problem(400, "The body must be a JSON object.")
    for name, value in body.items():
        if name not in ALLOWED:
            raise at(pointer_of(name), f"Unknown field. Allowed: {', '.join(ALLOWED)}.", "unknown")
        kind, words = _TYPES[name]
        if not isinstance(value, kind):
            raise at(f"/{name}", f"Must be {words}.", "type")
    if "message" in body and "replaces" in body:
        raise at("/replaces", "Send either message or replaces, not both.", "exclusive")
    if "message" in body:
        _check_message(body["message"])
    return body | {"parameters": read_parameters(body.get("parameters", {}))}


def read_parameters(given: JSONObject) -> JSONObject:
    """Return the parameters of a call under big-AGI's names. Raises `Invalid`."""
    parameters: JSONObject = {}
    for name, value in given.items():
        known = PARAMETERS.get(name, name)
        pointer = pointer_of("parameters", name)
        if known not in PARAMETERS.values():
            allowed = ", ".join([*PARAMETERS, *PARAMETERS.values()])
            raise at(pointer, f"Unknown parameter. Allowed: {allowed}.", "unknown")
        if known in parameters:
            raise at(pointer, "Must be given once, under one of its two names.", "exclusive")
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if known == "llmTemperature" and not (is_number and 0 <= value <= MAX_TEMPERATURE):
            raise at(pointer, f"Must be a number from 0 to {MAX_TEMPERATURE}.")
        if known == "llmResponseTokens" and not (isinstance(value, int) and is_number and 1 <= value <= MAX_TOKENS):
            raise at(pointer, f"Must be a whole number from 1 to {MAX_TOKENS}.")
        parameters[known] = value
    return parameters


def _check_message(message: JSONObject) -> None:
    if set(message) == {"text"}:
        if not isinstance(message["text"], str) or not message["text"]:
            raise at("/message/text", "Must be a string that is not empty.", "type")
        return
    for error in find_errors(MessageSerializer, message):
        raise at(f"/message{error['pointer']}", error["detail"], error["code"])
    if message.get("role", "user") != "user":
        raise at("/message/role", "The role must be user.")
    if not message["fragments"]:
        raise at("/message/fragments", "Must have at least one fragment.")
    for index, fragment in enumerate(message["fragments"]):
        is_whole = isinstance(fragment, dict) and {"ft", "fId"} <= fragment.keys()
        if not is_whole or not isinstance(fragment.get("part"), dict):
            raise at(f"/message/fragments/{index}", "Must have `ft`, `fId` and `part` (an object).")


class GenerationViewSet(WritingViewSet):
    """Answers of models. They are server tasks that continue without a reader."""

    serializer_class = GenerationSerializer
    renderer_classes = [JSONRenderer, EventStreamRenderer]
    needs_loop = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if getattr(self, "action", "") == "generate":
            # A run keeps its key itself, in the transaction that begins it.
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

        Server-sent events, numbered from 1: `start`, `delta` with `text` or `reasoning`, `usage`, `error`, and finally
        `done` with the whole message. With `stream: false` the response is the finished generation. A client that
        disconnects can rejoin: events are kept for ten minutes. 409 if another generation is running in
        the chat, or the model cannot be called."""
        html = self.read_flag("html")
        body = read_body(request)
        held = self._claim() if HEADER in request.headers else None
        if isinstance(held, StoredAnswer):
            return self._answer_again(json.loads(held.body)["generation"], body, html=html)
        if held is None:
            stream = self._begin(chat, body, None)
        else:
            with held:
                try:
                    stream = self._begin(chat, body, held)
                except BaseException:
                    # What is not begun may be sent again under its key.
                    release(held)
                    raise
        if body.get("stream") is False:
            return _answer_at_end(stream, stream.uid)
        return _stream(stream.read(html=html), stream.uid)

    @extend_schema(operation_id="generations_retrieve", responses=GenerationSerializer)
    def retrieve(self, request: Request, id: str) -> Response:
        """The status of the generation, and its message."""
        check_parameters(request, ())
        return Response(describe_run(decode_id(id)), headers={"Cache-Control": "no-store"})

    @extend_schema(operation_id="generations_events", parameters=[HTML, LAST_EVENT], responses=EVENTS)
    def events(self, request: Request, id: str) -> StreamingHttpResponse:
        """Stream the generation's events, from the beginning or after `Last-Event-ID`."""
        uid, html = decode_id(id), self.read_flag("html")
        given = request.headers.get("Last-Event-ID", "")
        is_told = given == "" or (given.isascii() and given.isdigit() and len(given) < 16)
        after = int(given or 0) if is_told else 0
        stream = find_stream(uid)
        if stream is None:
            find_run(uid)
            return _stream(replay(uid, after, html=html) if is_told else reset(uid, 1), uid)
        if not is_told or after > len(stream.frames):
            return _stream(_reset_and_follow(stream, html=html), uid)
        return _stream(stream.read(after, html=html), uid)

    @extend_schema(operation_id="generations_stop", request=None, responses={202: GenerationSerializer})
    def stop(self, request: Request, id: str) -> Response:
        """Stop the generation. The text so far is kept."""
        check_parameters(request, ())
        uid = decode_id(id)
        row = find_run(uid)
        if row.status == Generation.Status.RUNNING and is_abandoned(row):
            close_abandoned(row)
        # First that of this process: a call that costs ends even where nothing can be written.
        on_loop(request, stop_run(uid))
        if find_stream(uid) is None:
            Generation.objects.filter(uid=uid, status=Generation.Status.RUNNING).update(stop_requested=True)
        return Response(describe_run(uid), status=202)

    def _claim(self) -> Claim | StoredAnswer:
        request = self.request
        digest = digest_request(str(request.method), request.get_full_path(), canonical(request.data))
        return claim_key(request.user.pk, request.headers[HEADER], digest)

    def _begin(self, chat: str, body: JSONObject, claim: Claim | None) -> Stream:
        asked = Begin(
            self.get_origin(),
            decode_id(chat),
            body.get("message"),
            body.get("modelId"),
            body.get("replaces"),
            body["parameters"],
            body.get("shareContext", False),
            claim,
        )
        try:
            return on_loop(self.request, begin_run(asked))
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
        find_run(uid)
        stream = find_stream(uid)
        if body.get("stream") is False:
            answer = _answer_at_end(stream, uid)
        else:
            answer = _stream(replay(uid, 0, html=html) if stream is None else stream.read(html=html), uid)
        answer.headers[REPLAYED] = "true"
        return answer


async def _reset_and_follow(stream: Stream, *, html: bool) -> AsyncGenerator[bytes, None]:
    """Yield the message as it is now, and then what comes."""
    if stream.is_ended:
        async for content in reset(stream.uid, len(stream.frames)):
            yield content
        return
    number, now = stream.describe_now()
    yield now
    async for content in stream.read(number, html=html):
        yield content


def _answer_at_end(stream: Stream | None, uid: str) -> StreamingHttpResponse:
    """Return the answer that comes when the run has ended; no thread waits for it."""

    async def content() -> AsyncGenerator[bytes, None]:
        if stream is not None:
            async for _ in stream.read():
                pass
        try:
            yield write_json(await in_thread(describe_run, uid)).encode("ascii")
        except Exception as error:
            # The status has been sent: the answer says what is so, and does not end as HTTP asks for.
            yield write_json({"_server": {"problem": describe_unread(uid, error)}}).encode("ascii")
            raise

    headers = {"Cache-Control": "no-store", "Location": href("generations", uid)}
    return StreamingHttpResponse(content(), content_type=JSONRenderer.media_type, headers=headers)


def _stream(content: AsyncGenerator[bytes, None], uid: str) -> StreamingHttpResponse:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Location": href("generations", uid)}
    return StreamingHttpResponse(content, content_type="text/event-stream; charset=utf-8", headers=headers)
