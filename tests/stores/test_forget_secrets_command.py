"""Losing the key file costs API keys, never chats, and there is a way on."""

from io import StringIO
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from chats.models import Conversation
from stores.importers.importer import Options, import_file
from stores.importers.incoming import Refused
from stores.models import MigrationRun, Secret
from tests import generators
from tests.stores.imports import import_path

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports")]


@pytest.fixture
def backup(tmp_path: Path, settings) -> Path:
    settings.KEY_FILE = tmp_path / "own.key"
    path = tmp_path / "backup.json"
    generators.write_flash_backup(path, 2, 3)
    import_path(path)
    assert Secret.objects.exists()
    return path


def test_a_lost_key_file_is_never_made_anew_beside_what_it_encrypted(backup: Path, settings):
    settings.KEY_FILE.unlink()
    for command in ("import_indexeddb", "verify_migration"):
        with pytest.raises((CommandError, SystemExit)):
            call_command(command, str(backup), stderr=StringIO(), stdout=StringIO())
        assert not settings.KEY_FILE.exists()
    with pytest.raises(Refused, match="forget_secrets"):
        import_file(backup, Options())
    assert MigrationRun.objects.count() == 1


def test_a_wrong_key_file_is_refused_before_anything_is_written(backup: Path, settings):
    settings.KEY_FILE.write_bytes(Fernet.generate_key())
    with pytest.raises(Refused, match="does not match"):
        import_file(backup, Options())
    assert MigrationRun.objects.count() == 1


def test_forgetting_lets_the_keys_be_imported_again(backup: Path, settings):
    settings.KEY_FILE.unlink()
    told = StringIO()
    call_command("forget_secrets", stdout=told)
    known = Secret.objects.count()
    assert f"{known} of {known}" in told.getvalue()

    call_command("forget_secrets", "--yes", stdout=told)
    assert not Secret.objects.exists()
    import_path(backup)

    assert Secret.objects.count() == known
    assert Conversation.objects.count() == 2


def test_forgetting_keeps_what_can_be_read(backup: Path):
    known = Secret.objects.count()
    call_command("forget_secrets", "--yes", stdout=StringIO())
    assert Secret.objects.count() == known
