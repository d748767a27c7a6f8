"""HTTP/1.1 by uvicorn, with limits on what stands before a body, and a close that does not cost the client its answer.

uvicorn keeps headers of any size and number, httptools a single one of any length; and a connection that is closed
while its client still sends is reset, so that the client never sees why.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from bigagi_site.refusals import build_refusal

MAX_HEAD = 64 * 1024
"""Bytes of a request's address and headers, trailers with them."""

MAX_HEADERS = 200
LINGER_SECONDS = 30
"""How long what a client still sends is read and dropped, once it has its answer and the connection is to close."""

_TOO_LONG = f"The address must have at most {MAX_HEAD // 1024} kB."
_TOO_MUCH = (
    f"A request must have at most {MAX_HEADERS} headers and {MAX_HEAD // 1024} kB of them. "
    "In a browser, delete the cookies of this site and sign in again."
)


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

    def data_received(self, data: bytes) -> None:
        if self._refusal:
            return
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

    def _refuse(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            # The answers to earlier requests come first; but one that waits for a body which ended in such headers
            # would wait for ever.
            if self.cycle.more_body:
                self.transport.close()
            return
        status, detail = self._refusal or (431, _TOO_MUCH)
        # Blank lines without end come before any message.
        path = getattr(self, "url", b"").partition(b"?")[0].decode("latin-1")
        headers, body = build_refusal(path, "", status, detail)
        lines = [*self.server_state.default_headers, *headers, (b"connection", b"close")]
        head = STATUS_LINE[status] + b"".join(name + b": " + value + b"\r\n" for name, value in lines)
        self.transport.write(head + b"\r\n" + body)
        self.linger()

    # --- what the parser tells ---

    def on_message_begin(self) -> None:
        self._size = self._count = self._unparsed = 0
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
        if not self._is_over():
            super().on_headers_complete()
            # Its task has not begun yet.
            self.cycle.transport = _LingeringTransport(self, self.transport)

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        if not self._is_over():
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._unparsed = 0
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
        self._transport.write(data)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        cycle = self._protocol.cycle
        if cycle.response_complete and cycle.more_body and not self.is_closing():
            self._protocol.linger()
        else:
            self._transport.close()
