"""The writer of the log: its batches, its bounds, what it loses, and its thread."""

import threading
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError
from django.utils import timezone

from metrics import request_log
from metrics.models import ApiRequest
from metrics.request_log import LOG, write_requests
from stores.background import batches
from stores.background.batches import BatchWriter
from tests.servers import Client, execute, run_server

COLUMNS = {"method": "GET", "route": "/api/chats", "status": 200, "duration_ms": 1, "query_count": 1, "query_ms": 1}


def entries(count, **columns):
    return [COLUMNS | {"at": timezone.now(), "bytes_sent": 0, "request_id": str(at)} | columns for at in range(count)]


@pytest.fixture
def make_writer():
    """Return a function that makes writers, which are forgotten and ended afterwards."""
    made = []

    def make(write, **kwargs):
        made.append(BatchWriter("test", write, **{"capacity": 10, "seconds": 0.01} | kwargs))
        return made[-1]

    yield make
    batches._is_on.clear()
    for writer in made:
        batches._writers.remove(writer)
        writer.end()
        writer.join(10)


@pytest.mark.django_db
def test_no_more_rows_are_kept_than_the_settings_say(settings):
    settings.REQUEST_LOG_ROWS = 5
    write_requests(entries(4))
    assert ApiRequest.objects.count() == 4
    write_requests(entries(4))
    assert list(ApiRequest.objects.order_by("-pk").values_list("request_id", flat=True)) == ["3", "2", "1", "0", "3"]


@pytest.mark.django_db
def test_no_older_rows_are_kept_than_the_settings_say(settings):
    settings.REQUEST_LOG_DAYS = 2
    now = timezone.now()
    write_requests(entries(1, at=now - timedelta(days=3)) + entries(1, at=now - timedelta(days=1)))
    assert [row.at for row in ApiRequest.objects.all()] == [now - timedelta(days=1)]


@pytest.mark.django_db
def test_much_is_pruned_in_steps(settings, monkeypatch):
    settings.REQUEST_LOG_ROWS = 0
    monkeypatch.setattr(request_log, "PRUNED_AT_ONCE", 3)
    write_requests(entries(5))
    assert ApiRequest.objects.count() == 2
    assert not write_requests(entries(0)) and not ApiRequest.objects.exists()


def test_what_does_not_fit_is_counted_and_nobody_waits(make_writer):
    written = []
    writer = make_writer(written.extend, capacity=3)
    for item in range(5):
        writer.add(item)
    assert writer.lost == 2
    writer.flush()
    assert written == [0, 1, 2]


def test_batches_are_bounded(make_writer):
    written = []
    writer = make_writer(written.append, batch=2)
    for item in range(5):
        writer.add(item)
    writer.flush()
    assert written == [[0, 1], [2, 3], [4]]


def test_nothing_is_written_before_a_server_runs(make_writer):
    writer = make_writer(lambda items: None)
    writer.add(1)
    assert writer._thread is None


def test_the_thread_writes_what_is_noted(make_writer):
    written, done = [], threading.Event()

    def write(items):
        written.extend((item, threading.current_thread().name) for item in items)
        if len(written) == 2:
            done.set()

    writer = make_writer(write)
    batches.start_writers()
    writer.add(1)
    writer.add(2)
    assert done.wait(10)
    assert written == [(1, "test"), (2, "test")]
    assert writer._thread.daemon


def test_what_cannot_be_written_is_lost_and_the_thread_goes_on(make_writer):
    first, second = threading.Event(), threading.Event()

    def write(items):
        if not first.is_set():
            first.set()
            raise OperationalError("database is locked")
        second.set()

    writer = make_writer(write)
    batches.start_writers()
    writer.add(1)
    assert first.wait(10)
    writer.add(2)
    assert second.wait(10)
    assert writer.lost == 1


def test_the_end_writes_the_rest_at_once(make_writer):
    written = []
    writer = make_writer(written.extend, seconds=3600)
    batches.start_writers()
    writer.add(1)
    batches.stop_writers(10)
    assert written == [1]
    assert not writer._thread.is_alive()


def test_the_end_waits_no_longer_than_it_is_told(make_writer):
    begun, go_on = threading.Event(), threading.Event()

    def write(items):
        begun.set()
        go_on.wait(10)

    writer = make_writer(write)
    batches.start_writers()
    writer.add(1)
    assert begun.wait(10)
    batches.stop_writers(0.01)
    assert writer._thread.is_alive()
    go_on.set()


@pytest.mark.django_db
def test_the_admin_lists_and_filters_it(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    write_requests(entries(1) + entries(1, status=503, route="/api/failed", error="server-error", duration_ms=2000))
    page = client.get("/admin/metrics/apirequest/").text
    assert "None missing" in page and "/api/failed" in page
    for query in ("class=5", "slower=1000", "error=server-error", "q=/api/failed"):
        rows = client.get(f"/admin/metrics/apirequest/?{query}").context["cl"].result_list
        assert [row.status for row in rows] == [503], query
    LOG.lost = 3
    assert "3 are missing" in client.get("/admin/metrics/apirequest/").text


def wait_for(server, count, query):
    """Ask until the log has so many requests; each is written about a second after its answer."""
    client = server.sign_in()
    for _ in range(200):
        rows = client.get(f"/api/requests?{query}").json()["results"]
        if len(rows) >= count:
            return rows
        threading.Event().wait(0.05)
    raise AssertionError(rows)


def test_a_server_logs_what_both_of_its_applications_answer(server):
    client = server.sign_in()
    client.get("/api/chats", headers={"X-Request-ID": "wsgi-1"})
    client.get("/api/stores/app-chats", headers={"X-Request-ID": "asgi-1"})
    Client(server.url).get("/api/health", headers={"X-Request-ID": "asgi-2"})
    [row] = wait_for(server, 1, "request_id=wsgi-1")
    assert (row["route"], row["actor"]) == ("/api/chats", "owner")
    assert row["query_count"] > 0
    [row] = wait_for(server, 1, "request_id=asgi-1")
    assert (row["route"], row["status"]) == ("/api/stores/{name}", 404)
    [row] = wait_for(server, 1, "request_id=asgi-2")
    assert (row["route"], row["status"], row["actor"], row["query_count"]) == ("/api/health", 200, "", 0)


def test_a_server_that_is_stopped_writes_the_rest(started):
    with run_server(started) as server:
        server.sign_in().get("/api/metrics", headers={"X-Request-ID": "the-last"})
        assert server.stop() == 0
    assert execute(started, "SELECT count(*) FROM metrics_apirequest WHERE request_id = 'the-last'") == [(1,)]
