"""What a token may do at the API, until when, and what it costs."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from bigagi_site.models import Token
from bigagi_site.tokens import create_token, revoke_tokens
from stores.api import throttles, tokens
from stores.api.tokens import CACHE, USES
from stores.models import Change
from tests.api import make_chat, read, read_problem, sign_in
from tests.bigagi_site.factories import make_owner

pytestmark = pytest.mark.django_db
CHAT = {"messages": []}


@pytest.fixture
def owner():
    return make_owner()


def show(text: str, **headers: str) -> Client:
    """Return a client that shows a token with each request."""
    return Client(headers={"Authorization": f"Bearer {text}", **headers})


def queries_of(client: Client, path: str = "/api/metrics") -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        read(client.get(path))
    return [query["sql"] for query in queries]


def test_a_token_reads_and_writes_in_its_owners_name(owner):
    client = show(create_token(owner, "backup script")[1])
    assert client.post("/api/chats", CHAT, content_type="application/json").status_code == 201
    assert len(read(client.get("/api/chats"))["results"]) == 1
    assert Change.objects.get().actor == "owner · backup script"


def test_it_needs_no_csrf_token(owner):
    client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {create_token(owner, 'x')[1]}"})
    assert client.post("/api/chats", CHAT, content_type="application/json").status_code == 201


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "ODD"])
@pytest.mark.parametrize("path", ["/api/chats", "/api/chats/one", "/api/nowhere", "/api/stores/app-chats"])
def test_a_read_only_token_is_refused_what_writes(owner, method, path):
    make_chat("one")
    client = show(create_token(owner, "reader", is_read_only=True)[1])
    problem = read_problem(client.generic(method, path, b"{}", content_type="application/json"), 403)
    assert problem["type"].endswith("#read-only-token")
    assert not Change.objects.exists()


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_read_only_token_reads(owner, method):
    make_chat("one")
    client = show(create_token(owner, "reader", is_read_only=True)[1])
    assert getattr(client, method)("/api/chats/one").status_code == 200


def test_only_a_digest_is_kept(owner):
    token, text = create_token(owner, "x")
    assert len(text) == 64
    assert text not in str(Token.objects.values().get())
    assert token.token_key == text[:15]


def test_an_expired_token_is_refused_and_kept(owner):
    _, text = create_token(owner, "x", lifetime=timedelta(days=1))
    assert show(text).get("/api/metrics").status_code == 200
    # Found valid a moment ago, and so in memory.
    with time_machine.travel(timezone.now() + timedelta(days=1, seconds=1), tick=False):
        read_problem(show(text).get("/api/metrics"), 401)
        CACHE.clear()
        read_problem(show(text).get("/api/metrics"), 401)
    assert Token.objects.exists()


def test_a_token_of_somebody_inactive_is_refused(owner):
    _, text = create_token(owner, "x")
    owner.is_active = False
    owner.save()
    read_problem(show(text).get("/api/metrics"), 401)


def test_a_revoked_token_is_refused_at_once(owner):
    token, text = create_token(owner, "x")
    assert show(text).get("/api/metrics").status_code == 200
    assert revoke_tokens(Token.objects.filter(pk=token.pk)) == 1
    read_problem(show(text).get("/api/metrics"), 401)


def test_a_token_that_another_process_revoked_is_refused_after_half_a_minute(owner, monkeypatch):
    _, text = create_token(owner, "x")
    now = 1000.0
    monkeypatch.setattr(tokens.time, "monotonic", lambda: now)
    assert show(text).get("/api/metrics").status_code == 200
    Token.objects.all().delete()
    now += 29.9
    assert show(text).get("/api/metrics").status_code == 200
    now += 0.2
    read_problem(show(text).get("/api/metrics"), 401)


def test_a_token_that_is_revoked_while_it_is_looked_up_is_not_kept(owner, monkeypatch):
    _, text = create_token(owner, "x")
    find = tokens._find_token

    def find_and_revoke(text):
        found = find(text)
        revoke_tokens(Token.objects.all())
        return found

    monkeypatch.setattr(tokens, "_find_token", find_and_revoke)
    assert show(text).get("/api/metrics").status_code == 200
    monkeypatch.undo()
    read_problem(show(text).get("/api/metrics"), 401)


def test_a_verified_token_costs_no_query(owner):
    client = show(create_token(owner, "x")[1])
    first, second = queries_of(client), queries_of(client)
    assert [sql for sql in first if "bigagi_site_token" in sql]
    assert [sql for sql in second if "bigagi_site_token" in sql or "auth_user" in sql] == []


def test_the_memory_is_bounded(owner, monkeypatch):
    monkeypatch.setattr(tokens, "MAX_CACHED", 2)
    for number in range(4):
        assert show(create_token(owner, f"{number}")[1]).get("/api/metrics").status_code == 200
    assert len(CACHE._known) == 2


def test_the_last_use_is_written_off_the_request_path(owner):
    token, text = create_token(owner, "x")
    for _ in range(3):
        assert {sql.split()[0] for sql in queries_of(show(text))} == {"SELECT"}
    token.refresh_from_db()
    assert token.last_used_at is None
    assert len(USES._items) == 1, "many uses within ten seconds are one"
    USES.flush()
    token.refresh_from_db()
    assert timezone.now() - token.last_used_at < timedelta(minutes=1)


def test_a_later_use_is_noted_again(owner):
    token, text = create_token(owner, "x")
    show(text).get("/api/metrics")
    with time_machine.travel(timezone.now() + timedelta(seconds=11), tick=False):
        show(text).get("/api/metrics")
        USES.flush()
        token.refresh_from_db()
        assert token.last_used_at == timezone.now()


@pytest.fixture
def few(monkeypatch):
    """Let an address show two invalid tokens a minute; return how time passes."""
    clock = {"now": 1000.0}
    monkeypatch.setattr(throttles.TOKENS, "_limit", 2)
    monkeypatch.setattr(throttles.time, "monotonic", lambda: clock["now"])
    return clock


def guess(address: str = "192.0.2.1"):
    return show("0123456789abcdef").get("/api/metrics", REMOTE_ADDR=address)


def test_who_shows_too_many_invalid_tokens_has_to_wait(few):
    for _ in range(2):
        read_problem(guess(), 401)
    answer = guess()
    problem = read_problem(answer, 429)
    assert problem["type"].endswith("#too-many-requests")
    assert answer["Retry-After"] == "60"
    few["now"] += 59.5
    assert guess()["Retry-After"] == "1"
    few["now"] += 1
    read_problem(guess(), 401)


def test_others_do_not_wait_for_it(few, owner):
    _, text = create_token(owner, "x")
    for _ in range(4):
        guess()
    assert show(text).get("/api/metrics", REMOTE_ADDR="192.0.2.2").status_code == 200
    read_problem(guess("192.0.2.2"), 401)


def test_a_token_that_was_valid_here_before_does_not_wait_for_it(few, owner):
    _, text = create_token(owner, "x")
    client = show(text)
    assert client.get("/api/metrics", REMOTE_ADDR="192.0.2.1").status_code == 200
    for _ in range(4):
        guess()
    assert client.get("/api/metrics", REMOTE_ADDR="192.0.2.1").status_code == 200
    few["now"] += 31
    for _ in range(4):
        guess()
    # It has to be looked up again, and still is.
    assert client.get("/api/metrics", REMOTE_ADDR="192.0.2.1").status_code == 200
    _, other = create_token(owner, "y")
    read_problem(show(other).get("/api/metrics", REMOTE_ADDR="192.0.2.1"), 429)


def test_valid_tokens_count_as_no_failures(few, owner):
    for number in range(4):
        assert show(create_token(owner, f"{number}")[1]).get("/api/metrics").status_code == 200


def test_sessions_do_not_wait_for_it(few):
    client = sign_in()
    for _ in range(4):
        guess("127.0.0.1")
    assert client.get("/api/metrics").status_code == 200


def test_a_client_has_all_addresses_of_its_ipv6_network(few):
    for number in range(2):
        read_problem(guess(f"2001:db8::{number}"), 401)
    read_problem(guess("2001:db8::ffff"), 429)
    read_problem(guess("2001:db8:0:1::1"), 401)
    for _ in range(2):
        guess("::ffff:192.0.2.7")
    read_problem(guess("192.0.2.7"), 429)


def test_the_throttles_memory_is_bounded(few, monkeypatch):
    monkeypatch.setattr(throttles, "MAX_ADDRESSES", 3)
    for number in range(9):
        guess(f"192.0.2.{number}")
    assert list(throttles.TOKENS._failures) == ["192.0.2.6", "192.0.2.7", "192.0.2.8"]


def test_it_can_be_turned_off_for_load_tests(few, settings):
    settings.THROTTLE_FAILURES = False
    for _ in range(4):
        read_problem(guess(), 401)
