"""Who guesses at the sign-in has to wait; others do not."""

import pytest

from bigagi_site.services import create_sign_in_link
from stores.api import throttles
from tests.bigagi_site.factories import make_owner

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    """Let two attempts fail in five minutes; return how time passes."""
    clock = {"now": 1000.0}
    for throttle in (throttles.PASSWORDS, throttles.LINKS):
        monkeypatch.setattr(throttle, "_limit", 2)
    monkeypatch.setattr(throttles.time, "monotonic", lambda: clock["now"])
    return clock


@pytest.fixture
def owner():
    return make_owner(password=PASSWORD)


def try_password(client, password, address="192.0.2.1"):
    return client.post("/sign-in", {"username": "owner", "password": password}, REMOTE_ADDR=address)


def try_link(client, link, address="192.0.2.1"):
    return client.get("/sign-in", {"link": link}, REMOTE_ADDR=address)


def test_after_some_wrong_passwords_even_the_right_one_has_to_wait(client, owner, clock):
    for _ in range(2):
        assert try_password(client, "wrong").status_code == 200
    answer = try_password(client, PASSWORD)
    assert (answer.status_code, answer["Retry-After"]) == (429, "300")
    assert "Try again in 5 minutes" in answer.text
    clock["now"] += 301
    assert try_password(client, PASSWORD).status_code == 302


def test_another_address_does_not_wait(client, owner):
    for _ in range(3):
        try_password(client, "wrong")
    assert try_password(client, PASSWORD, "192.0.2.2").status_code == 302


def test_right_passwords_count_as_no_failures(client, owner):
    for _ in range(4):
        assert try_password(client, PASSWORD).status_code == 302
        client.logout()


def test_after_some_invented_links_the_next_has_to_wait(client, owner):
    link = create_sign_in_link(owner, "").partition("link=")[2]
    for _ in range(2):
        assert try_link(client, "invented").status_code == 403
    answer = try_link(client, link)
    assert (answer.status_code, answer["Retry-After"]) == (429, "300")
    assert try_link(client, link, "192.0.2.2").status_code == 302


def test_a_link_works_where_passwords_failed(client, owner):
    for _ in range(3):
        try_password(client, "wrong")
    link = create_sign_in_link(owner, "").partition("link=")[2]
    assert try_link(client, link).status_code == 302
