"""What connections may cost that stay silent."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import uvicorn

from bigagi_site import protocol

HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"


async def application(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(protocol, "WAIT_SECONDS", 0.3)
    monkeypatch.setattr(protocol, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(protocol, "MOST_CONNECTIONS", 3)
    config = uvicorn.Config(application, http=protocol.LimitedProtocol, lifespan="off", ws="none", log_config=None)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=asyncio.run, args=(server.serve([listener]),))
        thread.start()
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


def connect(port: int, held: ExitStack) -> socket.socket:
    return held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))


@pytest.mark.parametrize("sent", [b"", HEAD, HEAD + b"Content-Length: 9\r\n\r\n1"], ids=["nothing", "head", "body"])
def test_who_stops_in_the_middle_of_a_request_is_disconnected(port: int, sent: bytes):
    with ExitStack() as held:
        connection = connect(port, held)
        connection.sendall(sent)
        assert connection.recv(1) == b""


def test_who_has_an_answer_may_be_silent(port: int):
    with ExitStack() as held:
        connection, other = connect(port, held), connect(port, held)
        connection.sendall(HEAD + b"\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 204")
        # Closed later than the first would be.
        assert other.recv(1) == b""
        connection.sendall(HEAD + b"\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 204")


def test_many_connections_keep_nobody_out(port: int):
    with ExitStack() as held:
        silent = [connect(port, held) for _ in range(20)]
        connection = connect(port, held)
        connection.sendall(HEAD + b"\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 204")
        assert silent[0].recv(1) == b""
