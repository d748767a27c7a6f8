"""Branches that imports make: named as what they are, brought back when asked for, counted, and kept in folders."""

from pathlib import Path
from typing import Any

import pytest

from chats.models import Conversation
from chats.services.conversations import delete_chat, replace_chat
from stores.importers.file_facts import Strategy
from stores.models import Change, ImportedRecord
from stores.records.journal.recorder import Origin
from tests.stores.import_cases import chat, message
from tests.stores.imports import chats_here, import_path, write_backup

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
