"""The site behind a proxy that ends TLS."""

import re

import pytest

from tests.servers import Client, run_server

PROXIED = {"X-Forwarded-Proto": "https", "Host": "chats.example"}


@pytest.fixture
def server(started):
    variables = {"BIGAGI_HTTPS": "1", "BIGAGI_ALLOWED_HOSTS": "chats.example"}
    with run_server(started | variables) as running:
        yield running


def test_it_redirects_locks_and_signs_in(server):
    assert server.link.startswith("https://chats.example/sign-in?link=")
    client = Client(_local_url(server))

    plain = client.get("/account", headers={"Host": "chats.example"})
    assert (plain.status, plain.headers["Location"]) == (301, "https://chats.example/account")
    assert client.get("/api/health", headers={"Host": "chats.example"}).status == 200

    answer = client.get(server.link.removeprefix("https://chats.example"), headers=PROXIED)
    assert answer.status == 302
    cookies = {text.partition("=")[0]: text for text in answer.headers.get_all("Set-Cookie")}
    assert "; Secure" in cookies["bigagi_session"]
    assert "; Secure" in cookies["bigagi_csrf"]
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"

    session, token = (cookies[name].partition(";")[0] for name in ("bigagi_session", "bigagi_csrf"))
    assert client.get("/account", headers=PROXIED | {"Cookie": session}).status == 200
    form = {"new_password1": "staple tractor window", "new_password2": "staple tractor window"}
    sent = PROXIED | {"Cookie": f"{session}; {token}", "X-CSRFToken": token.partition("=")[2]}
    assert client.post("/account", form, headers=sent | {"Origin": "https://evil.example"}).status == 403
    assert client.post("/account", form, headers=sent | {"Origin": "https://chats.example"}).status == 302


def _local_url(server):
    port = re.search(r"Listens:  127\.0\.0\.1, port (\d+)", "".join(server.output))
    return f"http://127.0.0.1:{port[1]}"
