"""A file that is imported again brings back what was sealed with a key that is lost."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command

from chats.models import Message
from stores.records.keys import adopt_key_file
from tests.stores.import_cases import chat
from tests.stores.imports import chats_here, continued, import_path, write_backup

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports", "data_dir")]

TYPED, KEY = "sk-proj-aB3dE5fG7hI9jK1lM3nO5pQ7", "sk-0123456789abcdefWXYZ"
SERVICE = {"id": "mine", "label": "Mine", "vId": "openai", "setup": {"oaiKey": KEY}}
STORES = {"app-models": {"state": {"sources": [SERVICE], "llms": []}, "version": 5}}


def lose_key(settings) -> None:
    path = Path(settings.KEY_FILE)
    path.write_bytes(Fernet.generate_key())
    adopt_key_file()


@pytest.mark.parametrize("is_newer", [False, True])
def test_sealed_text_is_readable_again(tmp_path: Path, settings, is_newer: bool):
    keep = chat("c1", "Keys", f"Keep {TYPED}.", "I will.")
    import_path(write_backup(tmp_path / "first.json", [keep], stores=STORES))
    lose_key(settings)
    again = write_backup(tmp_path / "again.json", [continued(keep) if is_newer else keep], stores=STORES)

    progress = import_path(again)

    assert progress.run.status == "done"
    assert TYPED in str(chats_here())
    call_command("verify_migration", str(again))
    assert import_path(again).counts["conversation"]["unchanged"] == 1


def test_a_shorter_state_brings_back_what_it_has(tmp_path: Path, settings):
    keep = chat("c1", "Keys", f"Keep {TYPED}.", "I will.")
    import_path(write_backup(tmp_path / "second.json", [continued(keep)], stores=STORES))
    lose_key(settings)
    import_path(write_backup(tmp_path / "first.json", [keep]))
    assert Message.objects.count() == len(keep["messages"]) + 1
    assert TYPED in str(chats_here())
