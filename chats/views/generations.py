"""Generations over REST: begun, joined, asked after, stopped."""

import json
from collections.abc import AsyncGenerator
from typing import Any

from django.db import DatabaseError
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from chats.generations.begin import Begin
from chats.generations.engine import get_engine
from chats.generations.lock import is_abandoned
from chats.generations.recovery import close_abandoned
from chats.generations.replay import describe_run, find_run, replay, reset
from chats.generations.stream import Stream
from chats.models import Generation
from chats.serializers import MessageSerializer
from llms.catalog import UnknownModel
from llms.vendors.endpoint import NotCallable
from stores.api.asynchronous import api_view, in_thread, json_response
from stores.api.filters import check_parameters
from stores.api.idempotency import HEADER, REPLAYED, Claim, StoredAnswer, claim_key, digest_request, release
from stores.api.ids import UnknownId, decode_id, href
from stores.api.origin import origin_of
from stores.api.problems import Problem, bad_parameter
from stores.api.serializers import find_errors
from stores.codecs import JSONObject
from stores.jsontext import canonical
from stores.services.errors import Conflict, at

ALLOWED = ("message", "modelId", "parameters", "replaces", "shareContext", "stream")
_TYPES: dict[str, tuple[type, str]] = {
    "message": (dict, "an object"),
    "modelId": (str, "a text"),
    "parameters": (dict, "an object"),
    "replaces": (str, "a text"),
    "shareContext": (bool, "true or false"),
    "stream": (bool, "true or false"),
}
PARAMETERS = {"temperature": "llmTemperature", "maxTokens": "llmResponseTokens"}
"""Parameters of a call, and what big-AGI calls them; either name is taken."""
MAX_TEMPERATURE = 2
MAX_TOKENS = 10_000_000


def read_body(request: Request) -> JSONObject:
    """Return the body of a generate. Raises `Problem` and `Invalid`."""
    body = request.data
    if not isinstance(body, dict):
        raise Problem(400, "The body is a JSON object.")
    for name, value in body.items():
        if name not in ALLOWED:
            raise at(f"/{name}", f"Unknown member. Allowed are: {', '.join(ALLOWED)}.", "unknown")
        kind, words = _TYPES[name]
        if not isinstance(value, kind):
            raise at(f"/{name}", f"This is {words}.", "type")
    if "message" in body and "replaces" in body:
        raise at("/replaces", "Either a message is sent, or an answer is written anew.", "exclusive")
    if "message" in body:
        _check_message(body["message"])
    return body | {"parameters": read_parameters(body.get("parameters", {}))}


def read_parameters(given: JSONObject) -> JSONObject:
    """Return the parameters of a call under big-AGI's names. Raises `Invalid`."""
    parameters: JSONObject = {}
    for name, value in given.items():
        known = PARAMETERS.get(name, name)
        pointer = f"/parameters/{name}"
        if known not in PARAMETERS.values():
            allowed = ", ".join([*PARAMETERS, *PARAMETERS.values()])
            raise at(pointer, f"Unknown parameter. Allowed are: {allowed}.", "unknown")
        if known in parameters:
            raise at(pointer, "It is given twice, under both of its names.", "exclusive")
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if known == "llmTemperature" and not (is_number and 0 <= value <= MAX_TEMPERATURE):
            raise at(pointer, f"This is a number from 0 to {MAX_TEMPERATURE}.")
        if known == "llmResponseTokens" and not (isinstance(value, int) and is_number and 1 <= value <= MAX_TOKENS):
            raise at(pointer, f"This is a whole number from 1 to {MAX_TOKENS}.")
        parameters[known] = value
    return parameters


def _check_message(message: JSONObject) -> None:
    if set(message) == {"text"}:
        if not isinstance(message["text"], str) or not message["text"]:
            raise at("/message/text", "This is a text that is not empty.", "type")
        return
    for error in find_errors(MessageSerializer, message):
        raise at(f"/message{error['pointer']}", error["detail"], error["code"])
    if message.get("role", "user") != "user":
        raise at("/message/role", "What is sent to a model is a message of the user.")
    if not message["fragments"]:
        raise at("/message/fragments", "The message is empty.")
    for index, fragment in enumerate(message["fragments"]):
        if not isinstance(fragment, dict) or not isinstance(fragment.get("part"), dict) or "ft" not in fragment:
            raise at(f"/message/fragments/{index}", "A fragment has `ft`, `fId` and a `part`.")


