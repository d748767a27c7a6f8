"""Chats and folders renamed, archived, deleted and brought back in the admin."""

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from chats.models import Conversation, Folder
from stores.models import Change
from tests.api import make_chat, make_folder

LIST = "/admin/chats/conversation/"


@pytest.fixture
def owner_client(client, db):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def press(client, row, act, **form):
    url = reverse(f"admin:chats_{row._meta.model_name}_act", args=(row.pk, act))
    answer = client.post(url, form, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def run(client, action, *rows, **form):
    form = {"action": action, "index": "0", "_selected_action": [row.pk for row in rows]} | form
    answer = client.post(LIST + form.pop("query", ""), form, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def undo_of(html):
    """Press the button of the message."""
    address = f"/admin/stores/change/{Change.objects.order_by('-pk')[0].pk}/do/undo/"
    assert f'form="bigagi-post" formaction="{address}"' in html and 'id="bigagi-post"' in html
    return address


def test_a_chat_gets_a_title_and_loses_it(owner_client):
    chat = make_chat("chat", autoTitle="By a model")
    html = press(owner_client, chat, "rename", title="Sea lions")
    assert "Renamed to “Sea lions”" in html and 'value="Sea lions"' in html
    change = Change.objects.get()
    assert (change.source, change.actor, change.action) == ("admin", "owner", "patch chat") and change.request_id
    owner_client.post(undo_of(html))
    assert Conversation.objects.get().user_title is None
    press(owner_client, chat, "rename", title="Again")
    press(owner_client, chat, "rename", title="  ")
    assert Conversation.objects.get().title == "By a model"


def test_the_same_title_again_changes_nothing(owner_client):
    chat = make_chat("chat", userTitle="Cats")
    assert "no change was needed" in press(owner_client, chat, "rename", title="Cats")
    assert not Change.objects.exists()


@pytest.mark.parametrize(("title", "reason"), [("x" * 501, "at most 500"), ("a\0b", "Null characters")])
def test_a_title_that_cannot_be_taken_is_refused_with_the_reason(owner_client, title, reason):
    chat = make_chat("chat", userTitle="Cats")
    html = press(owner_client, chat, "rename", title=title)
    assert "Title: " in html and reason in html
    assert Conversation.objects.get().user_title == "Cats" and not Change.objects.exists()


def test_a_chat_goes_into_the_archive_and_out_of_it(owner_client):
    chat = make_chat("chat")
    html = press(owner_client, chat, "archive")
    assert Conversation.objects.get().is_archived and "Unarchive" in html
    press(owner_client, chat, "unarchive")
    assert not Conversation.objects.get().is_archived


def test_a_deleted_chat_comes_back_by_the_button_in_the_message(owner_client):
    chat = make_chat("chat", userTitle="<b>Cats</b>")
    html = press(owner_client, chat, "delete")
    assert not Conversation.objects.exists() and "“&lt;b&gt;Cats&lt;/b&gt;”" in html
    owner_client.post(undo_of(html))
    assert Conversation.objects.get().title == "<b>Cats</b>"


def test_chats_of_the_list_are_changed_under_one_entry(owner_client):
    one, two, three = (make_chat(uid, at) for at, uid in enumerate(["one", "two", "three"]))
    html = run(owner_client, "archive_chats", one, two)
    assert set(Conversation.objects.filter(is_archived=True)) == {one, two}
    assert "Archived 2 of 2 chats." in html and Change.objects.get().record_count == 2
    assert "Unarchived 1 of 2 chats." in run(owner_client, "unarchive_chats", one, three)
    html = run(owner_client, "delete_chats", one, two)
    assert Conversation.objects.get() == three
    owner_client.post(undo_of(html))
    assert Conversation.objects.count() == 3


def test_all_chats_that_a_filter_finds_are_changed(owner_client):
    chats = [make_chat(f"chat-{at}", at, isArchived=at % 2 == 1) for at in range(130)]
    run(owner_client, "delete_chats", chats[1], select_across="1", query="?archived=yes")
    assert Conversation.objects.count() == 65 and not Conversation.objects.filter(is_archived=True).exists()


def test_a_folder_is_renamed_and_deleted_and_its_chats_stay(owner_client):
    make_chat("chat")
    folder = make_folder("folder", conversationIds=["chat"])
    press(owner_client, folder, "rename", title="Home")
    assert Folder.objects.get().title == "Home"
    assert "Title: This field is required." in press(owner_client, folder, "rename", title=" ")
    html = press(owner_client, folder, "delete")
    assert not Folder.objects.exists() and Conversation.objects.exists()
    owner_client.post(undo_of(html))
    assert list(Folder.objects.get().memberships.values_list("conversation_uid", flat=True)) == ["chat"]


def test_a_button_that_is_not_there_is_not_found(owner_client):
    chat = make_chat("chat")
    for pk, act in ((chat.pk, "explode"), (chat.pk + 1, "delete")):
        assert owner_client.post(reverse("admin:chats_conversation_act", args=(pk, act))).status_code == 404
    assert Conversation.objects.exists()


# --- in a browser ----------------------------------------------------------------------------------------------------


@pytest.fixture
def chats(server):
    """Yield the ids of two chats of the server, and leave none there."""
    client = server.sign_in()
    client.get("/account")
    uids = ["actions-1", "actions-2"]
    for uid in uids:
        facts = '"systemPurposeId": "DeveloperPreview", "isArchived": true, "created": 1785600000000'
        body = f'{{"id": "{uid}", "userTitle": "Chat {uid}", "messages": [], {facts}, "updated": 1785600000001}}'
        answer = client.post("/api/chats", body.encode(), headers={"Content-Type": "application/json"})
        assert answer.status == 201, answer.text
    yield uids
    for uid in uids:
        client.request("DELETE", f"/api/chats/{uid}")


@pytest.mark.browser
def test_a_chat_is_renamed_deleted_and_brought_back_by_keyboard(page, chats):
    page.goto("/admin/chats/conversation/")
    page.get_by_role("link", name="Chat actions-1").click()
    page.get_by_label("Title (leave empty").fill("Sea lions")
    page.get_by_label("Title (leave empty").press("Enter")
    page.get_by_text("Renamed to “Sea lions”").wait_for()
    page.get_by_role("button", name="Delete").press("Enter")
    page.get_by_text("Deleted “Sea lions”").wait_for()
    page.get_by_role("button", name="Undo").press("Enter")
    page.get_by_text("Undone: delete chat").wait_for()
    page.goto("/admin/chats/conversation/")
    page.get_by_role("link", name="Sea lions").wait_for()


@pytest.mark.browser
def test_the_list_changes_what_is_chosen(page, chats):
    page.goto("/admin/chats/conversation/")
    for uid in chats:
        row = page.get_by_role("row").filter(has_text=f"Chat {uid}")
        row.get_by_role("checkbox").check()
    page.get_by_label("Select action to run").select_option("unarchive_chats")
    page.get_by_role("button", name="Run").click()
    page.get_by_text("Unarchived 2 of 2 chats.").wait_for()


@pytest.mark.browser
def test_the_call_of_a_change_is_copied(page, chats):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/admin/stores/change/")
    page.get_by_role("link", name="create chat: Chat actions-2").first.click()
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("Copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").startswith("curl -X POST http")


@pytest.mark.browser
@pytest.mark.parametrize("width", [375, 1300])
def test_nothing_scrolls_sideways_and_each_page_has_its_main_part(page, chats, width):
    page.set_viewport_size({"width": width, "height": 900})
    for path in ("/admin/chats/conversation/", "/admin/stores/change/", "/admin/stores/store/", "/admin/"):
        page.goto(path)
        assert page.locator("main").count() == 1, path
        wide = "() => document.documentElement.scrollWidth > innerWidth"
        assert not page.evaluate(wide), path
    page.goto("/admin/chats/conversation/")
    list_width, room = page.evaluate(
        "() => [document.querySelector('#result_list').offsetWidth,"
        " document.querySelector('#result_list').parentElement.clientWidth]"
    )
    assert list_width <= room
    page.goto("/admin/stores/change/")
    page.get_by_role("link", name="create chat: Chat").first.click()
    page.wait_for_url("**/change/")
    assert page.locator("main").count() == 1
    assert not page.evaluate(wide)
