"""A provider that fails in every way that providers fail: the model that is asked for names the way.

`FAULTS` has a function for each: it gets the open connection and writes, cuts or holds what it will.
"""

import json
import os
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from tests.providers import FakeProvider, Handler

KEY = "sk-test-Faulty0123456789abcdefghijkl"
HOLD_SECONDS = 20
"""How long a provider that says nothing keeps the connection: longer than any limit of the tests."""

WORDS = ["Some ", "text ", "that ", "came. "]
Fault = Callable[[Handler, FakeProvider], None]
FAULTS: dict[str, Fault] = {}


class FaultyProvider(FakeProvider):
    """Fails as the model says that it is asked for."""

    slow_words = 400
    """Words of the slow answer, fifty a second: more of them where another process must start meanwhile."""

    def answer(self, handler: Handler) -> None:
        body = self.asked[-1].body
        name = body.get("model") if isinstance(body, dict) else None
        if name in FAULTS:
            FAULTS[name](handler, self)
        else:
            super().answer(handler)


def fault(function: Fault) -> Fault:
    FAULTS[function.__name__.replace("_", "-")] = function
    return function


# --- pieces ----------------------------------------------------------------------------------------------------------


def begin(handler: Handler, provider: FakeProvider, words: list[str] = WORDS) -> None:
    handler.begin_stream()
    for word in words:
        handler.send_event(provider.chunk({"content": word}))


def end(handler: Handler, provider: FakeProvider, reason: str | None = "stop", usage: Any = None) -> None:
    handler.send_event(provider.chunk({}, finish_reason=reason))
    if usage is not None:
        handler.send_event({"choices": [], "usage": usage})
    handler.send_bytes(b"data: [DONE]\n\n")


def hold(handler: Handler) -> None:
    """Say nothing more until the other side leaves."""
    handler.connection.settimeout(HOLD_SECONDS)
    with suppress(OSError):
        handler.connection.recv(1)


def drop(handler: Handler) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def reset_connection(handler: Handler) -> None:
    # Closed without lingering, a connection is reset (RST), not ended (FIN).
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(handler.connection.detach())
    handler.close_connection = True


def chunked(handler: Handler) -> None:
    """Begin a stream whose end is told, so that one that is cut can be known."""
    handler.protocol_version = "HTTP/1.1"
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()


def send_chunk(handler: Handler, content: bytes) -> None:
    handler.send_bytes(f"{len(content):x}\r\n".encode() + content + b"\r\n")


def event(value: Any) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


def refuse(handler: Handler, status: int, message: str, headers: dict[str, str] | None = None, **members: Any) -> None:
    handler.send_json({"error": {"message": message, **members}}, status, headers)


# --- faults: refused -------------------------------------------------------------------------------------------------


@fault
def wrong_key(handler, provider):
    refuse(handler, 401, f"Incorrect API key provided: {provider.key}.", code="invalid_api_key")


@fault
def no_credit(handler, provider):
    refuse(handler, 429, "You exceeded your current quota, check your plan and billing.", code="insufficient_quota")


@fault
def model_gone(handler, provider):
    refuse(handler, 404, "The model does not exist.", code="model_not_found")


@fault
def rate_limited(handler, provider):
    refuse(handler, 429, "Rate limit reached.", {"Retry-After": "17"})


@fault
def server_error(handler, provider):
    refuse(handler, 500, "The server had an error.")


@fault
def overloaded(handler, provider):
    refuse(handler, 529, "Overloaded\u0000.")


@fault
def html_502(handler, provider):
    page = b"<html><head><title>502 Bad Gateway</title></head><body><script>alert(1)</script></body></html>"
    handler.send_whole(page, 502, {"Content-Type": "text/html"})


@fault
def html_200(handler, provider):
    handler.send_whole(b"<html><title>Welcome to this network</title></html>", 200, {"Content-Type": "text/html"})


@fault
def too_long(handler, provider):
    refuse(handler, 400, "This model's maximum context length is 8192 tokens.", code="context_length_exceeded")


@fault
def no_first_byte(handler, provider):
    hold(handler)


@fault
def dropped_at_once(handler, provider):
    drop(handler)


# --- faults: in the middle -------------------------------------------------------------------------------------------


@fault
def stalled(handler, provider):
    begin(handler, provider)
    hold(handler)


@fault
def silent_after_headers(handler, provider):
    handler.begin_stream()
    hold(handler)


@fault
def dropped(handler, provider):
    chunked(handler)
    for word in WORDS:
        send_chunk(handler, event(provider.chunk({"content": word})))
    drop(handler)


@fault
def reset(handler, provider):
    chunked(handler)
    for word in WORDS:
        send_chunk(handler, event(provider.chunk({"content": word})))
    # What was sent must have been read, or the reset takes it away.
    time.sleep(0.4)
    reset_connection(handler)


@fault
def malformed(handler, provider):
    begin(handler, provider)
    handler.send_bytes(b'data: {"choices": [{"delta": {"content": "cut\n\n')


@fault
def error_first(handler, provider):
    handler.begin_stream()
    handler.send_event({"error": {"message": f"No luck with {provider.key}.", "code": 503}})


@fault
def error_in_the_middle(handler, provider):
    begin(handler, provider)
    handler.send_event({"error": {"message": "The upstream broke.", "type": "server_error"}})


@fault
def no_finish(handler, provider):
    begin(handler, provider)


@fault
def endless(handler, provider):
    handler.begin_stream()
    while True:
        handler.send_event(provider.chunk({"content": "and so on " * 100}))


