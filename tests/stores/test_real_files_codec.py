"""The files that big-AGI itself wrote: all of each comes in, is found by the verification, and goes out equal."""

import json
from collections import Counter
from pathlib import Path

import pytest
from django.core.management import call_command

from chats.assets import find_assets, open_asset, uuid_of
from chats.models import Asset, Conversation, Folder, Fragment, Message
from llms.models import Model, Service
from stores.models import Quarantine
from stores.records import secrets
from tests.stores.imports import assert_all_here, assets_of, dump, import_path, stores_of
from tests.strategies import equal_json, first_difference

pytestmark = [pytest.mark.django_db, pytest.mark.real_data, pytest.mark.usefixtures("fast_imports")]

FULL = ["flash.json", "flash-compact.json", "flash-with-images.json", "flash-with-images-no-settings.json"]
ONE_CHAT = ["chat-flags.agi.json", "chat-images.agi.json", "chat-persona.agi.json"]

FRAGMENTS = {
    ("content", "text"): 58,
    ("void", "ma"): 6,
    ("attachment", "doc"): 5,
    ("attachment", "reference"): 3,
    ("content", "reference"): 1,
    ("content", "error"): 1,
    ("void", "annotations"): 1,
}
"""What the data's README counts."""


def assert_equal(source, found):
    assert equal_json(source, found), first_difference(source, found)


def verify(path: Path, capsys) -> dict:
    call_command("verify_migration", str(path), "--json")
    return json.loads(capsys.readouterr().out)


@pytest.fixture(params=[*FULL, "all-chats.agi.json", *ONE_CHAT])
def path(request, real_data: Path) -> Path:
    return real_data / "exports" / request.param


def test_no_file_is_left_out(real_data: Path):
    found = {path.name for path in (real_data / "exports").iterdir() if path.suffix != ".md"}

    assert found == {*FULL, "all-chats.agi.json", *ONE_CHAT}


def test_a_verification_finds_nothing(path: Path, capsys):
    progress = import_path(path)

    certificate = verify(path, capsys)

    assert certificate["differences"] == 0
    assert certificate["states"].keys() == {"same"}
    assert certificate["counts"]["message"] == progress.read["message"] == Message.objects.count()
    assert not Quarantine.objects.exists()
    assert progress.errors == []


@pytest.mark.parametrize("name", FULL)
def test_a_flash_backup_comes_back(real_data: Path, name: str):
    path = real_data / "exports" / name

    import_path(path)

    assert len(stores_of(path)) >= (1 if "no-settings" in name else 10)
    assert_all_here(path)


@pytest.mark.parametrize("name", FULL)
def test_the_counts_are_those_of_the_readme(real_data: Path, name: str):
    import_path(real_data / "exports" / name)

    assert (Conversation.objects.count(), Message.objects.count()) == (12, 60)
    assert Counter(Fragment.objects.values_list("ft", "pt")) == FRAGMENTS
    assert Asset.objects.count() == (4 if "with-images" in name else 0)
    if "no-settings" not in name:
        assert (Service.objects.count(), Model.objects.count()) == (3, 29)
        assert sorted(folder.memberships.count() for folder in Folder.objects.all()) == [1, 2]


def test_an_export_of_all_chats_comes_back(real_data: Path):
    path = real_data / "exports" / "all-chats.agi.json"
    source = json.loads(path.read_text())

    import_path(path)

    assert_equal(source["conversations"], dump("app-chats")["state"]["conversations"])
    assert_equal(source["models"], dump("app-models")["state"])
    assert_equal(source["folders"], dump("app-folders")["state"])
    assert dump("app-chats")["version"] == 4
    assert dump("app-models")["version"] == 5


@pytest.mark.parametrize("name", ONE_CHAT)
def test_an_export_of_one_chat_comes_back(real_data: Path, name: str):
    path = real_data / "exports" / name

    import_path(path)

    assert_equal([json.loads(path.read_text())], dump("app-chats")["state"]["conversations"])


def test_all_files_over_each_other_lose_nothing(real_data: Path):
    for name in [*ONE_CHAT, "all-chats.agi.json", *FULL, *ONE_CHAT]:
        import_path(real_data / "exports" / name)

    # In whatever order they came: what a kind of file cannot carry is filled in by one that can.
    path = real_data / "exports" / "flash-with-images.json"
    source = {chat["id"]: chat for chat in stores_of(path)["app-chats"]["state"]["conversations"]}
    found = {chat["id"]: chat for chat in dump("app-chats")["state"]["conversations"]}
    assert_equal(source, found)
    assert Asset.objects.count() == 4


def test_image_references_of_both_generations_resolve(real_data: Path):
    path = real_data / "exports" / "flash-with-images.json"
    import_path(path)
    parts = [
        fragment["part"]
        for chat in dump("app-chats")["state"]["conversations"]
        for message in chat["messages"]
        for fragment in message["fragments"]
        if fragment["part"]["pt"] in ("reference", "image_ref")
    ]
    old = [part["_legacyImageRefPart"] for part in parts]
    assert len(parts) == 4

    found = find_assets(parts), find_assets(old), find_assets([{"zUuid": part["zUuid"]} for part in parts])

    names = [(part["zUuid"], part["_legacyImageRefPart"]["dataRef"]["dblobAssetId"]) for part in parts]
    assert all(found[0][uid].uid == found[1][uid].uid == found[2][uuid].uid == uid for uuid, uid in names)
    assert all(uuid_of(uid) == uuid for uuid, uid in names)


def test_the_bytes_of_images_are_files(real_data: Path):
    path = real_data / "exports" / "flash-with-images.json"
    import_path(path)

    for source in assets_of(path):
        asset = Asset.objects.get(uid=source["id"])
        with open_asset(asset) as file:
            assert len(file.read()) == asset.size
        assert asset.mime_type == source["data"]["mimeType"]


def test_keys_are_shown_only_on_wish(real_data: Path, capsys):
    import_path(real_data / "exports" / "flash.json")
    setups = [source["setup"] for source in dump("app-models")["state"]["sources"]]
    keys = [value for setup in setups for name, value in setup.items() if name.endswith("Key") and value]
    assert keys

    call_command("export_store", "app-models")
    masked = capsys.readouterr().out
    call_command("export_store", "app-models", "--with-secrets")
    shown = capsys.readouterr().out

    assert not any(key in masked for key in keys)
    assert all(key in shown for key in keys)
    assert secrets.MARKER in masked
    assert secrets.MARKER not in shown
