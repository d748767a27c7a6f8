"""Every way to write in the admin, walked: what changes a record is in the journal, and the journal takes it back."""

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bigagi_site.overview import describe_data
from chats.admin.conversation import ConversationAdmin
from chats.bigagi.pinned_chat import PINNED_CHATS
from chats.models import Conversation, Folder
from chats.services.conversations import delete_chat
from stores.admin.base import ReadOnlyAdmin
from stores.admin.writes import ActingAdmin
from stores.models import Change, ChangedRecord
from stores.records.journal.recorder import Origin
from stores.records.undoing import undo
from tests.api import (
    make_assignment,
    make_baseline,
    make_chat,
    make_file,
    make_folder,
    make_model,
    make_service,
    make_store,
    make_workspace,
    store_record,
)

pytestmark = pytest.mark.django_db

KIND_OF = {
    **dict.fromkeys(("chats.Conversation", "chats.Message", "chats.Fragment"), "conversation"),
    **dict.fromkeys(("chats.Folder", "chats.FolderMembership"), "folder"),
    "chats.PinnedChat": "pinned chat",
    "chats.Asset": "asset",
    "llms.Service": "service",
    "llms.Model": "model",
    "llms.Assignment": "assignment",
    "metrics.UsageBaseline": "baseline",
    **dict.fromkeys(("workspace.Workspace", "workspace.WorkspaceFile"), "workspace"),
    "workspace.LiveFile": "live file",
    "stores.Store": "store",
}
"""The domain's tables, with the kind under which the journal tells their changes."""
OWN_COLUMNS = {"id", "created_at", "updated_at", "revision", "conversation", "message", "folder", "workspace"}


