"""Each fault of the disk and the database at each write of commands: one line names it, and nothing is half done."""

from pathlib import Path

import pytest
from django.core.management import call_command

from bigagi_site.services import create_owner
from chats.models import Conversation
from stores.management.faults import RETURN_CODE, telling_faults
from stores.models import MigrationRun
from stores.records import faults
from tests import generators
from tests.api import make_chat, make_service
from tests.bigagi_site.faults import UNDER_FAULTS
from tests.bigagi_site.test_faults_api import FAULTS, digest_rows
from tests.faulty_database import Plan

COMMANDS = [
    ("sign_in_link",),
    ("create_token", "backup"),
    ("rebuild_ledger",),
    ("forget_secrets", "--yes"),
    ("prune_journal", "--older-than", "0d"),
]
KINDS = ["disk-full", "disk-error", "database-busy", "database-damaged"]

pytestmark = UNDER_FAULTS


def run(*arguments: str) -> int:
    """Run a command as `manage.py` does, and return how it ended."""
    try:
        with telling_faults():
            call_command(*arguments)
    except SystemExit as end:
        return int(str(end.code))
    return 0


def check_line(told: str, fault: faults.Fault) -> None:
    assert len(told.strip().splitlines()) == 1, told
    assert told.startswith(fault.what) and fault.remedy in told
    assert ("Nothing was stored." in told) != ("is not known" in told and fault.leaves_doubt), told


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_fault_at_any_write_is_one_line(
    plan: Plan, capsys: pytest.CaptureFixture[str], command: tuple[str, ...], kind: str
):
    create_owner()
    make_chat()
    make_service(setup={"oaiKey": "sk-" + "x" * 40})
    before = digest_rows()
    for at in range(1, 100):
        plan.arm(kind, at)
        code = run(*command)
        plan.take_back()
        if not plan.is_met:
            break
        assert code == RETURN_CODE
        check_line(capsys.readouterr().err, FAULTS[kind])
        assert digest_rows() == before
    assert code == 0


@pytest.mark.parametrize("kind", KINDS)
def test_an_import_that_meets_a_fault_is_completed_later(
    plan: Plan, capsys: pytest.CaptureFixture[str], tmp_path: Path, kind: str
):
    path = tmp_path / "backup.json"
    generators.write_backup(path, list(generators.make_conversations(4, 3, 1, 1, old_every=0)))
    codes = set()
    for at in range(1, 400, 7):
        plan.arm(kind, at)
        code = run("import_indexeddb", str(path))
        plan.take_back()
        told = "".join(capsys.readouterr())
        if not plan.is_met:
            break
        codes.add(code)
        assert FAULTS[kind].what in told, (at, told)
        assert code in (1, RETURN_CODE), (at, told)
        assert code == RETURN_CODE or "What was imported until then is stored." in told, (at, told)
    assert code == 0, told
    assert Conversation.objects.count() == 4
    assert not MigrationRun.objects.filter(status=MigrationRun.Status.RUNNING).exists()
