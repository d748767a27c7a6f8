from datetime import UTC, datetime, timedelta

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from metrics.middleware import describe_route
from metrics.models import ApiRequest
from metrics.request_log import LOG
from tests.api import make_chat, read, read_problem, sign_in

pytestmark = pytest.mark.django_db


def make_request(**columns) -> ApiRequest:
    given = {"at": timezone.now(), "method": "GET", "route": "/api/chats", "status": 200, "duration_ms": 1.5}
    return ApiRequest.objects.create(**given | {"query_count": 1, "query_ms": 0.5, "bytes_sent": 10} | columns)


def written() -> list[ApiRequest]:
    LOG.flush()
    return list(ApiRequest.objects.order_by("pk"))


def test_a_request_is_noted_with_all_that_is_told_of_it():
    make_chat("one")
    client = sign_in()
    answer = client.get("/api/chats/one", headers={"X-Request-ID": "mine-1"})
    [row] = written()
    assert (row.method, row.route, row.status) == ("GET", "/api/chats/{id}", 200)
    assert row.bytes_sent == len(answer.content)
    assert (row.actor, row.request_id, row.error) == ("reader", "mine-1", "")
    assert row.duration_ms >= row.query_ms > 0
    assert timezone.now() - row.at < timedelta(minutes=1)


def test_the_queries_of_the_request_are_counted():
    make_chat("one")
    client = sign_in()
    with CaptureQueriesContext(connection) as queries:
        client.get("/api/chats/one")
    assert [row.query_count for row in written()] == [len(queries)] != [0]


def test_an_error_is_noted_with_its_kind():
    sign_in().get("/api/chats/nowhere")
    Client().get("/api/chats")
    Client().get("/api/chats", headers={"Authorization": "Bearer 0123456789abcdef"})
    assert [(row.status, row.error, row.actor) for row in written()] == [
        (404, "not-found", "reader"),
        (401, "not-signed-in", ""),
        (401, "not-signed-in", ""),
    ]


def test_an_error_of_the_server_is_noted(monkeypatch):
    client = sign_in()
    client.raise_request_exception = False
    monkeypatch.setattr("metrics.views.totals.read_totals", lambda: 1 / 0)
    client.get("/api/metrics")
    assert [(row.route, row.status, row.error) for row in written()] == [("/api/metrics", 500, "server-error")]


def test_what_is_refused_before_any_view_is_noted():
    sign_in().get("/api/chats", headers={"Host": "evil.example"})
    assert [(row.route, row.status, row.error) for row in written()] == [("/api/", 400, "bad-request")]


def test_an_address_without_a_route_is_noted_as_such():
    sign_in().get("/api/nowhere/at?all=1")
    assert [row.route for row in written()] == ["/api/"]


def test_pages_are_not_noted(client):
    client.get("/sign-in")
    assert written() == []


def test_a_stream_is_noted_at_its_end():
    make_chat("one")
    answer = sign_in().get("/api/stores/app-chats")
    assert answer.streaming
    assert written() == []
    body = answer.getvalue()
    [row] = written()
    assert (row.status, row.bytes_sent, row.error) == (200, len(body), "")
    assert row.query_count > 2, "the queries of the stream itself"


def test_a_stream_that_nobody_reads_on_is_noted_as_broken_off():
    make_chat("one")
    answer = sign_in().get("/api/stores/app-chats")
    # As Django's own client does: the connection has the test's transaction.
    request_finished.disconnect(close_old_connections)
    answer.close()
    request_finished.connect(close_old_connections)
    [row] = written()
    assert (row.status, row.bytes_sent, row.error) == (200, 0, "broken-off")


def test_head_sends_no_bytes():
    sign_in().head("/api/chats")
    assert [(row.method, row.bytes_sent) for row in written()] == [("HEAD", 0)]


def test_the_log_does_not_wait_for_the_database():
    client = sign_in()
    with CaptureQueriesContext(connection) as queries:
        client.get("/api/metrics")
    assert not [query for query in queries if "apirequest" in query["sql"]]


@pytest.mark.parametrize(
    ("route", "shown"),
    [
        ("api/^chats/(?P<id>[^/]+)/messages/(?P<mid>[^/]+)/?$", "/api/chats/{id}/messages/{mid}"),
        (r"api/^changes/(?P<id>[0-9]{1,18})/undo/?\Z", "/api/changes/{id}/undo"),
        ("api/^docs/(?P<label>(?:a|b)+)\\.svg/?$", "/api/docs/{label}.svg"),
        ("api/items/<int:pk>/x", "/api/items/{pk}/x"),
        ("^api/health/?$", "/api/health"),
        ("api/", "/api/"),
    ],
)
def test_routes_are_shown_as_people_write_them(route, shown):
    assert describe_route(route) == shown


def test_the_list_gives_the_newest_first_by_cursor():
    rows = [make_request(request_id=f"r{number}") for number in range(5)]
    page = read(sign_in().get("/api/requests?page_size=3"))
    assert [row["id"] for row in page["results"]] == [row.pk for row in reversed(rows[2:])]
    page = read(sign_in(username="two").get(page["next"]))
    assert [row["request_id"] for row in page["results"]] == ["r1", "r0"]
    assert set(page["results"][0]) == {
        *("id", "at", "method", "route", "status", "duration_ms", "query_count", "query_ms", "bytes_sent"),
        *("actor", "request_id", "error"),
    }


@pytest.mark.parametrize(
    "query",
    [
        *("method=post", "route=/api/x", "status=404", "status_min=400", "actor=ada", "request_id=this"),
        *("error=not-found", "slower_than_ms=99.5", "since=2030-01-01T00:00:00Z"),
    ],
)
def test_the_list_is_filtered(query):
    make_request()
    wanted = make_request(
        method="POST",
        route="/api/x",
        status=404,
        actor="ada",
        request_id="this",
        error="not-found",
        duration_ms=99.6,
        at=datetime(2030, 1, 1, tzinfo=UTC),
    )
    results = read(sign_in().get(f"/api/requests?{query}"))["results"]
    assert [row["id"] for row in results] == [wanted.pk]


def test_the_list_is_filtered_by_its_end():
    make_request(at=timezone.now() - timedelta(days=1))
    moment = (timezone.now() - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    make_request()
    assert len(read(sign_in().get(f"/api/requests?until={moment}"))["results"]) == 1


@pytest.mark.parametrize("query", ["status=x", "since=yesterday", "slower_than_ms=-1", "nonsense=1", "status=1e400"])
def test_a_bad_filter_is_refused(query):
    read_problem(sign_in().get(f"/api/requests?{query}"), 400)


def test_the_list_tells_how_many_are_missing(monkeypatch):
    assert sign_in().get("/api/requests")["Bigagi-Lost"] == "0"
    monkeypatch.setattr(LOG, "_capacity", 0)
    client = sign_in(username="two")
    client.get("/api/metrics")
    assert client.get("/api/requests")["Bigagi-Lost"] == "1"


def test_strangers_do_not_see_it():
    read_problem(Client().get("/api/requests"), 401)
    read_problem(sign_in(is_staff=False).get("/api/requests"), 403)


def test_the_number_of_queries_does_not_grow_with_the_rows():
    client = sign_in()
    counts = []
    for more in (2, 40):
        for _ in range(more):
            make_request()
        with CaptureQueriesContext(connection) as queries:
            read(client.get("/api/requests"))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_request_that_cannot_be_noted_is_answered(monkeypatch):
    def fail(entry):
        raise RuntimeError

    client = sign_in()
    monkeypatch.setattr(LOG, "add", fail)
    assert client.get("/api/metrics").status_code == 200
