"""Branches that imports make: named as what they are, brought back when asked for, counted, and kept in folders."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chats.models import Conversation
from chats.services.conversations import delete_chat, replace_chat
from chats.services.folders import remove_chat
from stores.importers.file_facts import Strategy
from stores.models import Change, ImportedRecord, Revision
from stores.records.journal.recorder import Origin
from stores.records.merging.rules import CONFLICTS, Rule
from tests import generators
from tests.stores.import_cases import chat, message
from tests.stores.imports import chats_here, counts_of, dump, import_path, write_backup

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports")]

JSONObject = dict[str, Any]
HERE = Origin(Change.Source.API, "")
NOW = 1_795_000_000_000
SOUP = chat("soup", "Soup", "one", "two", updated=NOW)


def with_more(one: JSONObject, *texts: str, at: int) -> JSONObject:
    new = [message(text, text.replace(" ", "-"), created=NOW + at + step) for step, text in enumerate(texts)]
    return one | {"messages": [*one["messages"], *new], "updated": NOW + at}


BROTH, STEW = with_more(SOUP, "broth", at=10), with_more(SOUP, "stew", at=20)
MORE_BROTH = with_more(BROTH, "more broth", at=30)


def bring(folder: Path, *chats: JSONObject, **options: Any) -> Any:
    path = write_backup(folder / f"{len(list(folder.iterdir()))}.json", list(chats))
    return import_path(path, **options)


def branch_uid() -> str:
    return str(ImportedRecord.objects.exclude(branch_of="").get().uid)


def texts_of(uid: str) -> list[str]:
    [found] = [one for one in chats_here() if one["id"] == uid]
    return [one["fragments"][0]["part"]["text"] for one in found["messages"]]


def test_a_branch_that_was_deleted_here_is_named_and_comes_back_when_asked_for(tmp_path: Path):
    for one in (SOUP, BROTH, STEW):
        bring(tmp_path, one)
    uid = branch_uid()
    delete_chat(HERE, uid)
    progress = bring(tmp_path, MORE_BROTH)
    assert [note for note in progress.notes if note.startswith("The chat “(1) Soup” was deleted here and continued")]
    assert not Conversation.objects.filter(uid=uid).exists()
    bring(tmp_path, MORE_BROTH, restore_deleted=True)
    assert texts_of(uid) == ["one", "two", "broth", "more broth"]


def test_a_message_that_was_deleted_here_comes_back_when_asked_for(tmp_path: Path):
    bring(tmp_path, SOUP)
    replace_chat(HERE, "soup", SOUP | {"messages": SOUP["messages"][:1]})
    bring(tmp_path, BROTH)
    assert texts_of("soup") == ["one", "broth"]
    bring(tmp_path, BROTH, restore_deleted=True)
    assert texts_of("soup") == ["one", "two", "broth"]


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        (Strategy.MERGE, "“(1) Soup” is a branch: the file and the chat here were both continued."),
        (Strategy.COPY, "“(1) Soup” is a copy of the chat in the file."),
    ],
)
def test_a_report_says_why_there_is_another_chat(strategy: Strategy, words: str, tmp_path: Path):
    bring(tmp_path, STEW)
    assert words in bring(tmp_path, BROTH, strategy=strategy).notes


def counts_of_conversations(progress: Any) -> tuple[int, dict[str, int]]:
    """Return how many chats are in conflict, and the rules with how often each was used."""
    return progress.conflicting["conversation"], progress.rules.get("conversation", {})


def test_a_branch_is_one_conflict_and_then_grows_with_its_browser(tmp_path: Path):
    bring(tmp_path, STEW)
    assert counts_of_conversations(bring(tmp_path, BROTH)) == (1, {Rule.BRANCHED: 1})
    progress = bring(tmp_path, MORE_BROTH)
    assert counts_of_conversations(progress) == (0, {Rule.CONTINUED: 1})
    assert counts_of(progress, "message") == {"created": 1, "unchanged": 3}


@pytest.mark.parametrize("is_deleted", [False, True])
def test_messages_of_a_branch_are_counted_as_what_became_of_them(is_deleted: bool, tmp_path: Path):
    for one in (STEW, BROTH):
        bring(tmp_path, one)
    if is_deleted:
        delete_chat(HERE, branch_uid())
    progress = bring(tmp_path, BROTH | {"userTitle": "Soups", "updated": NOW + 50})
    assert counts_of(progress, "message") == ({"unchanged": 2, "skipped": 1} if is_deleted else {"unchanged": 3})


def edited(one: JSONObject, text: str, at: int) -> JSONObject:
    first, *rest = one["messages"]
    return one | {"messages": [first | message(text, first["id"], updated=NOW + at), *rest], "updated": NOW + at}


@pytest.mark.parametrize(
    ("here", "there", "conflicts"),
    [
        (SOUP, edited(SOUP, "late", 9), {}),
        (edited(SOUP, "mine", 5), with_more(SOUP, "broth", at=10), {}),
        (edited(SOUP, "mine", 5), edited(SOUP, "late", 9), {Rule.EDITED_TWICE: 1}),
        (SOUP | {"userTitle": "Mine", "updated": NOW + 5}, with_more(SOUP, "broth", at=10), {}),
        (
            SOUP | {"userTitle": "Mine", "updated": NOW + 5},
            SOUP | {"userTitle": "Late", "updated": NOW + 3},
            {Rule.OUR_FIELD: 1},
        ),
        (
            SOUP | {"userTitle": "Mine", "updated": NOW + 5},
            SOUP | {"userTitle": "Late", "updated": NOW + 9},
            {Rule.NEWER_FIELD: 1},
        ),
    ],
)
def test_only_what_was_changed_on_both_sides_is_in_conflict(
    here: JSONObject, there: JSONObject, conflicts: dict[Rule, int], tmp_path: Path
):
    first = {"userTitle": "Early"}
    bring(tmp_path, SOUP | first)
    replace_chat(HERE, "soup", first | here)
    count, rules = counts_of_conversations(bring(tmp_path, first | there))
    assert (count, {rule: rules[rule] for rule in CONFLICTS & rules.keys()}) == (int(bool(conflicts)), conflicts)


def test_a_version_that_is_not_shown_is_kept_once_whichever_side_it_comes_from(tmp_path: Path):
    early, late = edited(SOUP, "early", 5), edited(SOUP, "late", 9)
    for one in (early, late, early, SOUP, early):
        bring(tmp_path, one)
    versions = Revision.objects.filter(kind="message", reason="version").order_by("pk")
    assert [json.loads(one.body)["fragments"][0]["part"]["text"] for one in versions] == ["early", "one"]


def test_messages_that_a_branch_shows_are_here_although_its_chat_was_deleted(tmp_path: Path):
    for one in (STEW, BROTH):
        bring(tmp_path, one)
    delete_chat(HERE, "soup")
    verdict = bring(tmp_path, BROTH).certificate["verdict"]
    assert (verdict["here"], verdict["aside"]) == ({"store": 1, "message": 3}, {"conversation": 1})
    verdict = bring(tmp_path, STEW).certificate["verdict"]
    assert (verdict["here"], verdict["aside"]) == ({"store": 1, "message": 2}, {"conversation": 1, "message": 1})


# --- folders ---


def folders_of(**listed: list[str]) -> JSONObject:
    folders = [{"id": uid, "title": uid.capitalize(), "conversationIds": uids} for uid, uids in listed.items()]
    return {"app-folders": {"state": {"folders": folders, "enableFolders": True}, "version": 0}}


def listed_here() -> dict[str, list[str]]:
    return {one["id"]: one["conversationIds"] for one in dump("app-folders")["state"]["folders"]}


WORK, HOME = folders_of(work=["cake", "soup", "tea"], home=[]), folders_of(work=["cake", "tea"], home=["soup"])


def bring_with_folders(folder: Path, soup: JSONObject, stores: JSONObject | None, at: int, **options: Any) -> Any:
    path = folder / f"{len(list(folder.iterdir()))}.json"
    if stores is None:
        generators.write_one_chat(path, soup)
    else:
        taken_at = datetime.fromtimestamp(NOW / 1000 + at, UTC).isoformat()
        chats = [soup, chat("cake", "Cake", "cake"), chat("tea", "Tea", "tea")]
        write_backup(path, chats, stores=stores, taken_at=taken_at)
    return import_path(path, **options)


def test_a_branch_stands_behind_its_chat_in_its_folder_and_moves_with_it(tmp_path: Path):
    bring_with_folders(tmp_path, STEW, WORK, 1)
    bring_with_folders(tmp_path, BROTH, WORK, 2)
    uid = branch_uid()
    assert listed_here() == {"work": ["cake", "soup", uid, "tea"], "home": []}
    again = bring_with_folders(tmp_path, BROTH, WORK, 2)
    assert counts_of(again, "folder") == {"unchanged": 2}
    bring_with_folders(tmp_path, BROTH, HOME, 3)
    assert listed_here() == {"work": ["cake", "tea"], "home": ["soup", uid]}


def test_a_branch_out_of_a_file_without_folders_stands_in_its_chats_folder_and_stays_where_it_is_put(tmp_path: Path):
    bring_with_folders(tmp_path, STEW, WORK, 2)
    bring_with_folders(tmp_path, BROTH, None, 0)
    uid = branch_uid()
    assert listed_here() == {"work": ["cake", "soup", uid, "tea"], "home": []}
    bring_with_folders(tmp_path, BROTH, HOME, 1)
    assert listed_here() == {"work": ["cake", "soup", uid, "tea"], "home": []}, "an older file moved it"
    remove_chat(HERE, "work", uid)
    bring_with_folders(tmp_path, MORE_BROTH, WORK, 3)
    assert listed_here() == {"work": ["cake", "soup", "tea"], "home": []}
    assert texts_of(uid)[-1] == "more broth"


def test_a_preview_tells_the_numbers_of_an_import_that_makes_and_moves_a_branch(tmp_path: Path):
    bring_with_folders(tmp_path, STEW, WORK, 1)
    for soup, stores, at in ((BROTH, HOME, 2), (MORE_BROTH, WORK, 3), (MORE_BROTH, HOME, 1)):
        preview = bring_with_folders(tmp_path, soup, stores, at, dry_run=True)
        assert bring_with_folders(tmp_path, soup, stores, at).counts == preview.counts
