"""Which runs are closed: those that nobody answers for, whichever server they belong to."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from django.db import connection

from stores.background.leases import GRACE_MS, LEASE_MS, is_over, next_end, this_owner
from stores.background.processes import is_gone, name_of
from stores.importers import lease
from stores.importers.one_run import AlreadyRunning, close_dead_runs, new_run, only_one
from stores.models import MigrationRun

ELSEWHERE = "elsewhere:1:1"


@pytest.fixture
def process() -> Iterator["subprocess.Popen[bytes]"]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process


def test_a_lease_decides_about_a_process_of_another_machine():
    assert not is_over(ELSEWHERE, next_end())
    assert not is_over(ELSEWHERE, next_end() - LEASE_MS - GRACE_MS + 5_000), "its clock may differ"
    assert is_over(ELSEWHERE, next_end() - LEASE_MS - GRACE_MS)


def test_a_process_of_this_machine_that_is_gone_need_not_be_waited_for(process):
    name = name_of(process.pid)
    assert not is_gone(name) and not is_over(name, next_end())
    process.kill()
    # As long as who started it has not asked what became of it, the system keeps its number.
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert is_gone(name) and is_over(name, next_end())
    process.wait()
    assert is_gone(name) and is_over(name, next_end())


@pytest.mark.parametrize("name", ["", ":", "::", "x", "123-abcdef", f":{2**31 - 1}:", f"elsewhere:{2**31 - 1}:1"])
def test_of_what_is_no_process_of_this_machine_nothing_is_known(name):
    assert not is_gone(name)


def test_a_number_that_another_process_has_now_is_no_sign_of_life():
    assert is_gone(f"{name_of(os.getpid())}1")
    assert not is_gone(name_of(os.getpid()))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("owner", "left", "status"),
    [(ELSEWHERE, LEASE_MS, "running"), (ELSEWHERE, -GRACE_MS, "error"), ("", -GRACE_MS, "error")],
)
def test_an_import_of_another_server_is_closed_when_its_lease_is_over(owner: str, left: int, status: str):
    run = new_run(source_name="theirs.json")
    until = next_end() - LEASE_MS + left
    MigrationRun.objects.update(owner=owner, lease_until=until)
    close_dead_runs()
    run.refresh_from_db()
    assert (run.status, run.finished_at is None) == (status, status == "running")
    if status == "running":
        with pytest.raises(AlreadyRunning, match=f"run {run.pk} of theirs.json"), only_one():
            pass
        with pytest.raises(AlreadyRunning):
            new_run(source_name="ours.json")
    else:
        with only_one():
            assert new_run(source_name="ours.json").owner == this_owner()


@pytest.mark.django_db(transaction=True)
def test_an_import_that_makes_no_progress_keeps_its_lease(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(lease, "RENEW_SECONDS", 0.01)
    run = new_run(source_name="ours.json")
    with lease.keep_lease(run.pk):
        MigrationRun.objects.update(lease_until=1)
        deadline = time.monotonic() + 20
        while MigrationRun.objects.get().lease_until == 1:
            assert time.monotonic() < deadline, "the lease was not renewed"
        MigrationRun.objects.update(lease_until=1)
        close_dead_runs()
        assert MigrationRun.objects.get().status == "running", "this process knows that it goes on"
    close_dead_runs()
    assert MigrationRun.objects.get().status == "error", "the end of one of its own could not be written"
    connection.close()
