"""What undo brings back in the cases that are hard to hit by chance, and when it refuses."""

import json

import pytest

from chats.assets import base64_of
from chats.bigagi.asset import ASSETS, stored_bytes
from chats.bigagi.conversation import CONVERSATIONS
from chats.models import Asset, Conversation, Folder, Message
from chats.services import assets, conversations, folders, messages
from stores.models import Change, ChangedRecord, Quarantine, Revision
from stores.records import jsontext, secrets
from stores.records.errors import Conflict, Invalid, Missing
from stores.records.journal.recorder import Origin
from stores.records.undoing import undo
from stores.services import stores
from tests.api import make_asset, make_chat, make_folder, make_message, make_store, read_problem, sign_in
from tests.stores.imports import bring_in_store
from tests.stores.whole_state import assert_same_state, assert_sound, read_state
from tests.strategies import nested

pytestmark = [pytest.mark.django_db, pytest.mark.each_database, pytest.mark.usefixtures("data_dir")]

KEY = "sk-FAKE0undo1234567890abcdefghijklmnop"


def origin(body=None):
    return Origin(Change.Source.API, "tester", "request", {"method": "POST", "path": "/api/x", "body": body})


def newest():
    return Change.objects.latest("pk").pk


def assert_undone(before, pk=None):
    """Undo the change, and redo it: both states are as they were."""
    after = read_state()
    assert_sound()
    again = undo(origin(), pk or newest())
    assert_sound()
    assert_same_state(before, read_state(), "undone")
    undo(origin(), again.pk)
    assert_sound()
    assert_same_state(after, read_state(), "redone")
    undo(origin(), newest())
    assert_same_state(before, read_state(), "undone again")


def shown(uid="chat"):
    [chat] = CONVERSATIONS.load([Conversation.objects.get(uid=uid)])
    return secrets.reveal(chat)


# --- depth, odd values -----------------------------------------------------------------------------------------------


def test_what_is_as_deep_as_may_be_comes_back():
    make_chat()
    deep = nested(jsontext.MAX_DEPTH - 1)
    message = make_message("deep") | {"more": deep}
    before = read_state()
    appended = messages.append_message(origin(message), "chat", message).change
    assert_undone(before, appended.pk)
    messages.append_message(origin(message), "chat", message)
    before = read_state()
    deleted = conversations.delete_chat(origin(), "chat")
    assert_undone(before, deleted.pk)
    deep = nested(jsontext.MAX_DEPTH - 2)
    stores.create_store(origin(), "app-deep", {"state": [deep], "version": 0})
    before = read_state()
    stores.replace_store(origin(), "app-deep", {"state": {"deep": deep}, "version": 0})
    assert_undone(before)


@pytest.mark.parametrize("title", ["\ud800", "a\x00b", "😀" * 400, f"my key is {KEY}", KEY, "x" * 489 + f" {KEY}"])
def test_a_title_of_any_kind_is_told_in_the_journal_without_secrets(title):
    conversations.create_chat(origin({"autoTitle": title}), {"id": "chat", "autoTitle": title, "messages": []})
    conversations.patch_chat(origin(), "chat", {"userTitle": f"{title}!"})
    folders.create_folder(origin(), {"title": title})
    assert shown()["userTitle"] == f"{title}!"
    for change in Change.objects.all():
        assert KEY[:20] not in change.summary and "ref:" not in change.summary
        assert KEY not in jsontext.encode(change.call)
    before = read_state()
    conversations.delete_chat(origin(), "chat")
    assert_undone(before)


@pytest.mark.parametrize(("one", "other"), [(1, True), (True, 1), (0, False), ([1], [True]), (1e400, "x"), (None, 0)])
def test_a_member_of_another_type_is_another(one, other):
    make_chat("chat", more=one, updated=5)
    before = read_state()
    conversations.patch_chat(origin(), "chat", {"more": other, "less": other})
    chat = shown()
    assert jsontext.same(chat["more"], other) and chat["updated"] > 5
    assert_undone(before)


