"""Warnings and errors of the log as rows: bounded, without secrets, and never a trouble of their own."""

import json
import logging
import threading
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from django.contrib.auth import get_user_model
from django.db import OperationalError
from django.utils import timezone

from bigagi_site.logs import KeptHandler
from metrics.log_entries import ENTRIES, MAX_DETAILS, MAX_EXCEPTION, NAME, write_entries
from metrics.models import ApiRequest, LogEntry
from metrics.request_log import write_requests
from stores.background import batches
from tests.api import sign_in
from tests.chats.talking import LIMITS, Talker
from tests.faulty_provider import KEY, FaultyProvider
from tests.providers import run_provider
from tests.servers import run_server

pytestmark = pytest.mark.any_database

TEXT = "Dear diary, nobody may read this"
SECRET = "sk-proj-Zx81kLmN0pQrStUvWxYz1234567890abcd"
LOGGER = structlog.get_logger("chats")

in_database = pytest.mark.django_db


def entries(count, **columns):
    given = {"at": timezone.now(), "level": "error", "logger": "chats", "event": "it failed", "request_id": ""}
    return [given | {"details": str(at), "exception": ""} | columns for at in range(count)]


def fail(*args, **kwargs):
    raise ValueError(f"{TEXT} {SECRET}")


# --- what is kept ----------------------------------------------------------------------------------------------------


@in_database
def test_a_warning_is_kept_with_its_facts():
    before = datetime.now(UTC)
    LOGGER.warning("it stumbled", request_id="r-1", count=3, names=["a"])
    ENTRIES.flush()
    [row] = LogEntry.objects.all()
    assert (row.level, row.logger, row.event, row.request_id) == ("warning", "chats", "it stumbled", "r-1")
    assert json.loads(row.details) == {"count": 3, "names": ["a"]} and row.exception == ""
    assert before - timedelta(milliseconds=1) <= row.at <= datetime.now(UTC)


@in_database
def test_lines_below_a_warning_are_not_kept():
    logging.getLogger("chats").setLevel(logging.DEBUG)
    try:
        LOGGER.info("all is well")
    finally:
        logging.getLogger("chats").setLevel(logging.NOTSET)
    ENTRIES.flush()
    assert not LogEntry.objects.exists()


@in_database
@pytest.mark.parametrize(("number", "level"), [(30, "warning"), (35, "warning"), (40, "error"), (50, "critical")])
def test_lines_of_libraries_are_kept_too(number, level):
    logging.getLogger("django.security").log(number, "Invalid HTTP_HOST header: %r.", "x")
    ENTRIES.flush()
    [row] = LogEntry.objects.all()
    assert (row.level, row.event, row.details) == (level, "Invalid HTTP_HOST header: 'x'.", "")


@in_database
def test_the_failure_of_a_request_is_kept_by_its_id_without_what_it_worked_on(monkeypatch):
    client = sign_in()
    client.raise_request_exception = False
    monkeypatch.setattr("bigagi_site.views.ready.look", fail)
    client.get("/api/ready", headers={"X-Request-ID": "r-2", "Authorization": ""})
    ENTRIES.flush()
    [row] = LogEntry.objects.filter(request_id="r-2")
    assert (row.level, row.logger, row.event) == ("error", "api", "request_failed")
    assert json.loads(row.details)["request"] == "GET /api/ready"
    assert row.exception.startswith("Traceback") and row.exception.endswith("ValueError")
    stored = repr(list(LogEntry.objects.values()))
    assert TEXT not in stored and SECRET not in stored


@in_database
def test_what_no_database_takes_is_kept_escaped():
    LOGGER.error("lone \ud800 and \0", value="\ud800\0", request_id="r\0")
    ENTRIES.flush()
    [row] = LogEntry.objects.all()
    assert row.event == "lone \\ud800 and \\x00" and "\0" not in row.details + row.request_id


# --- bounds ----------------------------------------------------------------------------------------------------------


@in_database
def test_no_more_rows_are_kept_than_the_settings_say(settings):
    settings.LOG_ENTRY_ROWS = 5
    write_entries(entries(4))
    write_entries(entries(4))
    assert list(LogEntry.objects.order_by("-pk").values_list("details", flat=True)) == ["3", "2", "1", "0", "3"]


@in_database
def test_no_older_rows_are_kept_than_the_settings_say(settings):
    settings.LOG_ENTRY_DAYS = 2
    now = timezone.now()
    write_entries(entries(1, at=now - timedelta(days=3)) + entries(1, at=now - timedelta(days=1)))
    assert [row.at for row in LogEntry.objects.all()] == [now - timedelta(days=1)]


@in_database
def test_a_row_is_bounded():
    def deepen(depth):
        return deepen(depth - 1) if depth else fail()

    try:
        deepen(500)
    except ValueError:
        LOGGER.exception("x" * 9_000, request_id="r" * 900, **{f"fact{at}": "y" * 900 for at in range(50)})
    ENTRIES.flush()
    [row] = LogEntry.objects.all()
    assert (len(row.event), len(row.request_id), len(row.details)) == (500, 64, MAX_DETAILS)
    assert 0 < len(row.exception) <= MAX_EXCEPTION and row.exception.endswith("ValueError")


def test_a_storm_waits_for_nobody_and_is_counted(monkeypatch):
    monkeypatch.setattr(ENTRIES, "_capacity", 3)
    for _ in range(10):
        LOGGER.error("it failed")
    assert ENTRIES.lost == 7 and len(ENTRIES._items) == 3


