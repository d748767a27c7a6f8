"""What a request may bring before a view sees it, and that its client learns why it was refused."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from urllib.parse import urlsplit

import pytest

from bigagi_site.protocol import MAX_HEAD, MAX_HEADERS
from stores.api.parsers import MAX_BODY
from tests.servers import Server

MIB = 2**20
PIECE = b"%x\r\n" % MIB + b" " * MIB + b"\r\n"


@contextmanager
def connect(server: Server) -> Iterator[socket.socket]:
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        yield connection


def head(server: Server, method: str, path: str, *lines: str, **headers: str) -> bytes:
    """Return the head of a signed-in request."""
    client = server.sign_in()
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies)
    own = [f"Host: {urlsplit(server.url).netloc}", f"Cookie: {cookies}", f"Origin: {server.url}"]
    own += [f"X-CSRFToken: {client.cookie('bigagi_csrf')}", "Content-Type: application/json"]
    own += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *own, *lines, "", ""]).encode()


def read_answer(connection: socket.socket) -> tuple[int, bytes]:
    """Return status and body of the next answer, which has a length."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += receive(connection)
    start, _, body = received.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in start.split(b"\r\n")[1:])
    while len(body) < int(fields[b"content-length"]):
        body += receive(connection)
    return int(start.split()[1]), body


def receive(connection: socket.socket) -> bytes:
    piece = connection.recv(2**16)
    assert piece, "the connection ended before the answer did"
    return piece


def check_refused(connection: socket.socket, status: int, kind: str) -> None:
    answered, body = read_answer(connection)
    problem = json.loads(body)
    assert (answered, problem["status"]) == (status, status)
    assert problem["type"].endswith(f"#{kind}")
    assert connection.recv(1) == b"", "the connection is closed for who breaks the rules"


def test_headers_up_to_the_limits_pass(server: Server):
    with connect(server) as connection:
        given = head(server, "GET", "/api/folders")
        more = [f"X-{number}: x" for number in range(MAX_HEADERS - given.count(b"\r\n") + 2)]
        connection.sendall(head(server, "GET", "/api/folders", *more))
        assert read_answer(connection)[0] == 200
        connection.sendall(head(server, "GET", "/api/folders", Long="x" * (MAX_HEAD - 2 * len(given))))
        assert read_answer(connection)[0] == 200
        connection.sendall(head(server, "GET", "/api/folders", *more, "One: more"))
        check_refused(connection, 431, "headers-too-large")


@pytest.mark.parametrize("ending", ["", "\r\n\r\n"])
@pytest.mark.parametrize(
    ("start", "status", "kind"),
    [
        ("GET /api/folders HTTP/1.1\r\nHost: x\r\nLong: ", 431, "headers-too-large"),
        ("GET /api/folders HTTP/1.1\r\nHost: x\r\nLong", 431, "headers-too-large"),
        ("GET /api/folders?x=", 414, "address-too-long"),
    ],
)
def test_headers_are_refused_before_they_have_come_to_their_end(server: Server, start, status, kind, ending):
    with connect(server) as connection:
        # More than the server reads at once, which it has to read to know.
        connection.sendall(start.encode() + b"x" * 10 * MAX_HEAD + ending.encode())
        check_refused(connection, status, kind)


def test_on_pages_the_words_alone_are_answered(server: Server):
    with connect(server) as connection:
        connection.sendall(b"GET /sign-in HTTP/1.1\r\nHost: x\r\nCookie: " + b"x" * MAX_HEAD + b"\r\n\r\n")
        status, body = read_answer(connection)
        assert (status, body[:35]) == (431, b"A request must have at most 200 hea")
        assert b"delete the cookies" in body


def test_the_answers_to_earlier_requests_come_first(server: Server):
    with connect(server) as connection:
        first = head(server, "GET", "/api/folders")
        connection.sendall(first + first + head(server, "GET", "/api/folders", Long="x" * MAX_HEAD))
        received = b""
        while piece := connection.recv(2**16):
            received += piece
        assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"200", b"200", b"431"]


def test_headers_behind_a_body_count_too(server: Server):
    with connect(server) as connection:
        connection.sendall(head(server, "POST", "/api/test-ai", Transfer_Encoding="chunked"))
        connection.sendall(b"2\r\n{}\r\n0\r\nLong: " + b"x" * 10 * MAX_HEAD)
        with suppress(ConnectionResetError):
            assert connection.recv(1) == b""
    assert server.sign_in().get("/api/health").status == 200