@pytest.fixture
def owner_client(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def make_everything():
    make_chat("one", 0, userTitle="Cats")
    make_chat("two", 1, isArchived=True)
    make_folder("folder", conversationIds=["one", "two"])
    make_service()
    make_model()
    make_assignment()
    make_baseline()
    make_store("app-ui")
    make_file()
    make_workspace("one", ("file",))
    store_record(PINNED_CHATS, {"id": "two", "pinned": 5}, "two")
    delete_chat(Origin(Change.Source.API, "reader"), make_chat("gone", 2).uid)


def contents(*, with_keys=True):
    """Return all rows of the domain's tables; without keys as undo brings them back."""
    found = {}
    for label in KIND_OF:
        model = apps.get_model(label)
        names = [field.attname for field in model._meta.concrete_fields]
        if not with_keys:
            names = [name for name in names if name.removesuffix("_id") not in OWN_COLUMNS]
        found[label] = sorted(map(repr, model.objects.order_by().values_list(*names)))
    return found


def ways_to_write(model, model_admin):
    """Yield the name, address and form of each POST that an admin could take for each of its rows."""
    prefix = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    keys = list(model.objects.order_by("pk").values_list("pk", flat=True))
    text = {"title": "New title", "uid": "x", "name": "x", "post": "yes", "_save": "Save"}
    yield "add", reverse(f"{prefix}_add"), text
    names = {
        "delete_selected",
        *(action if isinstance(action, str) else action.__name__ for action in model_admin.actions or ()),
    }
    for name in sorted(names):
        form = {"action": name, "index": "0", "_selected_action": keys, **text}
        del form["_save"]
        yield name, reverse(f"{prefix}_changelist"), form
    columns = {"form-TOTAL_FORMS": len(keys), "form-INITIAL_FORMS": len(keys), "_save": "Save"}
    columns |= {f"form-{at}-{key}": value for at, pk in enumerate(keys) for key, value in {"id": pk, **text}.items()}
    yield "list_editable", reverse(f"{prefix}_changelist"), columns
    for pk in keys:
        for pattern in model_admin.get_urls():
            for route in routes_of(str(pattern.pattern), pk, model_admin):
                yield route, f"/admin/{model._meta.app_label}/{model._meta.model_name}/{route}", text


def routes_of(route, pk, model_admin):
    """Return the route for a row, once for each button where it names one."""
    route = re.sub(r"<(path|int|str):[a-z_]+>", str(pk), route)
    if "<slug:act>" in route:
        return [route.replace("<slug:act>", act) for act in model_admin.acts]
    return [re.sub(r"<slug:[a-z_]+>", "data", route)] if "<" in route or str(pk) in route else []


def walk(client, models=None):
    """Do all that can be done (with these models); return the names of what changed a record, by the admin's model."""
    writers = set()
    # Each way is undone by a rollback: these hold for all.
    before = contents(), contents(with_keys=False)
    for model, model_admin in admin.site._registry.items():
        if models is not None and model not in models:
            continue
        for name, address, form in list(ways_to_write(model, model_admin)):
            with transaction.atomic():
                if is_writing(client, model_admin, f"{address} {name}", address, form, *before):
                    writers.add((model._meta.model_name, re.sub(r"\d+", "N", name)))
                transaction.set_rollback(True)
    return writers


def is_writing(client, model_admin, name, address, form, before, bare):
    """Send the form, and tell whether that changed a record. It must be in the journal then, whole. `before` and `bare`
    are the contents, with and without keys."""
    newest = newest_change()
    with CaptureQueriesContext(connection) as queries:
        answer = client.post(address, form, headers={"X-Request-ID": "walk"})
    assert answer.status_code in (200, 302, 403, 404, 405), (name, answer.status_code)
    # Most forms are refused, and to read all tables takes longer than that.
    if all(query["sql"].startswith(("SELECT", "SAVEPOINT", "RELEASE", "ROLLBACK")) for query in queries):
        return False
    after = contents()
    changes = list(Change.objects.filter(pk__gt=newest).order_by("-pk"))
    changed = {KIND_OF[label] for label in before if before[label] != after[label]}
    told = set(ChangedRecord.objects.filter(change__in=changes).values_list("kind", flat=True))
    assert changed <= told, f"{name}: {changed - told} changed past the journal"
    if not changed:
        return False
    assert isinstance(model_admin, ActingAdmin), name
    for change in changes:
        assert (change.source, change.actor, change.request_id) == ("admin", "owner", "walk")
        undo(Origin(Change.Source.COMMAND), change.pk)
    assert contents(with_keys=False) == bare, f"{name}: the journal does not tell all of it"
    return True


def newest_change():
    return Change.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


@pytest.mark.any_database
def test_nothing_is_written_past_the_journal(owner_client):
    make_everything()
    assert walk(owner_client) == {
        ("conversation", "archive_chats"),
        ("conversation", "unarchive_chats"),
        ("conversation", "delete_chats"),
        ("conversation", "pin_chats"),
        ("conversation", "unpin_chats"),
        *(("conversation", f"N/do/{act}/") for act in ("rename", "archive", "unarchive", "delete")),
        *(("folder", f"N/do/{act}/") for act in ("rename", "delete")),
        ("change", "N/do/undo/"),
    }


def test_the_walk_finds_what_goes_past_the_journal(owner_client, monkeypatch):
    make_everything()

    def write_past(self, request, queryset: QuerySet):
        queryset.update(user_title="Past the journal")

    monkeypatch.setattr(ConversationAdmin, "archive_chats", write_past)
    with pytest.raises(AssertionError, match="changed past the journal"):
        walk(owner_client, [Conversation])


def test_an_admin_that_shows_alone_refuses_every_form(owner_client):
    make_everything()
    for model, model_admin in admin.site._registry.items():
        if isinstance(model_admin, ActingAdmin) or not isinstance(model_admin, ReadOnlyAdmin):
            continue
        prefix = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert owner_client.post(reverse(f"{prefix}_add"), {}).status_code == 403, model
        for pk in model.objects.values_list("pk", flat=True):
            for page in ("change", "delete"):
                address = reverse(f"{prefix}_{page}", args=(pk,))
                assert owner_client.post(address, {"post": "yes"}).status_code == 403, (model, page)


def test_every_table_of_records_is_compared():
    from stores.records import registry

    kinds = {collection.kind for spec in registry.all_specs(with_databases=True) for collection in spec.collections}
    assert kinds | {"store"} == set(KIND_OF.values())


def buttons():
    rows = ((Conversation, "delete"), (Conversation, "rename"), (Folder, "delete"), (Change, "undo"))
    for model, act in rows:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_act"
        yield reverse(name, args=(model.objects.order_by("pk")[0].pk, act))


def test_buttons_take_no_link_and_no_form_of_another_site(owner_client):
    make_everything()
    before = contents()
    for address in buttons():
        assert owner_client.get(address).status_code == 405
    owner_client.handler.enforce_csrf_checks = True
    for address in buttons():
        assert owner_client.post(address).status_code == 403
    assert contents() == before


def test_who_is_not_staff_changes_nothing(client):
    make_everything()
    client.force_login(get_user_model().objects.create_user("visitor"))
    before = contents()
    for address in buttons():
        assert client.post(address).status_code == 302
    assert contents() == before


def test_the_overview_tells_the_size_of_the_journal(owner_client):
    make_everything()
    size = describe_data().journal
    assert size.entries == 1 and size.characters > 100
    html = owner_client.get(reverse("admin:index")).content.decode()
    assert "1 change</a>" in html and "kept for undo" in html
