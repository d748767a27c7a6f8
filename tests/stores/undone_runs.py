"""What the tests of undone imports share: undoing, and all tables but for what only says when and where."""

from typing import Any

from django.db.models import Sum

from chats.models import Asset, Conversation, Folder, FolderMembership, Fragment, Message
from llms.models import Assignment, Model, Service
from metrics.ledger.rollups import find_differences
from metrics.models import OtherBaseline, UsageBaseline, UsageDay, UsageDayDetail, UsageEvent, UsageQuarter
from metrics.models.rollups import MEASURES
from stores.importers.run import Progress
from stores.importers.undoing import Options, undo_run
from stores.models import ImportedRecord, MigrationRun, Quarantine, Revision, Store
from workspace.models import Workspace

RECORDS = (Asset, Conversation, Folder, Service, Model, Assignment, UsageBaseline, Workspace)
NOT_SAID = {"id", "revision", "created_at", "updated_at", "loaded_at", "is_verified"}
"""Columns that say when something was written, and where; and that a verification found a record, which a later one
does for an earlier import too."""


def undo(run: MigrationRun | Progress | int, **options: Any) -> MigrationRun:
    """Undo a run, which must get through, and return the run of that."""
    pk = run if isinstance(run, int) else run.pk if isinstance(run, MigrationRun) else run.run.pk
    by = undo_run(pk, Options(**options)).run
    assert by is not None
    by.refresh_from_db()
    assert by.status == "done", (by.blocked_by, by.errors, by.certificate)
    assert by.certificate["differences"] == 0 and by.certificate["states"].keys() <= {"same", "kept"}
    return by


def read_tables() -> dict[str, Any]:
    """Return all that imports write, as values that are equal for databases that hold the same."""
    tables: dict[str, Any] = {}
    chats = dict(Conversation.objects.values_list("pk", "uid"))
    folders = dict(Folder.objects.values_list("pk", "uid"))
    messages = {pk: (chats[chat], uid) for pk, chat, uid in Message.objects.values_list("pk", "conversation", "uid")}
    owners = {"conversation_id": chats, "folder_id": folders, "message_id": messages}
    for model in (*RECORDS, Store, ImportedRecord, OtherBaseline, Message, Fragment, FolderMembership, Revision):
        rows = [
            {
                name: owners[name][value] if name in owners else value
                for name, value in row.items()
                if name not in NOT_SAID
            }
            for row in model.objects.order_by().values(*(field.attname for field in model._meta.concrete_fields))
        ]
        tables[model.__name__] = sorted(rows, key=repr)
    lists = {"messages": chats, "fragments": messages, "conversationIds": folders}
    lists["liveFilesByWorkspace"] = dict(Workspace.objects.values_list("pk", "uid"))
    tables["Quarantine"] = sorted(
        (
            row | {"owner": lists[row["collection"]][row["owner"]] if row["owner"] is not None else None}
            for row in Quarantine.objects.values(
                *("store", "collection", "owner", "position", "kind", "uid", "place", "reason", "raw", "run_id")
            )
        ),
        key=repr,
    )
    tables["ledger"] = read_sums()
    return tables


def read_sums() -> dict[str, Any]:
    """Return the sums of the ledger, by all that it can be added up by; those that come to nothing are left out."""
    assert find_differences(1) == []
    sums: dict[str, Any] = {}
    by = {
        UsageEvent: ("at", "source", "service", "vendor", "model", "conversation", "message"),
        UsageDay: ("dimension", "day", "key"),
        UsageDayDetail: ("day", "service", "vendor", "model", "source"),
        UsageQuarter: ("start", "service", "vendor", "model", "source"),
    }
    for model, names in by.items():
        known = {field.name for field in model._meta.concrete_fields}
        measures = [name for name in (*MEASURES, "cost_nano_usd", "calls") if name in known - {"estimated"}]
        rows = model.objects.order_by().values(*names).annotate(**{f"sum_{name}": Sum(name) for name in measures})
        found = [tuple(row.values()) for row in rows if any(row[f"sum_{name}"] for name in measures)]
        sums[model.__name__] = sorted(found, key=repr)
    return sums
