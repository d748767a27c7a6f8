"""Each route of the API through the real server: whatever is sent, no failure, and one shape of errors."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from bigagi_site.routes import is_upload, is_waiting_path
from tests.api import make_message
from tests.nightly import by_day
from tests.routes import WRITING, Route, api_routes
from tests.servers import Server

pytestmark = pytest.mark.exhaustive

ROUTES = sorted(api_routes(), key=str)
BODIES: list[tuple[bytes, str]] = [
    (b"{}", "application/json"),
    (b"[]", "application/json"),
    (b"", "application/json"),
    (b"\xff{", "application/json"),
    (b'{"_server": null, "id": 5, "messages": 5, "state": null}', "application/merge-patch+json"),
    (b"<x/>", "text/xml"),
    (b"a=b", "application/x-www-form-urlencoded"),
    (b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--x--\r\n', "multipart/form-data; boundary=x"),
]
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SEED: list[tuple[str, str, Any]] = [
    ("POST", "chats", {"id": "one", "messages": [make_message("m0")]}),
    ("POST", "folders", {"id": "one", "title": "Work", "conversationIds": ["one"]}),
    ("POST", "personas", {"id": "one", "systemPrompt": "Be kind."}),
    ("POST", "services", {"id": "one", "label": "One", "vId": "openai", "setup": {}}),
    ("POST", "llms", {"llms": [{"id": "one", "label": "One", "sId": "one", "vId": "openai", "hidden": False}]}),
    ("PUT", "assignments/one", {"mct": "model-parametric", "domainId": "one", "modelId": "one"}),
    ("POST", "stores", {"name": "one", "state": {}, "version": 1}),
    ("PUT", "stores/one", {"state": {"changed": True}, "version": 1}),
    ("POST", "assets", {"id": "one", "assetType": "image", "data": {"mimeType": "image/png", "base64": PNG}}),
    ("POST", "files", {"id": "one", "name": "notes.txt", "content": "Hello"}),
    ("PUT", "workspace/one/files/one", {}),
    ("POST", "metrics", {"model": "one"}),
]
MEMBERS = {"type", "title", "status", "detail", "instance", "request_id", "errors"}


@pytest.fixture(scope="module")
def token(server: Server) -> str:
    made = server.manage("create_token", "walk")
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


class Sender:
    """Sends bytes over one connection with a token, and checks what holds for every answer."""

    def __init__(self, server: Server, token: str) -> None:
        address = urlsplit(server.url)
        self.connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=60)
        self.token = token

    def send(
        self, method: str, path: str, body: Any = None, content_type: str = "application/json", **kwargs: Any
    ) -> int:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": content_type}
        self.connection.request(method, path, body, headers, **kwargs)
        answer = self.connection.getresponse()
        content = answer.read()
        said = f"{method} {path} {body!r}: {answer.status} {content[:500]!r}"
        assert answer.status < 500, said
        assert answer.headers["X-Request-ID"], said
        if answer.status >= 400:
            assert answer.headers["Content-Type"] == "application/problem+json", said
            if method != "HEAD":
                problem = json.loads(content)
                assert problem.keys() >= MEMBERS, said
                assert problem["status"] == answer.status
                assert problem["type"].startswith("/api/docs/troubleshooting#")
                assert problem["request_id"] == answer.headers["X-Request-ID"]
        return answer.status


@pytest.fixture(scope="module")
def sender(server: Server, token: str) -> Sender:
    return Sender(server, token)


@pytest.fixture(scope="module")
def seed(sender: Sender) -> None:
    """Make one record of each kind that the walk names, where it is no longer here."""
    fill(sender)


def fill(sender: Sender) -> None:
    for method, kind, body in SEED:
        assert sender.send(method, f"/api/{kind}", json.dumps(body).encode()) in (200, 201, 409)


@pytest.mark.usefixtures("seed")
@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_each_route_is_read(sender: Sender, route: Route) -> None:
    # There is no run yet.
    runs = ("/api/migrations/", "/api/generations/")
    is_here = route.methods is not None and "GET" in route.methods and not route.path.startswith(runs)
    for path in (route.path, f"{route.path}/", f"{route.path}?nonsense=1"):
        status = sender.send("GET", path)
        if is_here and path == route.path:
            assert status == 200
        assert sender.send("HEAD", path) == status
        sender.send("OPTIONS", path)


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_each_route_is_written(sender: Sender, route: Route) -> None:
    for method in WRITING:
        if method in route.writing:
            fill(sender)
            for body, content_type in by_day(BODIES, each=2, start=ROUTES.index(route)):
                sender.send(method, route.path, body, content_type)
        else:
            # What no route takes is not there, whatever the method.
            assert sender.send(method, route.path, b"{}") in (404, 405)


@pytest.mark.parametrize("route", by_day(ROUTES, each=3), ids=str)
def test_a_body_in_chunks_is_read_or_refused(sender: Sender, route: Route) -> None:
    for method in ("GET", "POST", "PUT", "PATCH"):
        status = sender.send(method, route.path, iter([b'{"title', b'": "x"}']), encode_chunked=True)
        if not (is_waiting_path(route.path) or is_upload(method, route.path)):
            assert status == 411
    # The connection has not come out of step.
    assert sender.send("GET", "/api/chats") == 200


def test_nothing_was_logged_as_a_failure(server: Server) -> None:
    text = "".join(server.output)
    assert "Traceback" not in text
    assert "locked" not in text
