"""Queries for stores and imports, for the API and the pages."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils import timezone

from stores.background.leases import is_over, this_owner
from stores.models import MigrationRun, Revision, RunRecord, Store
from stores.records import jsontext, registry
from stores.records.dump import StoreNotFound
from stores.records.registry import is_relational
from stores.records.sql import find_row

INTERRUPTED = "was interrupted."
"""What blocks a run whose process is gone, and is followed by how it goes on."""


UNDER_WAY: set[int] = set()
"""The keys of the imports of this process."""


@dataclass(frozen=True)
class ListedStore:
    """A store without its state."""

    name: str
    relational: bool
    """Whether an app keeps it as rows."""
    version: int | None
    revision: int | None
    updated_at: datetime | None
    """None, like version and revision, where there are rows of the store and nothing else of it."""
    pk: int = 0


def has_rows(name: str) -> bool:
    """Tell whether rows of the store are here."""
    return is_relational(name) and any(collection.rows().exists() for collection in registry.get(name).collections)


def list_stores() -> list[ListedStore]:
    """Return all stores by name; those of which there are only rows, as after the import of one chat, as well."""
    columns = ("name", "version", "revision", "updated_at", "pk")
    listed = [
        ListedStore(name, is_relational(name), version, revision, updated_at, pk)
        for name, version, revision, updated_at, pk in Store.objects.values_list(*columns)
    ]
    known = {store.name for store in listed}
    for spec in registry.all_specs():
        if spec.name not in known and has_rows(spec.name):
            listed.append(ListedStore(spec.name, True, None, None, None))
    return sorted(listed, key=lambda store: store.name)


def find_store(name: str) -> Store | None:
    """Return the store's row; None where there are only rows in it. Raises `StoreNotFound`."""
    store = find_row(Store, "name", name)
    if store is None and not has_rows(name):
        raise StoreNotFound(name)
    return store


def revisions_of(name: str) -> QuerySet[Revision]:
    """Return the earlier and other shapes of a store that are kept, without their bodies."""
    return Revision.objects.filter(kind="store", uid=name).defer("body")


def read_as_text(revision: Revision) -> str:
    """Return what a person reads in a revision, or nothing where its JSON says it best."""
    if revision.kind not in registry.kinds() or revision.kind == "store":
        return ""
    try:
        return registry.collection_of(revision.kind).to_text(jsontext.decode(revision.body))
    except (KeyError, jsontext.UndecodableJSON):
        # The parts of a record, as messages, have no list of their own.
        return ""


def decided_by(records: QuerySet[RunRecord], rule: str) -> QuerySet[RunRecord]:
    """Return those of a run's records of which a rule decided something, or that were left out for this reason."""
    # In a column of JSON text a rule is the name of a member.
    return records.filter(Q(reason=rule) | Q(rules__contains=jsontext.encode(rule)))


def as_seen_now(run: MigrationRun) -> MigrationRun:
    """Return the run as it should be shown: `error` if its process is gone. Nothing is written; the next import or
    `migration_status` does that."""
    if run.status == MigrationRun.Status.RUNNING and is_abandoned(run):
        mark_ended(run)
    return run


def is_abandoned(run: MigrationRun) -> bool:
    """Tell whether nobody does the import any more, here or on another server, although its row says "running"."""
    if run.pk in UNDER_WAY:
        return False
    # One of this process whose end could not be written.
    return run.owner == this_owner() or is_over(run.owner, run.lease_until)


def standing_undos() -> dict[int, int]:
    """Return the undo that each undone run was taken back by, unless that was undone itself; both by their keys."""
    undos = MigrationRun.objects.filter(purpose=MigrationRun.Purpose.UNDO).exclude(based_on=None).order_by("-pk")
    standing: dict[int, int] = {}
    for undo, undone in undos.values_list("pk", "based_on"):
        if undo not in standing and undone is not None:
            standing.setdefault(undone, undo)
    return standing


def undone_imports() -> list[int]:
    """Return the keys of the imports that are undone."""
    imports = MigrationRun.objects.filter(purpose=MigrationRun.Purpose.IMPORT, pk__in=standing_undos())
    return list(imports.values_list("pk", flat=True))


def mark_ended(run: MigrationRun) -> None:
    """Make a run whose process is gone one that ended as an error. It is not saved."""
    run.status = MigrationRun.Status.ERROR
    run.blocked_by = f"The {run.get_purpose_display().lower()} {INTERRUPTED} {how_to_resume(run)}"
    run.phases = [phase | {"status": "failed"} if phase["status"] == "running" else phase for phase in run.phases]
    entry = {"at": timezone.now().isoformat(), "phase": run.phase, "place": "", "message": run.blocked_by}
    run.errors = [*run.errors, entry]


def how_to_resume(run: MigrationRun) -> str:
    """Return the sentence that says how a run that was broken off goes on."""
    if run.purpose == MigrationRun.Purpose.UNDO:
        return "It goes on when the server starts. To complete it now, undo the same run again."
    if run.purpose == MigrationRun.Purpose.PREVIEW:
        return "Send the file again."
    if not run.source_path:
        return "Import the same file again to resume it."
    ways = f"POST /api/migrations/{run.pk}/resume, or manage.py import_indexeddb --resume {run.pk}"
    return f"It goes on when the server starts. To resume it now: {ways}"
