"""What a run's record says: both counts, and one sentence that can be believed."""

from pathlib import Path

import pytest

from chats.models import Folder
from stores.importers.importer import import_file
from stores.importers.options import Options
from stores.importers.report import proof
from stores.importers.run import Progress
from stores.models import ImportedRecord, MigrationRun
from tests import generators
from tests.stores.imports import import_path

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports")]


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    path = tmp_path / "backup.json"
    generators.write_flash_backup(path, 3, 3)
    return path


@pytest.mark.parametrize("kind", ["conversation", "message", "fragment", "folder", "model"])
def test_a_run_fails_when_reader_and_writer_count_differently(backup: Path, kind: str, monkeypatch):
    counted = Progress.count

    def miscount(self: Progress, counted_kind: str, outcome: str, count: int = 1, reason: str = "") -> None:
        counted(self, counted_kind, outcome, count - (counted_kind == kind and count > 0), reason)

    monkeypatch.setattr(Progress, "count", miscount)

    progress = import_file(backup, Options())

    assert progress.run is not None and progress.run.status == MigrationRun.Status.ERROR
    assert f"{kind}: " in progress.run.blocked_by and "accounted for" in progress.run.blocked_by
    assert "all here" not in proof(progress.run)


def test_the_proof_names_what_stands_in_another_order(backup: Path):
    import_path(backup)
    first, second = Folder.objects.order_by("position")[:2]
    Folder.objects.filter(pk=first.pk).update(position=second.position)
    Folder.objects.filter(pk=second.pk).update(position=first.position)
    ImportedRecord.objects.update(is_verified=False)

    progress = import_path(backup)

    assert progress.run is not None
    assert "in another order here" in proof(progress.run)
