"""Faults are told by the codes of SQLite, PostgreSQL and the system, and by nothing else."""

import errno
import sqlite3
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction

from stores.records import faults
from stores.records.commits import Stored, find_stored, note_at_commit, watching_commits
from stores.records.faults import describe_fault, fault_of
from stores.records.fields import expand
from tests.api import make_message, read_problem, sign_in
from tests.faulty_database import ERRORS


def caused_by(cause: BaseException) -> DatabaseError:
    error = OperationalError("as Django says it")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize("kind", ERRORS)
def test_sqlite_is_told_by_its_codes(kind: str):
    error_class, code, words = ERRORS[kind]
    error = error_class("in other words")
    error.sqlite_errorcode = code
    for one in (error, caused_by(error), error_class(words), DatabaseError(words)):
        found = fault_of(one)
        assert found is not None and found.kind == kind


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("DiskFull", faults.DISK_FULL),
        ("DataCorrupted", faults.DAMAGED),
        ("IndexCorrupted", faults.DAMAGED),
        ("ReadOnlySqlTransaction", faults.READ_ONLY),
        ("IoError", faults.DISK_ERROR),
        ("LockNotAvailable", faults.BUSY),
        ("DeadlockDetected", faults.BUSY),
        ("AdminShutdown", faults.UNREACHABLE),
        ("ConnectionFailure", faults.UNREACHABLE),
        ("UniqueViolation", None),
        ("SyntaxError", None),
    ],
)
def test_postgresql_is_told_by_its_states(name: str, fault: Any):
    errors = pytest.importorskip("psycopg.errors")
    assert fault_of(caused_by(getattr(errors, name)("words"))) is fault


def test_a_connection_that_cannot_be_had_is_told():
    psycopg = pytest.importorskip("psycopg")
    pool = pytest.importorskip("psycopg_pool")
    for error in (psycopg.OperationalError("connection refused"), pool.PoolTimeout("after 20 s")):
        assert fault_of(caused_by(error)) is faults.UNREACHABLE


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), faults.DISK_FULL),
        (OSError(errno.EDQUOT, "Quota exceeded"), faults.DISK_FULL),
        (OSError(errno.EROFS, "Read-only file system"), faults.READ_ONLY),
        (OSError(errno.EIO, "Input/output error"), faults.DISK_ERROR),
        (PermissionError(errno.EACCES, "Permission denied", "/data/assets"), faults.READ_ONLY),
        (PermissionError(errno.EACCES, "Permission denied"), None),
        (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), None),
        (IntegrityError("UNIQUE constraint failed: chats_conversation.uid"), None),
        (sqlite3.OperationalError("no such table: database is locked"), None),
        (ValueError("database or disk is full"), None),
        (None, None),
    ],
)
def test_files_are_told_by_their_numbers_and_nothing_else_is_taken_for_a_fault(error: Any, fault: Any):
    assert fault_of(error) is fault


def test_errors_of_a_disk_without_room_are_those_of_a_full_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(faults, "NO_ROOM", 2**62)
    assert fault_of(sqlite3.OperationalError("disk I/O error")) is faults.DISK_FULL
    assert fault_of(sqlite3.DatabaseError("database disk image is malformed")) is faults.DAMAGED


def test_a_stored_value_of_another_form_is_damage():
    with pytest.raises(DatabaseError) as caught:
        expand(b"no zlib")
    assert fault_of(caught.value) is faults.DAMAGED
    assert describe_fault(caught.value).startswith("The database is damaged. ")


@pytest.mark.django_db(transaction=True)
def test_what_is_stored_is_told():
    error = OSError(errno.ENOSPC, "full")
    with watching_commits():
        with pytest.raises(RuntimeError), transaction.atomic():
            note_at_commit()
            raise RuntimeError
        assert find_stored(error) is Stored.NOTHING
        with transaction.atomic():
            note_at_commit()
        assert find_stored(error) is Stored.SOME
        assert find_stored(error, only_reads=True) is Stored.NOT_ASKED


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the limit is SQLite's")
@pytest.mark.django_db(transaction=True)
def test_a_database_that_may_not_grow_is_full():
    client = sign_in()
    client.raise_request_exception = False
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA max_page_count = 1")
    body = {"id": "one", "messages": [make_message(text="x" * 200_000)]}
    problem = read_problem(client.post("/api/chats", body, "application/json"), 507)
    assert problem["type"].endswith("#disk-full") and Stored.NOTHING in problem["detail"]
    connection.close()
    assert client.post("/api/chats", body, "application/json").status_code == 201
