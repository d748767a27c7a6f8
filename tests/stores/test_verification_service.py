"""`verify_migration` compares a file with what is here, and names every difference."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from chats.models import Asset, Conversation, Folder, Fragment, Message
from llms.models import Model
from stores.importers.certificate import name_differences
from stores.importers.verifier import Verification
from stores.models import Quarantine, Revision, Store
from stores.records import jsontext
from stores.records.registry import collection_of
from tests import generators
from tests.stores.imports import (
    asset_path,
    chats_here,
    continued,
    import_path,
    make_chats,
    stores_of,
    write_backup,
)
from tests.stores.test_import_decisions import change_here

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports")]


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """Write and import a backup."""
    path = tmp_path / "backup.json"
    generators.write_flash_backup(path, 6, 5, images=2)
    import_path(path)
    return path


def named(path: Path) -> dict[tuple[str, str], tuple[str, list[Any]]]:
    """Verify the file and return what is named: state and differences by kind and id."""
    records = Verification(path).run().records
    return {(one["kind"], one["id"]): (one["state"], one["differences"]) for one in records}


def verify(path: Path, *options: str) -> tuple[int, str]:
    """Run the command; return its exit status and what it printed."""
    out = StringIO()
    try:
        call_command("verify_migration", str(path), *options, stdout=out)
    except SystemExit as exit:
        return int(exit.code or 0), out.getvalue()
    return 0, out.getvalue()


def run_sql(statement: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def test_it_finds_nothing_after_an_import(backup: Path):
    certificate = Verification(backup).run()
    assert certificate.records == [] and certificate.notes == []
    assert set(certificate.states) == {"same"}
    assert certificate.counts["conversation"] == 6 and certificate.counts["message"] == 30
    assert verify(backup)[0] == 0


def test_it_counts_what_plain_json_counts(backup: Path):
    stores = stores_of(backup)
    chats = stores["app-chats"]["state"]["conversations"]
    messages = [message for chat in chats for message in chat["messages"]]
    counts = Verification(backup).run().counts
    assert counts["message"] == len(messages)
    assert counts["fragment"] == sum(len(message["fragments"]) for message in messages)
    assert counts["model"] == len(stores["app-models"]["state"]["llms"])
    assert counts["store"] == len(stores)


def test_it_names_a_changed_text_with_both_values(backup: Path):
    fragment = Fragment.objects.filter(pt="text").order_by("pk").last()
    assert fragment is not None
    run_sql("UPDATE chats_fragment SET text = 'corrupted' WHERE id = %s", fragment.pk)
    uid = fragment.message.conversation.uid
    state, (difference,) = named(backup)[("conversation", uid)]
    assert state == "differs"
    assert difference["path"].startswith(f"/messages/{fragment.message.position}/fragments/{fragment.position}/part")
    assert difference["ours"] == '"corrupted"'
    assert difference["source"].startswith(jsontext.encode(fragment.text)[:100])
    status, told = verify(backup)
    assert status == 1 and uid in told and '"corrupted"' in told


def test_a_changed_text_is_no_change_of_the_owner_for_hashes_that_were_forged(backup: Path):
    message = Message.objects.order_by("pk").first()
    assert message is not None
    run_sql("UPDATE chats_fragment SET text = 'corrupted' WHERE message_id = %s", message.pk)
    run_sql("UPDATE chats_message SET content_hash = 'forged' WHERE id = %s", message.pk)
    run_sql("UPDATE chats_conversation SET content_hash = 'forged' WHERE id = %s", message.conversation_id)
    assert named(backup)[("conversation", message.conversation.uid)][0] == "differs"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM chats_fragment WHERE id = (SELECT max(id) FROM chats_fragment)",
        "DELETE FROM chats_fragment WHERE message_id = (SELECT max(id) FROM chats_message)",
        "UPDATE chats_message SET position = position + 100 WHERE position = 1",
        "UPDATE chats_fragment SET part = NULL WHERE id = (SELECT max(id) FROM chats_fragment)",
        "UPDATE chats_message SET token_count = NULL WHERE id = (SELECT max(id) FROM chats_message)",
        "UPDATE chats_message SET extra = '{\"more\": 1}' WHERE id = (SELECT max(id) FROM chats_message)",
        "UPDATE chats_conversation SET is_archived = (is_archived IS NOT TRUE)",
    ],
)
def test_it_sees_each_damage_to_a_chats_rows(backup: Path, statement: str):
    run_sql(statement)
    assert "differs" in {state for state, _ in named(backup).values()}
    assert verify(backup)[0] == 1


def test_it_sees_messages_that_changed_places(backup: Path):
    first, second = Message.objects.filter(position__in=(1, 2)).order_by("conversation", "position")[:2]
    run_sql("UPDATE chats_message SET position = 99 WHERE id = %s", first.pk)
    run_sql("UPDATE chats_message SET position = 1 WHERE id = %s", second.pk)
    run_sql("UPDATE chats_message SET position = 2 WHERE id = %s", first.pk)
    state, differences = named(backup)[("conversation", first.conversation.uid)]
    assert state == "differs"
    assert {"/messages/1/id", "/messages/2/id"} <= {one["path"] for one in differences}


@pytest.mark.parametrize("model", [Conversation, Folder, Model, Asset])
def test_it_names_records_that_changed_places(backup: Path, model: Any):
    first, second = model.objects.order_by("position")[:2]
    model.objects.filter(pk=first.pk).update(position=second.position)
    model.objects.filter(pk=second.pk).update(position=first.position)
    (state, differences) = named(backup)[(model._meta.model_name, second.uid)]
    assert state == "in another order" and first.uid in differences[0]["source"]


def test_true_is_not_one(backup: Path):
    store = Store.objects.get(name="app-ux-labs")
    changed = {**store.data, "labsAutoHideComposer": 1}
    run_sql("UPDATE stores_store SET data = %s WHERE id = %s", json.dumps(changed), store.pk)
    state, (difference,) = named(backup)[("store", "app-ux-labs")]
    assert state == "differs"
    assert difference == {"path": "/state/labsAutoHideComposer", "source": "true", "ours": "1"}


def test_it_tells_changed_deleted_and_missing_apart(backup: Path):
    changed, deleted, missing = chats_here()[:3]
    change_here(collection_of("conversation"), changed["id"], continued(changed))
    Conversation.objects.filter(uid=deleted["id"]).delete()
    Conversation.objects.filter(uid=missing["id"]).delete()
    run_sql("DELETE FROM stores_importedrecord WHERE uid = %s", missing["id"])
    found = named(backup)
    assert found[("conversation", changed["id"])][0] == "changed here"
    assert found[("conversation", deleted["id"])][0] == "deleted here"
    assert found[("conversation", missing["id"])][0] == "missing"
    assert len(found) == 3
    status, told = verify(backup)
    assert status == 1 and f"conversation {missing['id']}: missing" in told


def test_what_was_changed_or_deleted_here_is_told(backup: Path):
    changed, deleted = chats_here()[:2]
    change_here(collection_of("conversation"), changed["id"], continued(changed))
    Conversation.objects.filter(uid=deleted["id"]).delete()
    status, told = verify(backup)
    assert status == 1
    assert "Missing" not in told
    assert f"conversation {changed['id']}: changed here" in told
    assert f"conversation {deleted['id']}: deleted here" in told


def test_a_second_import_does_not_prove_what_was_deleted_since(backup: Path):
    gone = chats_here()[0]["id"]
    Conversation.objects.filter(uid=gone).delete()
    progress = import_path(backup)
    assert progress.certificate is not None
    assert progress.certificate["states"]["deleted here"] == 1


def test_it_names_a_missing_store(backup: Path):
    Store.objects.filter(name="app-ui").delete()
    run_sql("DELETE FROM stores_importedrecord WHERE uid = 'app-ui'")
    assert named(backup)[("store", "app-ui")][0] == "missing"


# --- images ---


def test_it_names_an_image_whose_file_is_gone(backup: Path):
    asset = Asset.objects.first()
    assert asset is not None
    asset_path(asset).unlink()
    state, (difference,) = named(backup)[("asset", asset.uid)]
    assert state == "differs" and "cannot be read" in difference["ours"]
    assert verify(backup)[0] == 1


def test_it_names_an_image_with_a_flipped_bit(backup: Path):
    asset = Asset.objects.first()
    assert asset is not None
    content = bytearray(asset_path(asset).read_bytes())
    content[len(content) // 2] ^= 1
    asset_path(asset).write_bytes(content)
    state, (difference,) = named(backup)[("asset", asset.uid)]
    assert state == "differs" and "different bytes" in difference["ours"]


def test_importing_again_brings_back_an_image_whose_file_is_gone(backup: Path):
    asset = Asset.objects.first()
    assert asset is not None
    asset_path(asset).unlink()
    import_path(backup)
    assert Verification(backup).run().differences == 0


# --- damage ---


@pytest.fixture
def damaged_backup(tmp_path: Path) -> Path:
    """Write and import a backup with a chat that cannot be read, and damage inside others."""
    chats = make_chats(4)
    chats[1]["messages"][1]["fragments"].insert(0, None)
    chats[2]["messages"].insert(1, {"no": "id"})
    path = write_backup(tmp_path / "damaged.json", chats, stores=generators.make_stores(1, []))
    text = path.read_text(encoding="utf-8")
    place = text.index(chats[3]["id"]) + len(chats[3]["id"] + '\\"')
    path.write_text(text[:place] + "}" + text[place:], encoding="utf-8")
    import_path(path)
    return path


def test_a_damaged_file_is_compared_as_far_as_it_can_be_read(damaged_backup: Path):
    certificate = Verification(damaged_backup).run()
    assert certificate.differences == 0
    assert certificate.states["quarantined"] == 2
    assert any("damaged" in note for note in certificate.notes)


def test_it_misses_a_row_of_the_quarantine(damaged_backup: Path):
    before = Verification(damaged_backup).run().differences
    for row in Quarantine.objects.all():
        with_raw = row.raw
        row.delete()
        assert Verification(damaged_backup).run().differences == before + 1, with_raw[:80]
        row.save(force_insert=True)
    assert Quarantine.objects.count() >= 3
    assert Verification(damaged_backup).run().differences == before


def test_it_sees_what_is_lost_of_a_damaged_file(damaged_backup: Path):
    Fragment.objects.order_by("pk").first().delete()  # type: ignore[union-attr]
    assert Verification(damaged_backup).run().differences == 1


def test_it_misses_the_recovery_copy(tmp_path: Path):
    entries = [{"key": "app-chats-v3", "value": '{"state": {"conversations": []}}'}]
    path = write_backup(tmp_path / "backup.json", make_chats(1), entries=entries)
    import_path(path)
    assert Verification(path).run().differences == 0
    Revision.objects.filter(uid="app-chats-v3").delete()
    assert named(path)[("store", "app-chats-v3")][0] == "missing"


def test_a_chat_that_a_newer_file_brought_is_no_difference_to_an_older_one(tmp_path: Path):
    (chat,) = make_chats(1)
    older = tmp_path / "older.json"
    generators.write_one_chat(older, chat)
    import_path(older)
    import_path(write_backup(tmp_path / "newer.json", [continued(chat)]))
    assert named(older)[("conversation", chat["id"])][0] == "from another file"
    import_path(older)


def test_chats_that_are_no_string_are_compared_too(tmp_path: Path):
    chats = {"state": {"conversations": make_chats(2)}, "version": 4}
    entries = [{"key": "app-chats", "value": chats}]
    path = write_backup(tmp_path / "backup.json", None, entries=entries)
    import_path(path)
    assert Verification(path).run().counts["conversation"] == 2
    Conversation.objects.all().delete()
    assert Verification(path).run().states["deleted here"] == 2


# --- the command ---


def test_its_json_has_the_same_as_the_certificate(backup: Path):
    Fragment.objects.order_by("pk").first().delete()  # type: ignore[union-attr]
    status, told = verify(backup, "--json")
    assert status == 1
    assert json.loads(told) == Verification(backup).run().as_json()


def test_it_shows_no_secret_in_a_difference(backup: Path):
    from llms.models import Service

    Service.objects.filter(uid="openai").update(setup={"oaiKey": "", "oaiHost": ""})
    told = verify(backup, "--json")[1] + verify(backup)[1]
    assert "oaiKey" in told and "FAKE" not in told


@pytest.mark.parametrize(
    ("source", "ours", "paths"),
    [
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": True}, {"a": 1}, ["/a"]),
        ({"a": None}, {}, ["/a"]),
        ([1, 2], [2, 1], ["/0", "/1"]),
        ([1], [1, None], ["/1"]),
        ({"a": {"b": [{}]}}, {"a": {"b": [[]]}}, ["/a/b/0"]),
        (1, "1", ["/"]),
    ],
)
def test_every_place_that_differs_is_named(source: Any, ours: Any, paths: list[str]):
    assert [one["path"] for one in name_differences(source, ours)] == paths
