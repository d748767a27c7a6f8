"""A fake provider on loopback that speaks OpenAI's protocol: tests say what it answers, and see what it was asked.

`FakeProvider` is the whole of what a good provider does. Faulty ones override `answer`, or put functions into `queue`,
which write whatever bytes they want.
"""

import json
import ssl
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ANSWERS = Path(__file__).parent
"""Answers of real providers, as `tests/llms/test_provider_answers.py` describes their files."""

MODEL = {"id": "good-model", "object": "model", "created": 1_700_000_000}
KEY = "sk-Provider0123456789abcdefGOOD"
USAGE = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}


@dataclass
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


Answer = Callable[["Handler"], None]
"""Writes the answer to one request."""


@dataclass
class FakeProvider:
    """A provider with one key. `models` is what it lists, `words` what it answers, `queue` answers that come before."""

    url: str = ""
    key: str = KEY
    models: list[Any] = field(default_factory=lambda: [dict(MODEL)])
    words: list[str] = field(default_factory=lambda: ["All ", "is ", "well."])
    usage: Any = field(default_factory=lambda: dict(USAGE))
    asked: list[Asked] = field(default_factory=list)
    queue: deque[Answer] = field(default_factory=deque)

    def answer(self, handler: "Handler") -> None:
        """Answer a request. Called in a thread of its own."""
        if self.queue:
            self.queue.popleft()(handler)
        elif handler.headers.get("Authorization") != f"Bearer {self.key}":
            handler.send_json({"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}, 401)
        elif handler.path.split("?")[0].endswith("/models"):
            handler.send_json({"object": "list", "data": self.models})
        elif handler.path.endswith("/chat/completions"):
            handler.begin_stream()
            for chunk in self.chunks():
                handler.send_event(chunk)
            handler.send_bytes(b"data: [DONE]\n\n")
        else:
            handler.send_json({"error": {"message": "no such route"}}, 404)

    def chunks(self) -> Iterator[dict[str, Any]]:
        """Yield the chunks of an answer."""
        yield self.chunk({"role": "assistant", "content": ""})
        for word in self.words:
            yield self.chunk({"content": word})
        yield self.chunk({}, finish_reason="stop")
        if self.usage is not None:
            yield {"id": "c", "object": "chat.completion.chunk", "choices": [], "usage": self.usage}

    def chunk(self, delta: dict[str, Any], **choice: Any) -> dict[str, Any]:
        """Return one chunk with this delta."""
        choice = {"index": 0, "delta": delta, "finish_reason": None} | choice
        return {"id": "c", "object": "chat.completion.chunk", "model": "good-model", "choices": [choice]}

    def replay(self, sent: bytes) -> None:
        """Answer the next request with these bytes, head and body."""

        def send(handler: "Handler") -> None:
            handler.send_bytes(sent)
            handler.close_connection = True

        self.queue.append(send)

    def setup(self, **members: Any) -> dict[str, Any]:
        """Return the setup of an OpenAI service that leads here."""
        return {"oaiKey": self.key, "oaiHost": self.url} | members


class Handler(BaseHTTPRequestHandler):
    """One request. The connection ends with its answer, so that a body needs no length."""

    provider: FakeProvider

    def do_GET(self) -> None:
        self._take(None)

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        self._take(json.loads(self.rfile.read(size) or b"null"))

    def _take(self, body: Any) -> None:
        self.provider.asked.append(Asked(self.command, self.path, dict(self.headers), body))
        try:
            self.provider.answer(self)
        except (BrokenPipeError, ConnectionResetError):
            # The reader left.
            self.close_connection = True

    def send_json(self, value: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Send a whole answer."""
        content = json.dumps(value).encode()
        self.send_whole(content, status, {"Content-Type": "application/json"} | (headers or {}))

    def send_whole(self, content: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
        """Send bytes as a whole answer."""
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | (headers or {})).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def begin_stream(self, status: int = 200) -> None:
        """Begin an answer of events."""
        self.send_response(status)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.flush()

    def send_event(self, value: Any) -> None:
        """Send one event of a stream."""
        self.send_bytes(f"data: {json.dumps(value)}\n\n".encode())

    def send_bytes(self, content: bytes) -> None:
        """Send these bytes now."""
        self.wfile.write(content)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def load_answer(name: str) -> tuple[dict[str, Any], bytes]:
    """Return what is expected of an answer in a file, and the answer with its head as it is sent."""
    comment, _, answer = (ANSWERS / f"{name}.sse").read_text(encoding="utf-8").partition("\n")
    head, _, body = answer.partition("\n\n")
    head = f"{head}\nConnection: close\n\n".replace("\n", "\r\n")
    return json.loads(comment.removeprefix("# ")), f"{head}{body}".encode()


@contextmanager
def run_provider(provider: FakeProvider | None = None, *, certificate: str = "") -> Iterator[FakeProvider]:
    """Serve the provider on a port of its own, and end it. With a certificate (a PEM file with its key) over TLS."""
    provider = provider or FakeProvider()
    handler = type("ProviderHandler", (Handler,), {"provider": provider})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    provider.url = f"http{'s' if certificate else ''}://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        server.server_close()
