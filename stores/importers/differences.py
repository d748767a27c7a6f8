"""What became of a record in a run, as the difference between two of its states."""

from dataclasses import dataclass
from typing import Any

from stores.models import Change, ChangedRecord, MigrationRun, Revision, RunRecord
from stores.records import jsontext, registry
from stores.records.collections import Collection
from stores.records.journal.delta import Delta, diff
from stores.records.opaque_stores import OPAQUE_STORES
from stores.records.secrets import mask

CHANGES, OTHERWISE = "changes", "otherwise"


@dataclass(frozen=True)
class Difference:
    """`tells` is `changes` (from what was here to what is, or would be, here after the run), `otherwise` (from what is
    here to what the file has, where ours stays) or nothing: the record is new, equal, or its states are not kept.
    `delta` is that of `stores.records.journal.delta`, with markers in the place of secrets."""

    tells: str = ""
    delta: Delta | None = None


def difference_of(record: RunRecord) -> Difference:
    """Return how the states of the record differ."""
    is_changed = record.outcome in ("updated", "merged")
    if record.run.purpose == MigrationRun.Purpose.PREVIEW:
        delta = None if record.difference is None else jsontext.decode(record.difference)
    elif is_changed:
        delta = _written(record)
    else:
        delta = _aside(record)
    if not delta:
        return Difference()
    return Difference(CHANGES if is_changed else OTHERWISE, mask(delta))


def _written(record: RunRecord) -> Delta | None:
    """Return what the run changed, out of the journal."""
    changes = Change.objects.filter(run=record.run_id).order_by().values("pk")
    changed = ChangedRecord.objects.filter(kind=record.kind, uid=record.uid, change__in=changes)
    updated = changed.filter(action=ChangedRecord.Action.UPDATED).exclude(body=None).order_by("pk").first()
    return None if updated is None else jsontext.decode(updated.body)


def _aside(record: RunRecord) -> Delta | None:
    """Return what the file has otherwise than what is here now, out of the state that is kept aside."""
    if not record.is_kept_aside or record.kind not in registry.kinds():
        return None
    kept = Revision.objects.filter(kind=record.kind, uid=record.uid, reason=Revision.Reason.SOURCE)
    revision = kept.filter(run__lte=record.run_id).order_by("-pk").first()
    collection = _collection_of(record.kind)
    row = collection.find([record.uid]).get(record.uid)
    if revision is None or row is None:
        return None
    stored: Any = collection.files.journaled(collection.load([row])[0])
    return diff(stored, collection.files.journaled(jsontext.decode(revision.body)))


def _collection_of(kind: str) -> Collection:
    return OPAQUE_STORES if kind == OPAQUE_STORES.kind else registry.collection_of(kind)
