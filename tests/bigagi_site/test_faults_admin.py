"""Each fault of the disk and the database at each write of the admin's and the account's forms: the page names it, says
what is stored, and leaves no half of it; once it is gone, the same form is carried out."""

import html
from typing import Any

import pytest
from django.test import Client

from bigagi_site.models import Token
from chats.models import Conversation, Folder
from stores.models import Change
from stores.records import faults
from stores.records.commits import Stored
from tests.bigagi_site.faults import UNDER_FAULTS
from tests.bigagi_site.test_faults_api import FAULTS, client, digest_rows  # noqa: F401  (a fixture)
from tests.faulty_database import Plan
from tests.nightly import by_day

PASSWORD = "correct horse battery"
LISTED = {"index": "0", "select_across": "0"}
IN_BATCHES = "/admin/chats/conversation/"
WALK: list[tuple[str, dict[str, Any]]] = [
    ("/admin/chats/conversation/{chat}/do/rename/", {"title": "Cats"}),
    ("/admin/chats/conversation/{chat}/do/archive/", {}),
    ("/admin/stores/change/{change}/do/undo/", {}),
    ("/admin/chats/folder/{folder}/do/rename/", {"title": "Work"}),
    ("/admin/dashboard/budget", {"service": "", "usd": "10"}),
    ("/admin/dashboard/budget", {"service": "", "usd": ""}),
    ("/admin/dashboard/counting", {}),
    ("/account/tokens", {"name": "backup", "days": "30"}),
    ("/account/tokens/{token}/revoke", {}),
    (IN_BATCHES, LISTED | {"action": "archive_chats", "_selected_action": "{chat}"}),
    (IN_BATCHES, LISTED | {"action": "delete_chats", "_selected_action": "{chat}"}),
    ("/admin/stores/change/{change}/do/undo/", {}),
    ("/admin/chats/conversation/{chat}/do/delete/", {}),
    ("/admin/chats/folder/{folder}/do/delete/", {}),
    ("/account", {"old_password": PASSWORD, "new_password1": "another one!", "new_password2": "another one!"}),
    ("/sign-out", {}),
]

pytestmark = UNDER_FAULTS


def names() -> dict[str, Any]:
    rows = {"chat": Conversation, "folder": Folder, "token": Token, "change": Change}
    return {name: getattr(model.objects.order_by("pk").last(), "pk", 0) for name, model in rows.items()}


@pytest.mark.parametrize("kind", by_day(["disk-full", "database-damaged", "database-busy"], each=3))
def test_a_fault_at_any_write_of_a_form_is_named_on_the_page(
    client: Client,  # noqa: F811
    plan: Plan,
    kind: str,
):
    client.post("/api/chats", {"id": "one", "messages": []}, content_type="application/json")
    client.post("/api/folders", {"id": "one", "title": "One", "conversationIds": []}, content_type="application/json")
    met = 0
    for path, form in WALK:
        named = names()
        path = path.format(**named)
        sent = {name: value.format(**named) for name, value in form.items()}
        for at in range(1, 100):
            before = digest_rows()
            plan.arm(kind, at)
            answer = client.post(path, sent)
            plan.take_back()
            if not plan.is_met:
                break
            met += 1
            check(answer, FAULTS[kind], f"{path}, write {at}", is_changed=digest_rows() != before)
        assert answer.status_code in (200, 302), (path, answer.getvalue()[:500])
    assert met > len(WALK)


def check(answer: Any, fault: faults.Fault, where: str, *, is_changed: bool) -> None:
    text = html.unescape(answer.getvalue().decode())
    assert answer.status_code == fault.status, (where, text)
    assert fault.what in text and fault.remedy in text, (where, text)
    [stored] = [one for one in Stored if one in text]
    assert stored in (Stored.NOTHING, Stored.UNKNOWN, Stored.SOME), (where, text)
    assert is_changed == (stored is Stored.SOME), (where, stored)
