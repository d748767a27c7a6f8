"""Who is let in: each route and each method of the site, found by a walk through the URL configuration."""

from inspect import iscoroutinefunction

import pytest
from django.contrib.auth.models import User
from django.test import Client

from bigagi_site.tokens import create_token
from stores.models import Change
from tests.api import read_problem, sign_in
from tests.nightly import IS_NIGHT, by_day
from tests.routes import WRITING, Route, all_routes

PUBLIC_API = {"/api/health"}
PUBLIC_PAGES = {"/sign-in", "/favicon.ico", "/admin/login/"}
METHODS = ("GET", "HEAD", "OPTIONS", *WRITING) if IS_NIGHT else ("GET", "HEAD", "OPTIONS", "POST", "DELETE")
API = [route for route in all_routes() if route.is_api and route.path not in PUBLIC_API]
PAGES = [route for route in all_routes() if not route.is_api and route.path not in PUBLIC_PAGES]
BAD_TOKEN = "Bearer 0123456789abcdef"

pytestmark = [pytest.mark.django_db, pytest.mark.exhaustive]


def call(client, method, path, **headers):
    return client.generic(method, path, b"{}", content_type="application/json", headers=headers)


def is_told(answer, method, status):
    """Check that the answer is a problem of this status, of which HEAD has no body."""
    if method == "HEAD":
        assert answer.status_code == status
        return {}
    return read_problem(answer, status)


def test_the_walk_finds_the_routes():
    paths = {route.path: route for route in all_routes()}
    assert {"/", "/account", "/admin/", "/api", "/api/chats/one/messages/m0", "/api/schema"} <= paths.keys()
    assert paths["/api/chats/one"].writing == ["PUT", "PATCH", "DELETE"]
    assert set(paths) >= PUBLIC_API | PUBLIC_PAGES
    assert len(API) > 40 and len(PAGES) > 50


@pytest.mark.parametrize("route", API, ids=str)
def test_a_stranger_is_refused(route: Route):
    for method in METHODS:
        answer = call(Client(enforce_csrf_checks=True), method, route.path)
        problem = is_told(answer, method, 401)
        assert answer["WWW-Authenticate"] == "Bearer"
        assert method == "HEAD" or problem["type"].endswith("#not-signed-in")


@pytest.mark.parametrize("route", by_day(API, each=3), ids=str)
def test_a_bad_token_is_refused_whoever_shows_it(route: Route):
    for client, methods in ((Client(), METHODS), (sign_in(), ("GET", "POST"))):
        for method in methods:
            is_told(call(client, method, route.path, Authorization=BAD_TOKEN), method, 401)


# Coroutines ask the database in threads of their own, which do not see a test's open transaction: they are asked
# through the real server (tests/chats/test_generation_streams.py).
@pytest.mark.parametrize("route", [route for route in API if not iscoroutinefunction(route.view)], ids=str)
def test_a_token_for_reading_does_not_write(route: Route):
    user = User.objects.create_user("reader", is_staff=True)
    _, text = create_token(user, "reading", is_read_only=True)
    for method in WRITING:
        problem = read_problem(call(Client(), method, route.path, Authorization=f"Bearer {text}"), 403)
        assert problem["type"].endswith("#read-only-token")
    if route.methods is None or "GET" in route.methods:
        answer = call(Client(), "GET", route.path, Authorization=f"Bearer {text}")
        assert answer.status_code not in (401, 403)
    assert not Change.objects.exists()


@pytest.mark.parametrize("route", API, ids=str)
def test_a_session_writes_with_its_csrf_token_alone(route: Route):
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_user("writer", is_staff=True))
    for method in WRITING:
        read_problem(call(client, method, route.path), 403)
    assert not Change.objects.exists()


@pytest.mark.parametrize("route", by_day(API, each=3, start=1), ids=str)
def test_who_may_not_see_all_sees_nothing(route: Route):
    client = sign_in(is_staff=False)
    for method in METHODS:
        is_told(call(client, method, route.path), method, 403)


@pytest.mark.parametrize("route", PAGES, ids=str)
def test_a_stranger_is_sent_to_sign_in(route: Route):
    for method in ("GET", "HEAD", "POST"):
        answer = call(Client(), method, route.path)
        assert answer.status_code == 302, f"{method}: {answer.status_code}"
        assert answer["Location"].startswith(("/sign-in?next=/", "/admin/login/?next=/"))


@pytest.mark.parametrize("path", sorted(PUBLIC_PAGES | PUBLIC_API | {"/static/bigagi/site.css"}))
def test_the_named_few_are_open(path: str):
    answer = Client().get(path)
    assert answer.status_code in (200, 301, 302), answer.status_code
    assert "next=" not in answer.get("Location", "")


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "bearer x", "BEARER a b", "Bearer \xe9", "Bearer " + "f" * 9999]
)
def test_no_header_of_a_token_is_taken_for_none(header: str):
    read_problem(sign_in().get("/api/chats", headers={"Authorization": header}), 401)


def test_a_proxys_own_authorization_is_passed_over():
    assert sign_in().get("/api/chats", headers={"Authorization": "Basic dTpw"}).status_code == 200
