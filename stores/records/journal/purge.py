"""Permanent deletion: the journal's copies of deleted records, and old entries."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F, Sum

from stores.models import Change, ChangedRecord, IdempotencyKey, ImportedRecord, Revision, RunRecord
from stores.records import registry
from stores.records.iteration import batched
from stores.records.journal.recorder import Entry, Origin, record_change

ENTRIES, RECORDS = 50, 500
"""Entries, and records of entries, that one transaction deletes."""
PAUSE = 0.01
"""Seconds between two transactions, in which others can write."""


@dataclass(frozen=True)
class Size:
    """How many entries there are, and how many characters they keep for undo (compressed, they take less)."""

    entries: int
    characters: int


@contextmanager
def record_deletion(
    origin: Origin, action: str, summary: str = "", *, purge: bool, into: Change | None = None
) -> Iterator[Entry]:
    """Open a transaction and a journal entry for deletions; with `purge` no copies are kept at the end."""
    with record_change(origin, action, summary, into=into) as entry:
        yield entry
        if purge:
            purge_records(entry)


def purge_records(entry: Entry) -> None:
    """Delete all copies of the records that the open entry deletes, in this and in earlier changes."""
    kinds: set[str] = set()
    changes: set[int] = set()
    for record in entry.records:
        if record.action != ChangedRecord.Action.DELETED:
            continue
        kinds.add(record.kind)
        record.body = None
        earlier = ChangedRecord.objects.filter(kind=record.kind, uid=record.uid)
        changes.update(earlier.values_list("change", flat=True))
        for change, body in earlier.filter(body__isnull=False).values_list("change", "body"):
            Change.objects.filter(pk=change).update(size=F("size") - len(body or ""))
        Change.objects.filter(pk__in=earlier.values("change")).update(is_purged=True, call=None, summary="")
        earlier.update(body=None)
        Revision.objects.filter(kind=record.kind, uid=record.uid).delete()
        _delete_versions(record.kind, record.uid)
        decided = RunRecord.objects.filter(kind=record.kind, uid=record.uid)
        decided.update(name="", difference=None, beside=None)
    if changes:
        _forget_answers(changes)
    entry.is_purged, entry.summary = True, ""
    # Files are deleted after the last reference to them, never before.
    transaction.on_commit(lambda: tidy_files(kinds))


def _delete_versions(kind: str, uid: str) -> None:
    """Delete the other versions of the record's parts, which are kept under its id and theirs."""
    parts = next((one.parts.kinds for one in registry.all_collections() if one.kind == kind), ())
    kept = Revision.objects.filter(kind__in=parts, uid__startswith=f"{uid}/")
    for pk, name in list(kept.values_list("pk", "uid")) if parts else ():
        # An id can hold a slash: these may be the parts of another record.
        places = [at for at, character in enumerate(name) if character == "/" and at > len(uid)]
        if not ImportedRecord.objects.filter(kind=kind, uid__in=[name[:at] for at in places]).exists():
            Revision.objects.filter(pk=pk).delete()


def _forget_answers(changes: set[int]) -> None:
    """Delete the stored answers (Idempotency-Key) by which something was made in these changes: it stands there."""
    change_ids = {str(change) for change in changes}
    answers = IdempotencyKey.objects.exclude(status=None).values_list("pk", "headers")
    made = [pk for pk, said in answers if said and "Location" in said and said.get("Bigagi-Change") in change_ids]
    IdempotencyKey.objects.filter(pk__in=made).delete()


def tidy_files(kinds: set[str] | None = None) -> None:
    """Delete files of records (of these kinds, or all) that nothing refers to."""
    for collection in registry.all_collections():
        if kinds is None or collection.kind in kinds:
            collection.tidy()


def size_of_journal(before: datetime | None = None) -> Size:
    """Return the size of the journal, or of its entries made before this time."""
    entries = Change.objects.all() if before is None else Change.objects.filter(at__lt=before)
    return Size(entries.count(), entries.aggregate(size=Sum("size"))["size"] or 0)


def prune(before: datetime) -> Size:
    """Delete entries made before this time, and return their size. They can no longer be seen or undone.

    Each transaction is short; an interrupted run leaves no half-deleted entry.
    """
    keys = list(Change.objects.filter(at__lt=before).order_by("pk").values_list("pk", flat=True))
    entries = characters = 0
    for some in batched(keys, ENTRIES):
        changes = Change.objects.filter(pk__in=some)
        size = changes.aggregate(size=Sum("size"))["size"] or 0
        changes.update(is_purged=True)
        while records := list(ChangedRecord.objects.filter(change__in=some).values_list("pk", flat=True)[:RECORDS]):
            ChangedRecord.objects.filter(pk__in=records).delete()
            time.sleep(PAUSE)
        entries += changes.delete()[1].get("stores.Change", 0)
        characters += size
        time.sleep(PAUSE)
    tidy_files()
    return Size(entries, characters)