@pytest.mark.parametrize("odd", [{"created": "today"}, {"updated": "x"}, {"isArchived": "yes"}, {"userTitle": 5}])
def test_chats_with_odd_headers_are_archived_and_taken_back(odd):
    make_chat("chat", **odd)
    before = read_state()
    conversations.change_many(
        origin(), "archive", ["chat"], lambda *args: conversations.archive_one(*args, is_archived=True)
    )
    assert Conversation.objects.get().is_archived is True
    assert_undone(before)
    messages.append_message(origin(), "chat", make_message("m1"))
    assert_undone(before)


def test_a_flag_that_says_no_comes_back():
    make_chat("chat", messages=[make_message() | {"pendingIncomplete": False}])
    before = read_state()
    messages.replace_message(origin(), "chat", "m0", make_message())
    assert_undone(before)


# --- secrets ---------------------------------------------------------------------------------------------------------


def test_a_patch_keeps_the_secrets_that_are_there():
    make_store("app-search", {"state": {"apiKey": KEY, "host": 1, "note": f"it is {KEY}"}, "version": 0})
    make_chat("chat", autoTitle=f"about {KEY}", more={"apiKey": "short"})
    make_folder("folder", title=f"with {KEY}", conversationIds=["chat"])
    before = read_state()
    stores.patch_store(origin(), "app-search", {"state": {"host": 2}})
    conversations.patch_chat(origin(), "chat", {"userTitle": "T", "more": {"x": 1}})
    folders.patch_folder(origin(), "folder", {"color": "red"})
    folders.add_chats(origin(), "folder", ["other"])
    folders.remove_chat(origin(), "folder", "chat")
    messages.append_message(origin(), "chat", make_message("m1", KEY))
    conversations.branch_chat(origin(), "chat")
    state = read_state()["stores"]
    assert state["app-search"]["state"] == {"apiKey": KEY, "host": 2, "note": f"it is {KEY}"}
    assert state["app-folders"]["state"]["folders"][0] | {"conversationIds": []} == {
        "id": "folder",
        "title": f"with {KEY}",
        "color": "red",
        "conversationIds": [],
    }
    assert shown()["autoTitle"] == f"about {KEY}" and shown()["more"] == {"apiKey": "short", "x": 1}
    assert_sound()
    for change in Change.objects.order_by("-pk"):
        undo(origin(), change.pk)
    assert_same_state(before, read_state(), "undone")


def test_a_key_that_was_replaced_or_deleted_comes_back():
    make_store("app-search", {"state": {"apiKey": KEY}, "version": 0})
    before = read_state()
    stores.replace_store(origin(), "app-search", {"state": {"apiKey": "sk-another-0123456789abcdef"}, "version": 0})
    assert_undone(before)
    stores.delete_store(origin(), "app-search")
    assert_undone(before)


# --- places ----------------------------------------------------------------------------------------------------------


def test_a_chat_that_comes_back_to_a_place_that_is_taken_stands_beside_the_newer():
    for at, uid in enumerate("abc"):
        make_chat(uid, at)
    deleted = conversations.delete_chat(origin(), "a")
    conversations.create_chat(origin(), {"id": "new", "messages": []})
    before = read_state()
    assert Conversation.objects.get(uid="new").position == 0
    undo(origin(), deleted.pk)
    assert_sound()
    assert list(Conversation.objects.order_by("position").values_list("uid", flat=True)) == ["a", "new", "b", "c"]
    undo(origin(), newest())
    assert_same_state(before, read_state(), "undone")


def test_positions_and_damaged_members_of_a_list_come_back(tmp_path, fast_imports):
    value = {"state": {"folders": [{"id": uid, "conversationIds": ["gone", "gone", None]} for uid in "abc"]}}
    value["state"]["folders"][1:1] = [None, {"id": "x" * 201}]
    bring_in_store(tmp_path, "app-folders", value | {"version": 0})
    assert Quarantine.objects.filter(owner=None).count() == 2
    before = read_state()
    folders.order_folders(origin(), ["c", "a"])
    assert_undone(before)
    turned = {"folders": list(reversed(value["state"]["folders"]))}
    stores.replace_store(origin(), "app-folders", {"state": turned, "version": 0})
    assert_undone(before)
    folders.delete_folder(origin(), "b")
    assert_undone(before)
    stores.delete_store(origin(), "app-folders", confirmed=True)
    assert_undone(before)


