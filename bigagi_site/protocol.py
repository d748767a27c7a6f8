"""HTTP/1.1 by uvicorn, with limits on what stands before a body, and a close that does not cost the client its answer.

uvicorn keeps headers of any size and number, httptools a single one of any length; both wait for ever for a client that
stops in the middle; and a connection that is closed while its client still sends is reset, so that the client never
sees why.
"""

import asyncio
import sys
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from bigagi_site.refusals import build_refusal

MAX_HEAD = 64 * 1024
"""Bytes of a request's address and headers, trailers with them."""

MAX_HEADERS = 200
LINGER_SECONDS = 30
"""How long what a client still sends is read and dropped, once it has its answer and the connection is to close."""

WAIT_SECONDS = 60
"""How long a client may take for a request's address and headers, and pause in its body."""
LOOK_SECONDS = 15

MOST_CONNECTIONS = 500
"""Open at once."""

_TOO_LONG = f"The address must have at most {MAX_HEAD // 1024} kB."
_TOO_MUCH = (
    f"A request must have at most {MAX_HEADERS} headers and {MAX_HEAD // 1024} kB of them. "
    "In a browser, delete the cookies of this site and sign in again."
)

_NO_HTTP = "The request is not valid HTTP/1.1."


def most_connections() -> int:
    """Return how many connections may be open. Each takes one of the files that the system lets this process open, with
    a long body two, and the database needs some too."""
    if sys.platform == "win32":
        return MOST_CONNECTIONS
    import resource

    return min(MOST_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 3)


class LimitedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._size = 0
        self._count = 0
        self._unparsed = 0
        """Bytes since the parser last told the begin of a message, the end of its headers or a piece of its body: at
        most so many wait in the parser."""
        self._refusal: tuple[int, str] | None = None
        self._is_ending = False
        self._waits_since: float | None = None
        """Since when the client has to send; None: an answer is due, or nothing."""
        self._heard_at = 0.0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._waits_since = self._heard_at = self.loop.time()
        self._look_later()
        if len(self.connections) > most_connections():
            self._make_room()

    def data_received(self, data: bytes) -> None:
        if self._refusal:
            return
        self._heard_at = self.loop.time()
        self._unparsed += len(data)
        super().data_received(data)
        if self._unparsed > MAX_HEAD and self._refusal is None:
            self._refusal = (431, _TOO_MUCH)
        if self._refusal:
            self._refuse()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._refusal and not self.transport.is_closing():
            self._refuse()

    def linger(self) -> None:
        """Close the connection once the client has ended, or had time to."""
        self._is_ending = True
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def _make_room(self) -> None:
        """Close the connection that has been silent for longest, of those that no answer is due to: who opens many
        keeps nobody out."""
        connections: Any = self.connections
        quiet = [one for one in connections if one._is_quiet()]
        min(quiet, key=lambda one: one._heard_at, default=self).transport.close()

    def _is_quiet(self) -> bool:
        """Tell whether it is for the client to send something: no answer is due, and no view reads slowly."""
        is_answering = self.cycle is not None and not (self.cycle.response_complete or self.cycle.more_body)
        return not (is_answering or self.flow.read_paused)

    def _look_later(self) -> None:
        self.loop.call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        if self.transport.is_closing():
            return
        if self._waits_since is not None and not self._is_quiet():
            self._waits_since = self.loop.time()
        if self._waits_since is not None and self.loop.time() - self._waits_since >= WAIT_SECONDS:
            self.transport.close()
        else:
            self._look_later()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP; `msg` is uvicorn's."""
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self._write_refusal(400, _NO_HTTP)
        self.transport.close()

    def _refuse(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            # The answers to earlier requests come first; but one that waits for a body which ended in such headers
            # would wait for ever.
            if self.cycle.more_body:
                self.transport.close()
            return
        self._write_refusal(*(self._refusal or (431, _TOO_MUCH)))
        self.linger()

    def _write_refusal(self, status: int, detail: str) -> None:
        # Blank lines without end come before any message.
        path = getattr(self, "url", b"").partition(b"?")[0].decode("latin-1")
        headers, body = build_refusal(path, "", status, detail)
        lines = [*self.server_state.default_headers, *headers, (b"connection", b"close")]
        head = STATUS_LINE[status] + b"".join(name + b": " + value + b"\r\n" for name, value in lines)
        self.transport.write(head + b"\r\n" + body)

    # --- what the parser tells ---

    def on_message_begin(self) -> None:
        self._size = self._count = self._unparsed = 0
        self._waits_since = self.loop.time()
        if not self._is_over():
            super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._size += len(url)
        if not self._is_over():
            # Its beginning tells which answer is understood.
            super().on_url(url[:MAX_HEAD])
        if self._size > MAX_HEAD:
            self._refusal = self._refusal or (414, _TOO_LONG)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count += 1
        self._size += len(name) + len(value) + len(": \r\n")
        if self._count > MAX_HEADERS or self._size > MAX_HEAD:
            self._refusal = self._refusal or (431, _TOO_MUCH)
        if not self._is_over():
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._unparsed = 0
        self._waits_since = self.loop.time()
        if not self._is_over():
            super().on_headers_complete()
            # Its task has not begun yet.
            self.cycle.transport = _LingeringTransport(self, self.transport)

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        self._waits_since = self.loop.time()
        if not self._is_over():
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._unparsed = 0
        self._waits_since = None
        if self._is_ending:
            self.transport.close()
        elif not self._is_over():
            super().on_message_complete()

    def _is_over(self) -> bool:
        return self._is_ending or self._refusal is not None


class _LingeringTransport(asyncio.Transport):
    """The transport as an answer uses it: closed under a client that still sends its body, it lingers."""

    def __init__(self, protocol: LimitedProtocol, transport: asyncio.Transport) -> None:
        super().__init__()
        self._protocol = protocol
        self._transport = transport

    def write(self, data: Any) -> None:
        # uvicorn notes for the last of several requests at once that its client has left.
        if not self.is_closing():
            self._transport.write(data)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        cycle = self._protocol.cycle
        if cycle.response_complete and cycle.more_body and not self.is_closing():
            self._protocol.linger()
        else:
            self._transport.close()
