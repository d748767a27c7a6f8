"""The conversations that big-AGI itself wrote, over the API: sent in, read, and sent back."""

import json
from pathlib import Path

import pytest

from chats.models import Conversation
from stores.models import Change, Quarantine
from stores.records.ids import href
from stores.records.jsontext import same
from tests.api import read, sign_in
from tests.nightly import by_day
from tests.stores.conftest import data_dir, fast_imports  # noqa: F401  (fixtures)
from tests.stores.imports import import_path, stores_of
from tests.strategies import equal_json, first_difference

pytestmark = [pytest.mark.django_db, pytest.mark.real_data]

FLASH = ["flash.json", "flash-compact.json", "flash-with-images.json", "flash-with-images-no-settings.json"]
ONE_CHAT = ["chat-flags.agi.json", "chat-images.agi.json", "chat-persona.agi.json"]
EXPORTS = [*FLASH, "all-chats.agi.json", *ONE_CHAT]
DUMP = "dump.json"


def conversations_of(path: Path) -> list:
    """Return the conversations of a file, by plain `json.loads`."""
    if path.name in ONE_CHAT:
        return [json.loads(path.read_bytes())]
    if path.name in FLASH:
        return stores_of(path)["app-chats"]["state"]["conversations"]
    whole = json.loads(path.read_bytes())
    return find_conversations(whole["indexedDB"]) if path.name == DUMP else whole["conversations"]


def find_conversations(value) -> list:
    """Return the conversations of the chats' store, wherever a copy of the browser's databases has it."""
    if isinstance(value, str) and value.startswith('{"state":{"conversations":'):
        return json.loads(value)["state"]["conversations"]
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [found for member in members for found in find_conversations(member)]


@pytest.fixture(params=by_day([*EXPORTS, DUMP], each=2))
def path(request, real_data: Path) -> Path:
    return real_data / request.param if request.param == DUMP else real_data / "exports" / request.param


def bare(record):
    return {key: value for key, value in record.items() if key != "_server"}


def assert_the_same(source, found):
    assert equal_json(source, found) and same(source, found), first_difference(source, found)


def assert_put_changes_nothing(client, address):
    """Send what is read back: as it came, as another writer of JSON has it, and with what the client saw."""
    before, entries = client.get(address), Change.objects.count()
    read(before)
    reworded = json.dumps(dict(reversed(bare(before.json()).items())), ensure_ascii=False, indent=1)
    for text in (before.content, reworded):
        for headers in ({}, {"If-Match": before["ETag"]}):
            answer = client.put(address, text, content_type="application/json", headers=headers)
            assert answer.status_code == 200, answer.content[:1000]
            assert answer["ETag"] == before["ETag"]
            assert "Bigagi-Change" not in answer
    assert client.get(address).content == before.content
    assert Change.objects.count() == entries


def test_every_file_has_conversations(real_data: Path):
    counts = {name: len(conversations_of(real_data / "exports" / name)) for name in [*FLASH, *ONE_CHAT]}
    assert counts["flash.json"] == counts["flash-with-images.json"] > 3
    assert len(conversations_of(real_data / DUMP)) > 3


def test_a_chat_that_is_sent_comes_back_and_can_be_sent_again(path: Path):
    client = sign_in()
    chats = conversations_of(path)
    for chat in chats:
        made = client.post("/api/chats", json.dumps(chat), content_type="application/json")
        assert made.status_code == 201, made.content[:1000]
        assert_the_same(chat, bare(made.json()))
        assert_the_same(chat, bare(read(client.get(made["Location"]))))
    assert Conversation.objects.count() == Change.objects.count() == len(chats) > 0
    assert not Quarantine.objects.exists()
    for chat in chats:
        assert_put_changes_nothing(client, href("chats", chat["id"]))
        assert_the_same(chat, bare(read(client.get(href("chats", chat["id"])))))


@pytest.mark.usefixtures("fast_imports")
@pytest.mark.parametrize("path", by_day(EXPORTS, each=2, start=1), indirect=True)
def test_a_chat_that_was_imported_can_be_sent_back(path: Path):
    import_path(path)
    client = sign_in()
    for chat in conversations_of(path):
        address = href("chats", chat["id"])
        assert_the_same(chat, bare(read(client.get(address))))
        assert_put_changes_nothing(client, address)


def test_each_message_can_be_sent_back(real_data: Path):
    client = sign_in()
    for chat in conversations_of(real_data / "exports" / "flash.json"):
        client.post("/api/chats", json.dumps(chat), content_type="application/json")
        for message in chat["messages"]:
            address = href("chats", chat["id"], "messages", message["id"])
            assert_the_same(message, bare(read(client.get(address))))
            assert_put_changes_nothing(client, address)