# --- no trouble of its own -------------------------------------------------------------------------------------------


def test_a_line_that_cannot_be_formatted_is_counted(monkeypatch, capsys):
    monkeypatch.setattr(KeptHandler.target, "format", fail)
    LOGGER.error("it failed")
    assert ENTRIES.lost == 1 and "Logging error" not in capsys.readouterr().err


def test_the_writer_does_not_write_its_own_troubles():
    thread = threading.Thread(target=LOGGER.error, args=("it could not be written",), name=NAME)
    thread.start()
    thread.join()
    assert not ENTRIES._items and ENTRIES.lost == 0


def test_a_locked_database_loses_entries_and_the_next_are_written(monkeypatch, capfd):
    first, second, written = threading.Event(), threading.Event(), []

    def write(found):
        if not first.is_set():
            first.set()
            raise OperationalError("database is locked")
        written.extend(found)
        second.set()

    monkeypatch.setattr(ENTRIES, "_write", write)
    monkeypatch.setattr(ENTRIES, "_seconds", 0.01)
    batches.start_writers()
    try:
        LOGGER.error("the first")
        assert first.wait(10)
        LOGGER.error("the second")
        assert second.wait(10)
    finally:
        batches._is_on.clear()
        ENTRIES.end()
        ENTRIES.join(10)
    assert [entry["event"] for entry in written] == ["the second"]
    assert ENTRIES.lost == 1


# --- the admin -------------------------------------------------------------------------------------------------------


@pytest.fixture
def owner(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


@in_database
def test_the_admin_lists_filters_and_finds_them(owner):
    write_entries(entries(1, event="lone error") + entries(1, level="warning", request_id="r-3", logger="llms"))
    page = owner.get("/admin/metrics/logentry/").text
    assert "None missing" in page and "lone error" in page and "llms" in page
    for query in ("level__exact=warning", "logger=llms", "q=r-3"):
        rows = owner.get(f"/admin/metrics/logentry/?{query}").context["cl"].result_list
        assert [row.request_id for row in rows] == ["r-3"], query
    assert [row.event for row in owner.get("/admin/metrics/logentry/?q=lone").context["cl"].result_list] == [
        "lone error"
    ]
    ENTRIES.lost = 3
    assert "3 are missing" in owner.get("/admin/metrics/logentry/").text


@in_database
def test_an_entry_leads_to_its_call_and_its_changes_and_back(owner):
    write_entries(entries(1, request_id="r-4", details='{"kind": "<b>"}', exception="Traceback\n  File <x>"))
    columns = {"method": "GET", "route": "/api/chats", "status": 500, "duration_ms": 1, "query_count": 1}
    write_requests([columns | {"query_ms": 1, "bytes_sent": 0, "request_id": "r-4", "at": timezone.now()}])
    page = owner.get(f"/admin/metrics/logentry/{LogEntry.objects.get().pk}/change/").text
    for model in ("metrics/apirequest", "stores/change", "metrics/logentry"):
        assert f'href="/admin/{model}/?q=r-4"' in page
    assert "&lt;b&gt;" in page and "Traceback\n  File &lt;x&gt;</pre>" in page
    back = owner.get(f"/admin/metrics/apirequest/{ApiRequest.objects.get().pk}/change/").text
    assert 'href="/admin/metrics/logentry/?q=r-4"' in back


@in_database
def test_details_that_were_cut_are_shown(owner):
    write_entries(entries(1, details='{"kind": "cut…'))
    page = owner.get(f"/admin/metrics/logentry/{LogEntry.objects.get().pk}/change/").text
    assert "{&quot;kind&quot;: &quot;cut…" in page


# --- a server --------------------------------------------------------------------------------------------------------


def test_a_server_keeps_why_an_answer_failed(started):
    with run_provider(FaultyProvider(key=KEY)) as provider, run_server(started | LIMITS) as server:
        talker = Talker(server)
        talker.add_service(provider.setup(), ["wrong-key"])
        body = {"message": {"text": TEXT}, "modelId": "faulty-wrong-key", "stream": False}
        talker.send("POST", f"/api/chats/{talker.make_chat()}/generate", body, X_Request_ID="a-call")
        assert server.stop() == 0
        [row] = talker.sql("SELECT logger, level, event, details FROM metrics_logentry WHERE request_id = 'a-call'")
        assert row[:3] == ("llms", "warning", "a call of a model failed")
        assert json.loads(row[3])["kind"] == "wrong-key"
        stored = repr(talker.sql("SELECT * FROM metrics_logentry"))
    assert TEXT not in stored and KEY not in stored


def test_a_server_that_keeps_none_keeps_none(started):
    variables = LIMITS | {"BIGAGI_LOG_ENTRY_ROWS": "0"}
    with run_provider(FaultyProvider(key=KEY)) as provider, run_server(started | variables) as server:
        talker = Talker(server)
        talker.add_service(provider.setup(), ["wrong-key"])
        body = {"message": {"text": TEXT}, "modelId": "faulty-wrong-key", "stream": False}
        talker.send("POST", f"/api/chats/{talker.make_chat()}/generate", body)
        assert server.stop() == 0
        assert talker.sql("SELECT count(*) FROM metrics_logentry") == [(0,)]