def test_many_chats_deleted_in_several_transactions_are_one_undo(monkeypatch):
    monkeypatch.setattr(conversations, "BATCH", 2)
    for at in range(5):
        make_chat(f"c{at}", at, messages=[None, make_message("m"), make_message("m", "twice")])
    before = read_state()
    change, missing = conversations.change_many(
        origin(), "delete", [f"c{at}" for at in range(6)], conversations.delete_one
    )
    assert missing == ["c5"] and change.records.count() == 5 and not Conversation.objects.exists()
    assert_undone(before, change.pk)


# --- damaged messages ------------------------------------------------------------------------------------------------

DAMAGED = [
    *(None, make_message("m0"), {"id": "m1", "fragments": None}, make_message("m0", "twice"), {}, 5),
    make_message("m2", fragments=[None, {"ft": None}, {"ft": "void", "part": {"pt": "text", "text": "😀\ud800"}}, "x"]),
]


def test_a_chat_with_damaged_members_comes_back():
    make_chat("chat", messages=DAMAGED)
    before = read_state()
    conversations.delete_chat(origin(), "chat")
    assert not Quarantine.objects.exists()
    assert_undone(before)
    conversations.branch_chat(origin(), "chat", "m2")
    assert_undone(before)
    with pytest.raises(Invalid, match="not an object"):
        messages.replace_message(origin(), "chat", "m2", make_message("m2", fragments=["y"]))
    messages.replace_message(origin(), "chat", "m2", make_message("m2", fragments=[None, "x"]))
    assert_undone(before)


def test_a_message_keeps_the_id_by_which_it_is_addressed_though_its_own_is_free_again():
    make_chat("chat", messages=DAMAGED)
    before = read_state()
    [first, derived, last] = Message.objects.order_by("position").values_list("uid", flat=True)
    assert (first, last) == ("m0", "m2")
    written = messages.delete_message(origin(), "chat", "m0")
    assert written.row.revision == Conversation.objects.get().revision
    assert [row.uid for row in Message.objects.order_by("position")] == [derived, "m2"]
    assert_undone(before)


def test_a_message_of_the_old_shape_keeps_its_original():
    make_chat("chat")
    old = {"id": "old", "text": "Hi", "role": "user", "originLLM": "gpt"}
    messages.append_message(origin(), "chat", dict(old))
    messages.replace_message(origin(), "chat", "m0", {"text": "Hello", "role": "user"})
    kept = Revision.objects.filter(kind="message").order_by("pk")
    assert [(one.uid, json.loads(one.body)["text"]) for one in kept] == [("chat/old", "Hi"), ("chat/m0", "Hello")]


# --- assets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", [{"sha256": "0" * 64, "size": 1}, {"odd": {"sha256": "x", "size": 1}}, {}, "QR=="])
def test_an_asset_whose_bytes_are_something_else_comes_back(odd):
    make_asset("asset", data={"mimeType": "image/png", "base64": odd})
    before = read_state()
    assets.delete_asset(origin(), "asset")
    assert_undone(before)


def test_an_asset_comes_back_with_its_bytes():
    before = read_state()
    assets.create_asset(origin(), {"id": "asset", "data": {"mimeType": "image/png", "base64": "QQ=="}})
    assert_undone(before)
    undo(origin(), newest())
    [record] = ASSETS.load([Asset.objects.get()])
    assert "".join(base64_of(stored_bytes(record).sha256)) == "QQ=="


# --- refused ---------------------------------------------------------------------------------------------------------