@pytest.mark.parametrize("path", ["/api/chats/x/generate", "/api/test-ai"])
def test_a_chunked_body_that_is_too_long_is_refused_before_its_end(server: Server, path):
    with connect(server) as connection:
        connection.sendall(head(server, "POST", path, Transfer_Encoding="chunked"))
        connection.sendall(PIECE * (MAX_BODY // MIB + 1))
        status, body = read_answer(connection)
        assert status == 413 and b"at most 10 MiB" in body
        # What else comes is passed over, and the connection can be used again.
        connection.sendall(PIECE + b"0\r\n\r\n" + head(server, "GET", "/api/folders"))
        assert read_answer(connection)[0] == 200


@pytest.mark.parametrize("rest", [PIECE * 30 + b"0\r\n\r\n", PIECE * 30], ids=["ended", "broken off"])
def test_a_client_that_asks_to_close_gets_its_refusal_although_it_still_sends(server: Server, rest):
    with connect(server) as connection:
        connection.sendall(head(server, "POST", "/api/test-ai", Transfer_Encoding="chunked", Connection="close"))
        connection.sendall(rest)
        check_refused(connection, 413, "too-large")


@pytest.mark.parametrize(("path", "status"), [("/api/folders", 413), ("/api/assets", 413), ("/api/test-ai", 413)])
def test_so_does_one_that_tells_the_length(server: Server, path, status):
    length = 40 * MIB
    with connect(server) as connection:
        connection.sendall(head(server, "POST", path, Content_Length=str(length), Connection="close"))
        connection.sendall(b" " * length)
        check_refused(connection, status, "too-large")


def test_a_body_that_is_nested_too_deep_is_a_bad_request(server: Server):
    with connect(server) as connection:
        body = b"[" * MIB + b'"\\' * (MIB // 2)
        connection.sendall(head(server, "POST", "/api/folders", Content_Length=str(len(body))) + body)
        status, answer = read_answer(connection)
        assert status == 400 and "nested deeper than 200 levels" in json.loads(answer)["detail"]


def test_clients_that_never_end_their_bodies_hold_nobody_up(server: Server):
    """Strangers, with as many requests as the server has threads and more. A cookie of their own lets them in as far as
    to the form's check, which reads the body."""
    lines = [f"Host: {urlsplit(server.url).netloc}", f"Cookie: bigagi_csrf={'a' * 32}", "Content-Length: 100"]
    lines.append("Content-Type: application/x-www-form-urlencoded")
    with ExitStack() as held:
        for _ in range(40):
            connection = held.enter_context(connect(server))
            connection.sendall("\r\n".join(["POST /sign-in HTTP/1.1", *lines, "", "a"]).encode())
        assert server.sign_in().get("/account").status == 200


@pytest.mark.parametrize("size", [1000, 3 * MIB])
def test_a_body_that_is_cut_off_is_not_taken_for_a_whole_one(server: Server, size: int):
    client = server.sign_in()
    made = {"name": "notes.txt", "content": "All of it"}
    sent = {"Content-Type": "application/json"}
    path = client.post("/api/files", json.dumps(made).encode(), headers=sent).json()["_server"]["contentHref"]
    with connect(server) as connection:
        connection.sendall(head(server, "PUT", path, Content_Length=str(size)) + b"x" * (size - 1))
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""
    assert client.get(path).text == "All of it"
    assert client.request("PUT", path, b"y" * size, headers=sent).status == 200
    assert client.get(path).text == "y" * size


def test_a_form_that_is_too_long_is_refused_in_words(server: Server):
    with connect(server) as connection:
        connection.sendall(head(server, "POST", "/account", Content_Length=str(MAX_BODY + 1)) + b" " * (MAX_BODY + 1))
        assert read_answer(connection) == (413, b"A form must have at most 10 MiB.")


@pytest.mark.parametrize("path", ["/api/chats", "/api/generations/x/events", "/admin/chats/conversation/"])
def test_too_many_parameters_are_refused_in_words(server: Server, path: str):
    answer = server.sign_in().get(f"{path}?{'a=1&' * 1001}")
    assert answer.status == 400
    assert "at most 1000 parameters" in answer.text


def test_what_is_no_http_is_a_bad_request(server: Server):
    with connect(server) as connection:
        connection.sendall(head(server, "POST", "/api/chats", "Content-Length: 5", Transfer_Encoding="chunked"))
        check_refused(connection, 400, "bad-request")
