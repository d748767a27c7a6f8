"""Which routes may wait, and what no route can read."""

import http.client
import inspect
import json
import re
from urllib.parse import urlsplit

import pytest
from django.urls import URLPattern, get_resolver, resolve

from bigagi_site.routes import WAITING_ROUTES, is_waiting_path
from stores.api.viewsets import UnknownRouteView
from tests.servers import Client


def list_views():
    def walk(patterns, prefix=""):
        for pattern in patterns:
            path = prefix + str(pattern.pattern)
            if isinstance(pattern, URLPattern):
                yield path, pattern.callback
            else:
                yield from walk(pattern.url_patterns, path)

    return list(walk(get_resolver().url_patterns))


def example_path(pattern):
    path = re.sub(r"\(\?P<[^>]+>(?:[^()]|\([^()]*\))*\)|<[^>]+>", "x", pattern)
    return "/" + re.sub(r"[\^$\\]|/\?", "", path)


def is_async(view):
    view_class = getattr(view, "view_class", None) or getattr(view, "cls", None)
    is_coroutine = inspect.iscoroutinefunction(view) or bool(getattr(view_class, "view_is_async", False))
    return is_coroutine or getattr(view, "initkwargs", {}).get("waits", getattr(view_class, "waits", False))


def test_the_list_names_all_views_that_wait():
    views = list_views()
    assert any(is_async(view) for _, view in views)
    missing = [pattern for pattern, view in views if is_async(view) and not is_waiting_path(example_path(pattern))]
    assert missing == []


def list_paths(route):
    """Return a path for each alternative of a route's pattern."""
    # Some ids are numbers.
    path = route.replace("[^/]+", "1")
    before, opened, rest = path.partition("(?:")
    if not opened:
        return [path]
    alternatives, _, after = rest.partition(")")
    return [before + alternative + after for alternative in alternatives.split("|")]


@pytest.mark.parametrize("path", [path for route in WAITING_ROUTES for path in list_paths(route)])
@pytest.mark.parametrize("slash", ["", "/"])
def test_listed_routes_take_a_body_in_chunks(server, path, slash):
    view = resolve(path).func
    assert getattr(view, "cls", None) is not UnknownRouteView, "the list names a route that is gone"
    assert send_chunked(server, path + slash, method="GET").status in (200, 401, 404)


@pytest.mark.parametrize(("path", "kind"), [("/sign-in", "text/plain"), ("/api/chats", "application/problem+json")])
def test_other_routes_refuse_a_body_without_length(server, path, kind):
    answer = send_chunked(server, path, headers={"X-Request-ID": "mine-1"})
    body = answer.read().decode()
    assert answer.status == 411
    assert answer.headers["Content-Type"].startswith(kind)
    assert "Content-Length" in body
    if "json" in kind:
        problem = json.loads(body)
        assert (problem["status"], problem["instance"]) == (411, path)
        assert problem["type"].endswith("#length-required")
        assert problem["request_id"] == answer.headers["X-Request-ID"] == "mine-1"
    assert Client(server.url).get("/api/health").status == 200


def send_chunked(server, path, *, method="POST", headers=None):
    address = urlsplit(server.url)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    connection.request(method, path, body=iter([b"a=1", b"&b=2"]), headers=headers or {}, encode_chunked=True)
    return connection.getresponse()


def test_a_form_arrives_whole(server):
    answer = server.sign_in().post("/account", {"new_password1": "x" * 100_000, "new_password2": "y"})
    assert answer.status == 200
    assert "error" in answer.text


@pytest.mark.parametrize("path", ["/", "/account", "/admin/", "/static/bigagi/site.css", "/api/health"])
def test_head_answers_without_a_body(server, path):
    answer = server.sign_in().request("HEAD", path)
    assert (answer.status, answer.body) == (200, b"")
