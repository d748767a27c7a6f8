"""Losing the key file costs API keys, never chats, and there is a way on."""

from io import StringIO
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from chats.models import Conversation
from stores.importers.importer import import_file
from stores.importers.incoming import Refused
from stores.importers.options import Options
from stores.models import MigrationRun, Secret
from stores.records.keys import tell_foreign, why_unreadable
from stores.records.secrets import is_readable
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


def test_forgetting_deletes_nothing_and_lets_the_keys_be_imported_again(backup: Path, settings):
    right = settings.KEY_FILE.read_bytes()
    settings.KEY_FILE.unlink()
    told = StringIO()
    call_command("forget_secrets", stdout=told)
    known = Secret.objects.count()
    assert f"{known} of {known}" in told.getvalue()

    call_command("forget_secrets", "--yes", stdout=told)
    assert f"{known} stored secrets cannot be read" in told.getvalue()
    assert why_unreadable() == "" and tell_foreign() == ""
    import_path(backup)

    assert Secret.objects.count() == 2 * known
    assert Conversation.objects.count() == 2
    # The lost key is found: it belongs into the file, in whatever line.
    settings.KEY_FILE.write_bytes(settings.KEY_FILE.read_bytes() + right)
    assert all(is_readable(secret) for secret in Secret.objects.all())


def test_a_file_without_a_key_is_told_and_not_overwritten(backup: Path, settings):
    settings.KEY_FILE.write_bytes(b"no key at all")
    with pytest.raises(CommandError, match="contains no key. .* move it"):
        call_command("forget_secrets", "--yes", stdout=StringIO())
    assert settings.KEY_FILE.read_bytes() == b"no key at all"


def test_forgetting_keeps_what_can_be_read(backup: Path):
    known = Secret.objects.count()
    call_command("forget_secrets", "--yes", stdout=StringIO())
    assert Secret.objects.count() == known