def test_a_change_on_which_something_newer_stands_is_not_undone_and_nothing_is_changed():
    client = sign_in()
    make_folder("a", 0, conversationIds=["x", "y"])
    make_folder("b", 1)
    make_chat("x")
    moved, _ = conversations.move_many(origin(), ["x"], "b", folders.move_chats)
    folders.patch_folder(origin(), "a", {"title": "newer"})
    folders.patch_folder(origin(), "a", {"title": "newest"})
    before, count = read_state(), Change.objects.count()
    problem = read_problem(client.post(f"/api/changes/{moved.pk}/undo", {}, content_type="application/json"), 409)
    assert f"change {newest()}" in problem["detail"]
    told = {name: problem["newer"][name] for name in ("id", "action", "summary")}
    assert told == {"id": newest(), "action": "patch folder", "summary": "newest"}
    assert_same_state(before, read_state(), "refused")
    assert Change.objects.count() == count
    # All that stands in the way is told at once, in the order in which it is undone.
    first = [each["id"] for each in problem["undo_first"]]
    assert first == [newest(), newest() - 1]
    undo(origin(), first[0])
    # Of what was undone neither it nor the undo has to be: the next is what still stands.
    problem = read_problem(client.post(f"/api/changes/{moved.pk}/undo", {}, content_type="application/json"), 409)
    assert [problem["newer"]["id"]] == [each["id"] for each in problem["undo_first"]] == first[1:]
    undo(origin(), first[1])
    undo(origin(), moved.pk)
    assert [list(row.memberships.values_list("conversation_uid", flat=True)) for row in Folder.objects.all()] == [
        ["x", "y"],
        [],
    ]


def test_a_refusal_names_what_stands_again_once_an_undo_is_undone():
    make_chat("chat")
    old = messages.append_message(origin(), "chat", make_message("m1")).change
    undone = undo(origin(), old.pk)
    change = messages.append_message(origin(), "chat", make_message("m2")).change
    undo(origin(), change.pk)
    redone = undo(origin(), undone.pk)
    undo(origin(), old.pk)
    undo(origin(), undone.pk)
    undo(origin(), redone.pk)
    with pytest.raises(Conflict) as refused:
        undo(origin(), change.pk)
    for each in refused.value.facts["undo_first"]:
        undo(origin(), each["id"])
    undo(origin(), change.pk)
    assert [message["id"] for message in shown()["messages"]] == ["m0"]


def test_a_refusal_asks_little_of_the_database_and_names_no_more_than_can_be_undone_at_once(
    monkeypatch, django_assert_max_num_queries
):
    uids = [f"chat-{at}" for at in range(20)]
    for at, uid in enumerate(uids):
        make_chat(uid, at)
    archived, _ = conversations.change_many(
        origin(), "archive", uids, lambda *args: conversations.archive_one(*args, is_archived=True)
    )
    for uid in uids:
        conversations.patch_chat(origin(), uid, {"userTitle": "newer"})
    with django_assert_max_num_queries(30), pytest.raises(Conflict) as refused:
        undo(origin(), archived.pk)
    assert [each["id"] for each in refused.value.facts["undo_first"]] == list(range(newest(), archived.pk, -1))
    monkeypatch.setattr("stores.records.undoing.MOST_AT_ONCE", len(uids) - 1)
    with pytest.raises(Conflict) as refused:
        undo(origin(), archived.pk)
    assert refused.value.facts["undo_first"] == []
    assert refused.value.facts["newer"]


def test_what_was_purged_is_not_undone_nor_what_was_done_to_it_before():
    make_chat("chat")
    make_chat("other", 1)
    both, _ = conversations.change_many(
        origin(), "archive", ["chat", "other"], lambda *args: conversations.archive_one(*args, is_archived=True)
    )
    purged = conversations.delete_chat(origin(), "chat", purge=True)
    before = read_state()
    for pk in (purged.pk, both.pk):
        with pytest.raises(Conflict):
            undo(origin(), pk)
    assert_same_state(before, read_state(), "refused")
    assert not ChangedRecord.objects.filter(uid="chat", body__isnull=False).exists()
    with pytest.raises(Missing):
        undo(origin(), purged.pk + 1)


def test_the_same_change_is_undone_once():
    change = conversations.create_chat(origin(), {"id": "chat", "messages": []}).change
    undo(origin(), change.pk)
    with pytest.raises(Conflict):
        undo(origin(), change.pk)


def test_a_write_that_is_refused_leaves_nothing():
    make_chat("chat")
    before = read_state()
    with pytest.raises(Invalid):
        conversations.replace_chat(origin(), "chat", {"messages": None})
    with pytest.raises(Invalid):
        messages.append_message(origin(), "chat", {"fragments": 5})
    assert_same_state(before, read_state(), "refused")
    assert not Change.objects.exists()