@api_view("POST")
async def generate(request: Request, chat: str) -> HttpResponseBase:
    """Begin a generation in the chat, and stream it; with `stream: false` wait for the finished message."""
    html = _wants_html(request)
    body = await in_thread(read_body, request)
    held: Claim | StoredAnswer | None = None
    if HEADER in request.headers:
        held = await in_thread(_claim, request)
    if isinstance(held, StoredAnswer):
        return await _answer_again(json.loads(held.body)["generation"], body, html=html)
    if held is None:
        stream = await _begin(request, chat, body, None)
    else:
        with held:
            try:
                stream = await _begin(request, chat, body, held)
            except BaseException:
                # What is not begun may be sent again under its key.
                await in_thread(release, held)
                raise
    if body.get("stream") is False:
        async for _ in stream.read():
            pass
        return json_response(await in_thread(describe_run, stream.uid))
    return _stream(stream.read(html=html), stream.uid)


async def _begin(request: Request, chat: str, body: JSONObject, claim: Claim | None) -> Stream:
    asked = Begin(
        await in_thread(origin_of, request),
        _decode(chat),
        body.get("message"),
        body.get("modelId"),
        body.get("replaces"),
        body["parameters"],
        body.get("shareContext", False),
        claim,
    )
    try:
        return await get_engine().begin(asked)
    except UnknownModel as error:
        raise at("/modelId", str(error), "unknown") from error
    except NotCallable as error:
        raise Conflict(str(error), "model-not-callable") from error
    except DatabaseError as error:
        if "full" not in str(error):
            raise
        detail = "The disk is full: the message cannot be stored, and was not sent. Make room, and send it again."
        raise Problem(507, detail, kind="disk-full") from error


def _claim(request: Request) -> Claim | StoredAnswer:
    digest = digest_request(str(request.method), request.get_full_path(), canonical(request.data))
    return claim_key(request.user.pk, request.headers[HEADER], digest)


async def _answer_again(uid: str, body: JSONObject, *, html: bool) -> HttpResponseBase:
    """Return the answer to a generate that was sent before: the same generation."""
    await in_thread(find_run, uid)
    stream = get_engine().streams.get(uid)
    if body.get("stream") is False:
        if stream is not None:
            async for _ in stream.read():
                pass
        answer: Any = json_response(await in_thread(describe_run, uid))
    else:
        answer = _stream(replay(uid, 0, html=html) if stream is None else stream.read(html=html), uid)
    answer.headers[REPLAYED] = "true"
    return answer


@api_view("GET")
async def generation(request: Request, id: str) -> HttpResponseBase:
    """Where the generation stands, and its message."""
    check_parameters(request, ())
    return json_response(await in_thread(describe_run, id), headers={"Cache-Control": "no-store"})


@api_view("GET")
async def events(request: Request, id: str) -> HttpResponseBase:
    """Join the generation's events, from the beginning or from `Last-Event-ID` on."""
    html = _wants_html(request)
    given = request.headers.get("Last-Event-ID", "")
    is_known = given == "" or (given.isascii() and given.isdigit() and len(given) < 16)
    after = int(given or 0) if is_known else 0
    stream = get_engine().streams.get(id)
    if stream is None:
        await in_thread(find_run, id)
        return _stream(replay(id, after, html=html) if is_known else reset(id, 1), id)
    if not is_known or after > len(stream.frames):
        return _stream(_reset_and_follow(stream, html=html), id)
    return _stream(stream.read(after, html=html), id)


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


@api_view("POST")
async def stop(request: Request, id: str) -> HttpResponseBase:
    """End the generation's call; the text that came is kept."""
    check_parameters(request, ())
    await in_thread(_request_stop, id)
    get_engine().stop(id)
    return json_response(await in_thread(describe_run, id), 202)


def _request_stop(uid: str) -> None:
    row = find_run(uid)
    if row.status == Generation.Status.RUNNING and is_abandoned(row):
        close_abandoned(row)
    Generation.objects.filter(uid=uid, status=Generation.Status.RUNNING).update(stop_requested=True)


def _stream(content: AsyncGenerator[bytes, None], uid: str) -> StreamingHttpResponse:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Location": href("generations", uid)}
    return StreamingHttpResponse(content, content_type="text/event-stream; charset=utf-8", headers=headers)


def _wants_html(request: Request) -> bool:
    check_parameters(request, ("html",))
    word = request.query_params.get("html", "false")
    if word not in ("1", "0", "true", "false"):
        raise bad_parameter("html", "html is one of: true, false.")
    return word in ("1", "true")


def _decode(segment: str) -> str:
    try:
        return decode_id(segment)
    except UnknownId as error:
        raise NotFound("There is no such chat.") from error
