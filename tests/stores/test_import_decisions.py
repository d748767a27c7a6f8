"""An import never overwrites or shortens what is newer here: each rule, and each outcome."""

import copy
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from chats.bigagi.titles import number_title, title_of
from chats.models import Conversation, Folder, FolderMembership, Message
from llms.models import Service
from stores.importers.file_facts import Strategy
from stores.importers.report import proof
from stores.importers.verifier import Verification
from stores.models import ImportedRecord, Revision, Store
from stores.records.codecs import Rows
from stores.records.collections import Collection
from stores.records.merging.rules import Rule
from stores.records.opaque_stores import OPAQUE_STORES
from stores.records.registry import collection_of
from stores.records.sealing import Sealer
from tests import generators
from tests.stores.imports import (
    assert_all_here,
    chats_here,
    continued,
    counts_of,
    dump,
    everything_here,
    import_path,
    make_chats,
    typed,
    write_backup,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports")]

EARLIER, LATER, LATEST = "2026-11-20T00:00:00.000Z", "2026-11-22T00:00:00.000Z", "2026-11-23T00:00:00.000Z"


def change_here(collection: Collection, uid: str, value: Any) -> None:
    """Write a record as a person who edits it here does."""
    sealer = Sealer()
    converted, _ = collection.convert(sealer.seal(value), uid)
    sealer.save()
    rows: Rows = collection.to_rows(converted, uid)
    collection.replace(collection.find([uid])[uid], rows)


def bodies(reason: str, kind: str = "conversation") -> list[Any]:
    revisions = Revision.objects.filter(reason=reason, kind=kind).order_by("pk")
    return [json.loads(revision.body) for revision in revisions]


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    path = tmp_path / "backup.json"
    generators.write_flash_backup(path, 8, 5, images=2)
    return path


# --- chats ---


def test_a_first_import_creates_everything(backup: Path):
    progress = import_path(backup)
    assert counts_of(progress) == {"created": 8}
    assert all(set(counts_of(progress, kind)) <= {"created"} for kind in progress.outcomes)
    assert_all_here(backup)


def test_a_second_import_of_the_same_file_changes_nothing(backup: Path):
    import_path(backup)
    before = everything_here()
    progress = import_path(backup)
    assert all(set(counts_of(progress, kind)) <= {"unchanged"} for kind in progress.outcomes)
    assert everything_here() == before


def test_the_same_file_leaves_alone_what_was_changed_here_since(backup: Path):
    import_path(backup)
    chat = continued(chats_here()[0], "written here")
    change_here(collection_of("conversation"), chat["id"], chat)
    progress = import_path(backup)
    assert counts_of(progress) == {"unchanged": 8}
    assert typed(chats_here()[0]) == typed(chat)
    assert Revision.objects.filter(reason="source").count() == 0


def test_the_same_chat_in_other_words_is_unchanged(tmp_path: Path):
    chats = make_chats(3)
    import_path(write_backup(tmp_path / "first.json", chats))
    turned = [dict(reversed(chat.items())) | {"tokenCount": float(chat["tokenCount"])} for chat in chats]
    progress = import_path(write_backup(tmp_path / "second.json", turned))
    assert counts_of(progress) == {"unchanged": 3}


def test_a_continued_chat_is_updated_and_the_earlier_is_kept(tmp_path: Path):
    chats = make_chats(3)
    import_path(write_backup(tmp_path / "first.json", chats))
    newer = [chats[0], continued(chats[1]), chats[2]]
    progress = import_path(write_backup(tmp_path / "second.json", newer))
    assert counts_of(progress) == {"updated": 1, "unchanged": 2}
    assert counts_of(progress, "message") == {"created": 1, "unchanged": 12}
    assert typed(chats_here()) == typed(newer)
    assert typed(bodies("replaced")) == typed([chats[1]])


def test_a_changed_chat_of_the_same_time_is_updated(tmp_path: Path):
    chats = make_chats(2)
    import_path(write_backup(tmp_path / "first.json", chats))
    renamed = [chats[0] | {"userTitle": "Renamed"}, chats[1]]
    progress = import_path(write_backup(tmp_path / "second.json", renamed))
    assert counts_of(progress) == {"updated": 1, "unchanged": 1}
    assert typed(chats_here()) == typed(renamed)


def test_an_older_chat_is_skipped(tmp_path: Path):
    chats = make_chats(2)
    newer = [continued(chats[0]), chats[1]]
    import_path(write_backup(tmp_path / "newer.json", newer))
    progress = import_path(write_backup(tmp_path / "older.json", chats, taken_at=EARLIER))
    assert counts_of(progress) == {"skipped": 1, "unchanged": 1}
    assert progress.reasons["conversation"] == {"older": 1}
    assert progress.reasons["message"] == {"older": 4}
    assert typed(chats_here()) == typed(newer)


def test_a_chat_without_a_time_is_as_old_as_its_file(tmp_path: Path):
    (chat,) = make_chats(1)
    timeless = chat | {"updated": None}
    longer = continued(timeless) | {"updated": None}
    import_path(write_backup(tmp_path / "newer.json", [longer]))
    progress = import_path(write_backup(tmp_path / "older.json", [timeless], taken_at=EARLIER))
    assert progress.reasons["conversation"] == {"older": 1}
    progress = import_path(write_backup(tmp_path / "newest.json", [continued(longer)], taken_at=LATER))
    assert counts_of(progress) == {"updated": 1}


def test_a_newer_export_with_less_reasoning_keeps_what_the_older_had(tmp_path: Path):
    (chat,) = make_chats(1, messages=3)
    import_path(write_backup(tmp_path / "first.json", [chat]))
    longer = continued(chat)
    shorter = copy.deepcopy(longer)
    for message in shorter["messages"]:
        message["fragments"] = [one for one in message["fragments"] if one["part"]["pt"] != "ma"]
    path = write_backup(tmp_path / "second.json", [shorter])
    progress = import_path(path)
    assert typed(chats_here()) == typed([longer])
    assert counts_of(progress) == {"merged": 1}
    assert progress.rules["conversation"] == {Rule.REASONING: 1, Rule.CONTINUED: 1}
    assert proof(progress.run) == "1 chat, 4 messages: all here, verified."


def test_a_chat_continued_on_both_sides_stays_and_the_other_is_a_branch_of_it_once(tmp_path: Path):
    chats = make_chats(2)
    import_path(write_backup(tmp_path / "first.json", chats))
    mine = continued(chats[0], "written here")
    change_here(collection_of("conversation"), mine["id"], mine)
    theirs = continued(chats[0], "written there", minutes=5)
    path = write_backup(tmp_path / "second.json", [theirs, chats[1]])
    previewed = import_path(path, dry_run=True)
    progress = import_path(path)
    assert counts_of(progress) == counts_of(previewed) == {"merged": 1, "unchanged": 1}
    assert progress.rules == previewed.rules == {"conversation": {Rule.BRANCHED: 1}}
    assert counts_of(progress, "message") == counts_of(previewed, "message") == {"created": 1, "unchanged": 8}
    assert counts_of(import_path(path)) == {"unchanged": 2}
    branch, *here = chats_here()
    assert typed(here) == typed([mine, chats[1]])
    assert branch["autoTitle"] == number_title(title_of(theirs))
    assert typed(branch["messages"]) == typed(theirs["messages"])
    assert ImportedRecord.objects.get(uid=branch["id"]).branch_of == mine["id"]
    assert proof(progress.run) == "2 chats, 9 messages: all here, verified."
    assert Verification(path).run().states == {"merged": 1, "same": 2}

    import_path(write_backup(tmp_path / "third.json", [continued(theirs, "and on there"), chats[1]]))
    assert typed(chats_here()[1:]) == typed([mine, chats[1]])
    assert len(chats_here()[0]["messages"]) == len(theirs["messages"]) + 1


def test_a_branch_that_was_deleted_here_stays_deleted(tmp_path: Path):
    (chat,) = make_chats(1)
    import_path(write_backup(tmp_path / "first.json", [continued(chat, "one way", minutes=9)]))
    path = write_backup(tmp_path / "second.json", [continued(chat, "another way")])
    import_path(path)
    branch = ImportedRecord.objects.exclude(branch_of="").get()
    Conversation.objects.filter(uid=branch.uid).delete()
    for again in (path, write_backup(tmp_path / "third.json", [continued(continued(chat, "another way"), "more")])):
        progress = import_path(again)
        assert Conversation.objects.count() == 1
    assert "Kept aside: 2 messages" in proof(progress.run)


def test_what_a_merge_cannot_find_any_more_is_missing(tmp_path: Path):
    (chat,) = make_chats(1)
    import_path(write_backup(tmp_path / "first.json", [continued(chat, "one way", minutes=9)]))
    path = write_backup(tmp_path / "second.json", [continued(chat, "another way")])
    import_path(path)
    uid = ImportedRecord.objects.exclude(branch_of="").get().uid
    Message.objects.filter(conversation__uid=uid).order_by("position").last().delete()  # type: ignore[union-attr]
    assert Verification(path).run().states == {"differs": 1, "same": 1}


@pytest.mark.parametrize("strategy", Strategy)
def test_each_strategy_keeps_both_sides(strategy: Strategy, tmp_path: Path):
    (chat,) = make_chats(1)
    import_path(write_backup(tmp_path / "first.json", [chat]))
    mine, theirs = continued(chat, "written here"), continued(chat, "written there", minutes=5)
    change_here(collection_of("conversation"), mine["id"], mine)
    path = write_backup(tmp_path / "second.json", [theirs])
    progress = import_path(path, strategy=strategy)
    before = everything_here()
    again = import_path(path, strategy=strategy)
    assert everything_here() == before and set(counts_of(again)) <= {"unchanged", "skipped", "merged"}
    shown = {typed(one["messages"]) for one in chats_here()}
    both = {typed(one["messages"]) for one in (mine, theirs)}
    assert shown == {"ours": {typed(mine["messages"])}, "theirs": {typed(theirs["messages"])}}.get(strategy, both)
    kept = {typed(one["messages"]) for one in (*bodies("source"), *bodies("replaced"))}
    assert both <= shown | kept
    assert proof(progress.run).endswith("all here, verified.") == (strategy != Strategy.OURS)


def test_an_older_backup_over_a_chat_continued_here_takes_nothing_away(tmp_path: Path):
    chats = make_chats(2)
    import_path(write_backup(tmp_path / "first.json", [continued(chats[0]), chats[1]]))
    mine = continued(continued(chats[0]), "written here")
    change_here(collection_of("conversation"), mine["id"], mine)
    import_path(write_backup(tmp_path / "older.json", chats, taken_at=EARLIER))
    assert typed(chats_here()) == typed([mine, chats[1]])


def test_what_was_deleted_here_stays_deleted(backup: Path, tmp_path: Path):
    import_path(backup)
    chats = chats_here()
    Conversation.objects.filter(uid=chats[2]["id"]).delete()
    progress = import_path(backup)
    assert counts_of(progress) == {"unchanged": 7, "skipped": 1}
    assert progress.reasons["conversation"] == {"deleted here": 1}
    changed = [continued(chat) for chat in chats]
    progress = import_path(write_backup(tmp_path / "newer.json", changed, taken_at=LATER))
    assert progress.reasons["conversation"] == {Rule.DELETED_AND_CONTINUED: 1}
    assert any("import the file again with --restore-deleted" in note for note in progress.notes)
    assert [chat["id"] for chat in chats_here()] == [chat["id"] for at, chat in enumerate(chats) if at != 2]


def test_what_was_deleted_comes_back_to_its_place_on_wish(backup: Path):
    import_path(backup)
    chats = chats_here()
    Conversation.objects.filter(uid__in=[chats[2]["id"], chats[5]["id"]]).delete()
    Folder.objects.filter(title="").delete()
    progress = import_path(backup, restore_deleted=True)
    assert counts_of(progress) == {"unchanged": 6, "created": 2}
    assert counts_of(progress, "folder") == {"unchanged": 2, "created": 1}
    assert_all_here(backup)


def test_what_the_file_does_not_have_stays(tmp_path: Path):
    chats = make_chats(4)
    import_path(write_backup(tmp_path / "all.json", chats, stores=generators.make_stores(1, [])))
    stores = {name: dump(name) for name in ("app-models", "app-folders", "app-ui", "joy-mode")}
    import_path(write_backup(tmp_path / "some.json", [chats[2]], stores={}, taken_at=LATER))
    assert typed(chats_here()) == typed(chats)
    assert typed({name: dump(name) for name in stores}) == typed(stores)


def test_new_chats_go_on_top_in_the_order_of_their_file(tmp_path: Path):
    chats = make_chats(6)
    import_path(write_backup(tmp_path / "first.json", chats[3:5]))
    import_path(write_backup(tmp_path / "second.json", [chats[0], chats[3], chats[1], chats[4]]))
    import_path(write_backup(tmp_path / "third.json", [chats[5]]))
    expected = [chats[at] for at in (5, 0, 1, 3, 4)]
    assert typed(chats_here()) == typed(expected)


def test_the_same_message_id_can_stand_in_two_chats(tmp_path: Path):
    (chat,) = make_chats(1)
    twin = copy.deepcopy(chat) | {"id": "twin"}
    import_path(write_backup(tmp_path / "backup.json", [chat, twin]))
    assert typed(chats_here()) == typed([chat, twin])
    assert Message.objects.filter(uid=chat["messages"][0]["id"]).count() == 2


# --- kinds of files that carry less ---


@pytest.mark.parametrize("kind", ["all-chats", "one-chat"])
def test_what_a_kind_of_file_cannot_carry_is_no_difference(backup: Path, tmp_path: Path, kind: str):
    import_path(backup)
    before = everything_here()
    path = tmp_path / "export.json"
    if kind == "all-chats":
        generators.write_all_chats(path, dump("app-chats")["state"]["conversations"], _stores())
    else:
        archived = next(chat for chat in chats_here() if chat.get("isArchived"))
        generators.write_one_chat(path, archived)
    progress = import_path(path)
    assert all(set(counts_of(progress, kind)) <= {"unchanged"} for kind in progress.outcomes)
    assert everything_here() == before


def _stores() -> dict[str, Any]:
    return {name: dump(name) for name in ("app-models", "app-folders")}


def test_a_newer_export_of_chats_updates_and_keeps_what_it_cannot_carry(backup: Path, tmp_path: Path):
    import_path(backup)
    archived = next(chat for chat in chats_here() if chat.get("isArchived"))
    newer = continued(archived)
    generators.write_one_chat(tmp_path / "chat.json", newer)
    progress = import_path(tmp_path / "chat.json")
    assert counts_of(progress) == {"updated": 1}
    here = next(chat for chat in chats_here() if chat["id"] == archived["id"])
    assert here["isArchived"] is True
    assert typed(here) == typed(newer)


def test_an_export_of_chats_alone_makes_stores_that_are_complete(tmp_path: Path):
    chats, stores = make_chats(3), generators.make_stores(1, [])
    generators.write_all_chats(tmp_path / "all.json", chats, stores)
    import_path(tmp_path / "all.json")
    assert typed(chats_here()) == typed([generators.carried_by_exports(chat) for chat in chats])
    assert typed(dump("app-models")["state"]["sources"]) == typed(stores["app-models"]["state"]["sources"])
    assert typed(dump("app-folders")["state"]) == typed(stores["app-folders"]["state"])


def test_a_full_backup_over_a_partial_one_fills_in_the_rest(backup: Path, tmp_path: Path):
    chats = list(generators.make_conversations(8, 5, images=2))
    generators.write_one_chat(tmp_path / "chat.json", chats[2])
    generators.write_all_chats(tmp_path / "all.json", chats, generators.make_stores(1, []))
    import_path(tmp_path / "chat.json")
    import_path(tmp_path / "all.json")
    progress = import_path(backup)
    assert not progress.outcome("skipped")
    here = {chat["id"]: chat for chat in chats_here()}
    assert typed(here) == typed({chat["id"]: chat for chat in chats})
    assert dump("app-models")["state"]["llms"]


# --- stores ---


def _settings(**state: Any) -> dict[str, Any]:
    return {"app-ui": {"state": {"centerMode": "full", **state}, "version": 3}, "joy-mode": "dark"}


def test_a_store_of_a_newer_file_is_updated_and_the_earlier_is_kept(tmp_path: Path):
    import_path(write_backup(tmp_path / "first.json", None, stores=_settings()))
    newer = _settings(contentScaling="md")
    progress = import_path(write_backup(tmp_path / "second.json", None, stores=newer, taken_at=LATER))
    assert counts_of(progress, "store") == {"updated": 1, "unchanged": 1}
    assert typed(dump("app-ui")) == typed(newer["app-ui"])
    assert typed(bodies("replaced", "store")) == typed([_settings()["app-ui"]])


def test_a_store_of_an_older_file_is_skipped(tmp_path: Path):
    import_path(write_backup(tmp_path / "first.json", None, stores=_settings()))
    older = _settings(contentScaling="md")
    progress = import_path(write_backup(tmp_path / "older.json", None, stores=older, taken_at=EARLIER))
    assert progress.reasons["store"] == {"older": 1}
    assert typed(dump("app-ui")) == typed(_settings()["app-ui"])


def test_a_store_changed_on_both_sides_is_merged_by_member(tmp_path: Path):
    import_path(write_backup(tmp_path / "first.json", None, stores=_settings(size="sm", colour="red", inner={"a": 1})))
    mine = _settings(size="md", colour="red", here=True, inner={"a": 1, "b": 2})["app-ui"]
    change_here(OPAQUE_STORES, "app-ui", mine)
    theirs = _settings(size="lg", colour="blue", there=True, inner={"a": 3})
    path = write_backup(tmp_path / "second.json", None, stores=theirs, taken_at=LATER)
    progress = import_path(path)
    assert counts_of(progress, "store") == {"merged": 1, "unchanged": 1}
    merged = _settings(size="md", colour="blue", here=True, there=True, inner={"a": 3, "b": 2})["app-ui"]
    assert typed(dump("app-ui")) == typed(merged)
    assert typed(bodies("source", "store")) == typed([theirs["app-ui"]])
    before = everything_here()
    import_path(path)
    assert everything_here() == before


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_a_folder_has_the_chats_of_all_browsers_and_the_latest_word_on_each(order: Any, tmp_path: Path):
    a, b, c = make_chats(3)

    def backup(number: int, chats: list[Any], **folders: list[Any]) -> Path:
        listed = [
            {"id": uid, "title": uid, "conversationIds": [one["id"] for one in on]} for uid, on in folders.items()
        ]
        stores = {"app-folders": {"state": {"folders": listed, "enableFolders": True}, "version": 0}}
        taken_at = f"2026-11-{10 + number}T00:00:00.000Z"
        return write_backup(tmp_path / f"{number}.json", chats, stores=stores, taken_at=taken_at)

    # The first browser has chats that the second one never saw, which moved one that both have.
    paths = [
        backup(0, [a, b], work=[a, b], rest=[]),
        backup(1, [b], work=[], rest=[b]),
        backup(2, [b, c], work=[c], rest=[b]),
    ]
    for at in (*order, *order):
        import_path(paths[at])
    folders = {one["id"]: one["conversationIds"] for one in dump("app-folders")["state"]["folders"]}
    assert folders == {"work": [c["id"], a["id"]], "rest": [b["id"]]}


def test_a_folder_emptied_here_stays_empty(backup: Path):
    import_path(backup)
    folder = collection_of("folder")
    work = folder.load([Folder.objects.get(uid="-work")])[0] | {"conversationIds": []}
    change_here(folder, "-work", work)
    import_path(backup)
    assert not FolderMembership.objects.filter(folder__uid="-work").exists()


# --- keys ---


@pytest.mark.parametrize("given", [{"oaiKey": ""}, {}, {"oaiKey": "bigagi-secret:mnop"}])
def test_a_key_that_is_here_stays(tmp_path: Path, given: dict[str, str]):
    stores = generators.make_stores(1, [])
    import_path(write_backup(tmp_path / "first.json", None, stores=stores))
    keyless = copy.deepcopy(stores)
    keyless["app-models"]["state"]["sources"][0]["setup"] = given
    keyless["app-models"]["state"]["sources"][0]["label"] = "Renamed"
    import_path(write_backup(tmp_path / "second.json", None, stores=keyless, taken_at=LATER))
    service = next(one for one in dump("app-models")["state"]["sources"] if one["id"] == "openai")
    assert service["label"] == "Renamed"
    assert service["setup"] == stores["app-models"]["state"]["sources"][0]["setup"]


def test_what_was_changed_here_of_services_and_models_stays_beside_what_the_file_changed(tmp_path: Path):
    stores = generators.make_stores(1, [])
    import_path(write_backup(tmp_path / "first.json", None, stores=stores))
    theirs = copy.deepcopy(stores)
    [service, model] = [theirs["app-models"]["state"][name][0] for name in ("sources", "llms")]
    key = {"oaiKey": "sk-FAKEmine-0000000000000000000000"}
    change_here(collection_of("service"), service["id"], service | {"setup": service["setup"] | key})
    change_here(collection_of("model"), model["id"], model | {"userLabel": "Mine"})
    service |= {"label": "Theirs", "setup": service["setup"] | {"oaiKey": "sk-FAKEnew-00000000000000000000000"}}
    model |= {"description": "Theirs", "userStarred": True}
    progress = import_path(write_backup(tmp_path / "second.json", None, stores=theirs, taken_at=LATER))
    assert counts_of(progress, "service")["merged"] == counts_of(progress, "model")["merged"] == 1
    here = dump("app-models")["state"]
    assert typed(here["sources"][0]) == typed(service | {"setup": service["setup"] | key})
    assert typed(here["llms"][0]) == typed(model | {"userLabel": "Mine"})

    elsewhere = copy.deepcopy(theirs)
    elsewhere["app-models"]["state"]["sources"][0]["setup"] |= {"oaiHost": "https://elsewhere.example"}
    path = write_backup(tmp_path / "third.json", None, stores=elsewhere, taken_at=LATEST)
    change_here(collection_of("service"), service["id"], here["sources"][0] | {"label": "Mine"})
    progress = import_path(path)
    assert any("oaiKey" in note for note in progress.notes), "a key went with the service to another host"
    assert "oaiKey" not in json.dumps(dump("app-models")["state"]["sources"][0]).replace('"oaiKey": ""', "")


def test_a_marker_without_a_key_becomes_empty_and_is_told(tmp_path: Path):
    stores = generators.make_stores(1, [])
    stores["app-models"]["state"]["sources"][0]["setup"] = {"oaiKey": "bigagi-secret:mnop"}
    progress = import_path(write_backup(tmp_path / "backup.json", None, stores=stores))
    assert dump("app-models")["state"]["sources"][0]["setup"] == {"oaiKey": ""}
    assert any("oaiKey" in note for note in progress.notes)


def test_a_new_key_of_a_newer_file_replaces_the_old_one(tmp_path: Path):
    stores = generators.make_stores(1, [])
    import_path(write_backup(tmp_path / "first.json", None, stores=stores))
    stores["app-models"]["state"]["sources"][0]["setup"] = {"oaiKey": "sk-FAKEnew-0000000000000000000000"}
    progress = import_path(write_backup(tmp_path / "second.json", None, stores=stores, taken_at=LATER))
    assert counts_of(progress, "service") == {"updated": 1, "unchanged": 2}
    assert dump("app-models")["state"]["sources"][0]["setup"] == {"oaiKey": "sk-FAKEnew-0000000000000000000000"}
    assert Service.objects.get(uid="openai").revision == 2 if hasattr(Service, "revision") else True


# --- old and new shapes ---


def test_old_messages_are_converted_and_their_originals_kept(tmp_path: Path):
    old = generators.make_conversation(1, 0, 5, is_old=True)
    path = write_backup(tmp_path / "backup.json", [old])
    progress = import_path(path)
    assert counts_of(progress, "fragment") == {"created": 5}
    messages = chats_here()[0]["messages"]
    assert [one["fragments"][0]["part"]["text"] for one in messages] == [one["text"] for one in old["messages"]]
    assert messages[2]["generator"] == {"mgt": "named", "name": "gpt-4-0314"}
    assert typed(sorted(bodies("original", "message"), key=lambda one: one["created"])) == typed(old["messages"])
    before = everything_here()
    import_path(path)
    assert everything_here() == before


def test_a_store_newer_than_what_is_known_is_kept_as_it_is_and_named(tmp_path: Path):
    stores = generators.make_stores(1, [])
    stores["app-models"]["version"] = 99
    progress = import_path(write_backup(tmp_path / "backup.json", None, stores=stores))
    assert typed(dump("app-models")) == typed(stores["app-models"])
    assert any("app-models" in note and "99" in note for note in progress.notes)
    assert Store.objects.get(name="app-models").version == 99


def test_the_recovery_copy_of_older_chats_is_kept_and_not_imported(tmp_path: Path):
    old = json.dumps({"state": {"conversations": make_chats(2, seed=9)}, "version": 3})
    entries = [{"key": "app-chats-v3", "value": old}]
    path = write_backup(tmp_path / "backup.json", make_chats(1), entries=entries)
    progress = import_path(path)
    assert counts_of(progress) == {"created": 1}
    (kept,) = Revision.objects.filter(uid="app-chats-v3")
    assert kept.body == old
    assert any("app-chats-v3" in note for note in progress.notes)
    import_path(path)
    assert Revision.objects.filter(uid="app-chats-v3").count() == 1


# --- files without a time of their own ---


def test_a_backup_that_comes_again_does_not_undo_what_came_between(tmp_path: Path):
    """An export of all chats has no time: what it brought is as old as its latest chat."""
    backup, export = tmp_path / "backup.json", tmp_path / "all.json"
    stores = generators.make_stores(1, [])
    chats = make_chats(2)
    write_backup(backup, chats, stores=stores)
    import_path(backup)
    renamed = copy.deepcopy(stores)
    renamed["app-models"]["state"]["sources"][0]["label"] = "Renamed since"
    written_at = datetime.fromisoformat(generators.TAKEN_AT).timestamp() * 1000
    generators.write_all_chats(export, [chats[0] | {"updated": int(written_at) + 1}, chats[1]], renamed)
    import_path(export)

    progress = import_path(backup)

    uid = stores["app-models"]["state"]["sources"][0]["id"]
    assert Service.objects.get(uid=uid).label == "Renamed since"
    assert counts_of(progress, "service")["skipped"] == 1


def test_a_time_that_is_none_is_not_taken_for_the_newest(tmp_path: Path):
    path = tmp_path / "backup.json"
    stores = generators.make_stores(1, [])
    generators.write_backup(path, None, stores=stores, taken_at="soon")
    import_path(path)
    stores["app-ui"]["state"]["centerMode"] = "full-on"
    generators.write_backup(path, None, stores=stores, taken_at=LATER)

    assert counts_of(import_path(path), "store")["updated"] == 1