@fault
def endless_comments(handler, provider):
    begin(handler, provider)
    while True:
        handler.send_bytes(b": still thinking\n\n")
        time.sleep(0.05)


@fault
def endless_line(handler, provider):
    begin(handler, provider)
    handler.send_bytes(b"data: ")
    while True:
        handler.send_bytes(b"x" * 65536)


@fault
def empty(handler, provider):
    handler.begin_stream()
    end(handler, provider)


@fault
def filtered_whole(handler, provider):
    handler.begin_stream()
    end(handler, provider, "content_filter")


# --- odd, and well all the same --------------------------------------------------------------------------------------


@fault
def crlf_and_comments(handler, provider):
    handler.begin_stream()
    handler.send_bytes(b"\xef\xbb\xbf: hello\r\n\r\nevent: message\r\nretry: 5\r\n")
    for word in WORDS:
        handler.send_bytes(b": ping\r\n\r\n" + event(provider.chunk({"content": word})).replace(b"\n", b"\r\n"))
    handler.send_bytes(event(provider.chunk({}, finish_reason="stop")).replace(b"\n", b"\r\n"))
    handler.send_bytes(b"data: [DONE]\r\n\r\n")


@fault
def json_answer(handler, provider):
    choice = {"index": 0, "message": {"role": "assistant", "content": "".join(WORDS)}, "finish_reason": "stop"}
    handler.send_json({"id": "c", "choices": [choice], "usage": provider.usage})


@fault
def no_usage(handler, provider):
    begin(handler, provider)
    end(handler, provider)


@fault
def usage_in_every_chunk(handler, provider):
    handler.begin_stream()
    for count, word in enumerate(WORDS, 1):
        usage = {"prompt_tokens": 10, "completion_tokens": count, "total_tokens": 10 + count}
        handler.send_event(provider.chunk({"content": word}) | {"usage": usage})
    end(handler, provider)


@fault
def empty_choices(handler, provider):
    handler.begin_stream()
    handler.send_event({"choices": [], "prompt_filter_results": []})
    handler.send_event({"choices": None})
    for word in WORDS:
        handler.send_event({"choices": []})
        handler.send_event(provider.chunk({"content": word}))
    end(handler, provider, usage=provider.usage)


@fault
def null_content(handler, provider):
    handler.begin_stream()
    for word in WORDS:
        handler.send_event(provider.chunk({"role": "assistant", "content": None}))
        handler.send_event(provider.chunk({"content": word, "tool_calls": None, "reasoning": None}))
    end(handler, provider, usage=provider.usage)


@fault
def no_finish_but_done(handler, provider):
    begin(handler, provider)
    handler.send_bytes(b"data: [DONE]\n\n")


@fault
def no_done(handler, provider):
    begin(handler, provider)
    handler.send_event(provider.chunk({}, finish_reason="stop"))


@fault
def reset_after_the_end(handler, provider):
    chunked(handler)
    for word in WORDS:
        send_chunk(handler, event(provider.chunk({"content": word})))
    send_chunk(handler, event(provider.chunk({}, finish_reason="stop")))
    time.sleep(0.4)
    reset_connection(handler)


@fault
def length(handler, provider):
    begin(handler, provider)
    end(handler, provider, "length", provider.usage)


@fault
def content_filter(handler, provider):
    begin(handler, provider)
    end(handler, provider, "content_filter", provider.usage)


@fault
def multi_byte_cut(handler, provider):
    handler.begin_stream()
    content = b"".join(
        f'data: {{"choices":[{{"delta":{{"content":"{word}"}}}}]}}\n\n'.encode() for word in ("é🐈", "日本")
    )
    for at in range(0, len(content), 3):
        handler.send_bytes(content[at : at + 3])
        time.sleep(0.001)
    end(handler, provider)


@fault
def one_byte_a_packet(handler, provider):
    handler.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    handler.begin_stream()
    content = b"".join(event(provider.chunk({"content": word})) for word in WORDS)
    for at in range(len(content)):
        handler.send_bytes(content[at : at + 1])
    end(handler, provider)


@fault
def one_large_chunk(handler, provider):
    begin(handler, provider, ["x" * 2**20])
    end(handler, provider)


@fault
def nul_and_surrogates(handler, provider):
    handler.begin_stream()
    for text in ("a\x00b", "\ud83d", "\udc08", " \udfff alone", "\ud800"):
        handler.send_event(provider.chunk({"content": text}))
    end(handler, provider)


@fault
def markup(handler, provider):
    begin(handler, provider, ["<script>document.title='ran'</script>\n\n", "<img src=x onerror=alert(1)>\n\n", "end"])
    end(handler, provider)


@fault
def tells_a_key(handler, provider):
    begin(handler, provider, ["Your key is ", provider.key[:5], provider.key[5:20], provider.key[20:], ", keep it."])
    end(handler, provider)


@fault
def tools_and_reasoning(handler, provider):
    handler.begin_stream()
    handler.send_event(provider.chunk({"reasoning_content": "Let me "}))
    handler.send_event(provider.chunk({"reasoning_content": "look."}))
    call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": '{"a"'}}
    handler.send_event(provider.chunk({"tool_calls": [call]}))
    handler.send_event(provider.chunk({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]}))
    handler.send_event(provider.chunk({"content": "Found."}) | {"citations": ["https://example.org/a"]})
    end(handler, provider, "tool_calls", provider.usage)


@fault
def slow(handler, provider):
    handler.begin_stream()
    for number in range(provider.slow_words):
        handler.send_event(provider.chunk({"content": f"word{number} "}))
        time.sleep(0.02)
    end(handler, provider)
