"""Who guesses at the sign-in has to wait; others do not."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bigagi_site.services import create_sign_in_link
from stores.api import throttles
from tests.bigagi_site.factories import make_owner

pytestmark = [pytest.mark.any_database, pytest.mark.django_db]
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
    for _ in range(2):
        assert try_link(client, "invented").status_code == 403
    answer = try_link(client, "invented")
    assert (answer.status_code, answer["Retry-After"]) == (429, "300")
    assert try_link(client, "invented", "192.0.2.2").status_code == 403


def test_a_good_link_works_however_many_were_invented(client, owner):
    link = create_sign_in_link(owner, "").partition("link=")[2]
    for _ in range(4):
        try_link(client, "invented")
    assert try_link(client, link).status_code == 302


def test_an_invented_link_takes_no_lock(client, owner):
    with CaptureQueriesContext(connection) as queries:
        assert try_link(client, "invented").status_code == 403
    assert {query["sql"].split()[0] for query in queries} == {"SELECT"}


EMBEDDED = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
FRAMED = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
LED_HERE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
NEIGHBOUR = LED_HERE | {"Sec-Fetch-Site": "same-site"}
OWN = LED_HERE | {"Sec-Fetch-Site": "same-origin"}
TYPED = LED_HERE | {"Sec-Fetch-Site": "none"}


@pytest.mark.parametrize("headers", [EMBEDDED, FRAMED, LED_HERE, NEIGHBOUR])
def test_what_other_sites_make_a_browser_send_does_not_count(client, owner, headers):
    for _ in range(4):
        assert client.get("/sign-in", {"link": "invented"}, headers=headers).status_code in (204, 403)
        answer = client.post("/sign-in", {"username": "owner", "password": PASSWORD}, headers=headers)
        assert answer.status_code == 403, "nor is it checked, or others could guess without end"
    assert client.get("/sign-in", {"link": "invented"}).status_code == 403
    assert client.post("/sign-in", {"username": "owner", "password": PASSWORD}, headers=OWN).status_code == 302


@pytest.mark.parametrize("headers", [OWN, TYPED, {}])
def test_what_the_owners_own_page_sends_counts(client, owner, headers):
    for status in (403, 403, 429):
        assert client.get("/sign-in", {"link": "invented"}, headers=headers).status_code == status
    for status in (200, 200, 429):
        answer = client.post("/sign-in", {"username": "owner", "password": "wrong"}, headers=headers)
        assert answer.status_code == status


@pytest.mark.parametrize(("headers", "status"), [(EMBEDDED, 204), (FRAMED, 204), (LED_HERE, 302), (TYPED, 302)])
def test_a_link_is_used_up_by_a_tab_alone(client, owner, headers, status):
    link = create_sign_in_link(owner, "").partition("link=")[2]
    assert client.get("/sign-in", {"link": link}, headers=headers).status_code == status
    client.logout()
    assert try_link(client, link).status_code == (302 if status == 204 else 403)


def test_a_link_works_where_passwords_failed(client, owner):
    for _ in range(3):
        try_password(client, "wrong")
    link = create_sign_in_link(owner, "").partition("link=")[2]
    assert try_link(client, link).status_code == 302
