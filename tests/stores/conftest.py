"""What the tests of imports need."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from stores.importers import importer, record_writer


@pytest.fixture
def data_dir(settings, tmp_path: Path) -> Path:
    """Point the data folder and the key file elsewhere; the database stays the tests' own."""
    settings.DATA_DIR = tmp_path / "data"
    settings.ASSETS_DIR = settings.DATA_DIR / "assets"
    settings.BACKUPS_DIR = settings.DATA_DIR / "backups"
    settings.KEY_FILE = settings.DATA_DIR / "secrets.key"
    settings.DATA_DIR.mkdir()
    return settings.DATA_DIR


@pytest.fixture
def fast_imports(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Leave out what costs time and has tests of its own: the backup before, the pause between transactions."""
    monkeypatch.setattr(importer, "create_backup", lambda reason: SimpleNamespace(path=reason))
    monkeypatch.setattr(record_writer, "PAUSE", 0)
    return data_dir
