"""The one writer of a chat: what it stores, what the journal takes back, and what that costs."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chats.bigagi.conversation import CONVERSATIONS
from chats.models import Conversation
from chats.services.editor import ConversationEditor
from stores.records.errors import Missing, Taken
from stores.records.journal.recorder import Entry, Origin, record_change
from stores.records.undoing import undo
from tests.api import make_chat, make_message

pytestmark = pytest.mark.django_db


def edit(change: Callable[[ConversationEditor], None]) -> Entry:
    with record_change(Origin("api"), "edit") as entry:
        editor = ConversationEditor(entry, Conversation.objects.get())
        change(editor)
        editor.save()
    return entry


def load() -> dict:
    [record] = CONVERSATIONS.load([chat := Conversation.objects.get()])
    assert CONVERSATIONS.to_rows(record, chat.uid).content_hash == chat.content_hash
    return record


def test_all_that_is_changed_at_once_is_stored_and_undone_as_one():
    make_chat(messages=[make_message(uid) for uid in ("a", "b", "c")])
    before = load()

    def change(editor: ConversationEditor) -> None:
        editor.header = editor.header | {"userTitle": "New"}
        assert editor.append(make_message("d", "Appended")) == 3
        assert editor.delete("b") == (1, make_message("b"))
        assert editor.replace("c", make_message("c", "Replaced"), editor.load("c"))
        assert editor.append(make_message("b", "Again")) == 4

    entry = edit(change)
    after = load()
    messages = ["a"], ["c", "Replaced"], ["d", "Appended"], ["b", "Again"]
    assert after["messages"] == [make_message(*facts) for facts in messages]
    assert after["userTitle"] == "New" and after["updated"] > 0
    assert Conversation.objects.get().revision == 2
    assert entry.change and entry.change.record_count == 1
    undo(Origin("api"), entry.change.pk)
    assert load() == before


def test_what_changes_nothing_is_not_written():
    make_chat(messages=[make_message("a")])

    def change(editor: ConversationEditor) -> None:
        editor.header = dict(editor.header)
        assert not editor.replace("a", make_message("a"), editor.load("a"))

    assert edit(change).change is None
    assert Conversation.objects.get().revision == 1


def test_an_id_is_used_once_and_must_be_there():
    make_chat(messages=[make_message("a")])
    with pytest.raises(Taken):
        edit(lambda editor: editor.append(make_message("a")) and None)
    for act in (lambda editor: editor.delete("b"), lambda editor: editor.replace("b", make_message("b"), {})):
        with pytest.raises(Missing):
            edit(act)


def test_an_append_reads_no_texts_and_costs_the_same_in_a_long_chat():
    costs = []
    # The first write makes the counter of the store.
    for length in (1, 2, 300):
        Conversation.objects.all().delete()
        make_chat(messages=[make_message(f"m{at}") for at in range(length)])
        with CaptureQueriesContext(connection) as queries:
            edit(lambda editor: editor.append(make_message("new")) and None)
        assert not [query for query in queries if query["sql"].startswith("SELECT") and "fragment" in query["sql"]]
        costs.append(len(queries))
    assert costs[1] == costs[2]
