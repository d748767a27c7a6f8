"""Security headers of pages, static files and errors, over HTTP."""

import re

import pytest

from tests.servers import Client

STRICT = {
    "script-src": "'self'",
    "style-src": "'self'",
    "default-src": "'self'",
    "img-src": "'self' data: blob:",
    "connect-src": "'self'",
    "object-src": "'none'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
}


def read_policy(answer):
    directives = (part.strip().partition(" ") for part in answer.headers["Content-Security-Policy"].split(";"))
    return {name: values for name, _, values in directives}


@pytest.mark.parametrize("path", ["/", "/import", "/account", "/nowhere", "/api/health", "/static/bigagi/site.css"])
def test_everything_has_the_strict_policy(server, path):
    answer = server.sign_in().get(path)
    assert STRICT.items() <= read_policy(answer).items()
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_only_the_admin_may_evaluate(server):
    answer = server.sign_in().get("/admin/")
    assert answer.status == 200
    policy = read_policy(answer)
    assert policy["script-src"] == "'self' 'unsafe-eval'"
    assert policy["style-src"] == "'self' 'unsafe-inline'"
    assert policy["connect-src"] == "'self'"


@pytest.mark.parametrize("path", ["/", "/import", "/account", "/sqlite-test", "/sign-in", "/admin/", "/api/docs"])
def test_no_page_names_another_host_or_runs_inline_scripts(server, path):
    text = server.sign_in().get(path, follow=True).text
    assert re.findall(r"<script(?![^>]*\b(?:src=|type=\"application/json\"))", text) == []
    assert re.findall(r"\bon[a-z]+=\"", text) == []
    assert re.findall(r"(?:src|href|action)=\"(?:https?:)?//[^\"]*", text) == []


def test_cookies_are_closed_to_scripts_and_other_sites(server):
    server.sign_in()
    cookie = next(cookie for cookie in server.sign_in().cookies if cookie.name == "bigagi_session")
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "Lax"


def test_the_icon_is_found_where_browsers_look(server):
    answer = Client(server.url).get("/favicon.ico", follow=True)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "image/svg+xml")


def test_static_files_need_no_sign_in_and_no_collecting(server):
    answer = Client(server.url).get("/static/bigagi/colors.css")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/css")
    assert "--accent" in answer.text
