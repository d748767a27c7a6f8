"""Single records of any collection: created, changed and deleted, with their part of the journal.

Call all of this inside an open entry (`journal.recorder.record_change`), and thus inside its transaction.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from stores.models import Revision
from stores.records import jsontext
from stores.records.codecs import Damaged, JSONObject, Rows, Unreadable, damaged_in
from stores.records.collections import Collection
from stores.records.errors import Invalid, Missing, Taken, at
from stores.records.journal.delta import Delta, diff
from stores.records.journal.recorder import Entry
from stores.records.marked import keep_marked
from stores.records.merge_patch import merge
from stores.records.remembered import put_back_moved
from stores.records.sealing import may_hold_secrets
from stores.records.secrets import MARKER

KEPT_REVISIONS = 50
"""Number of earlier revisions kept of a whole store; originals are always kept."""


def find_for_write(collection: Collection, uid: str) -> Any:
    """Return the row, locked until the transaction ends. Raises `Missing`."""
    row = collection.find_for_write(uid)
    if row is None:
        raise Missing(f"There is no {collection.kind} {uid}.")
    return row


def take_in(
    entry: Entry, value: Any, stored: Any, name: str = "", *, within: tuple[Collection, Any] | None = None
) -> Any:
    """Return the client's value with secrets replaced by references; a marker means the stored secret, of the same
    place, or of any text of the row that the value is to stand `within`."""
    text = jsontext.encode(value)
    if not may_hold_secrets(f'"{name}":{text}'):
        return value
    sealed = entry.sealer.seal(value, name)
    if MARKER not in text:
        return sealed
    kept = keep_marked(sealed, stored, name, lost=entry.lost_keys)
    return put_back_moved(kept, *within) if within else kept


def guard_keys(entry: Entry, collection: Collection, stored: Any, value: Any, sent: Any) -> Any:
    """Return the value that is to replace ours without stored keys that must stay with the host they were entered for;
    `sent` is what the client sent."""
    if not collection.guards_keys or MARKER not in jsontext.encode(stored):
        return value
    value, dropped = collection.guard_keys(stored, value, entry.sealer.seal(sent))
    entry.dropped_keys += dropped
    return value


def tell_dropped(keys: Iterable[str]) -> str:
    """Return in words that stored keys were removed with the address of their service, and what to do."""
    named = ", ".join(dict.fromkeys(keys))
    return f"The address changed, so these stored keys were removed. Enter them again for the new address: {named}."


def create(entry: Entry, collection: Collection, value: Any, uid: str, position: int = 0) -> Any:
    """Write a new record and return its JSON as it is kept. Raises `Taken` and `Invalid`."""
    if collection.find_for_write(uid) is not None:
        raise Taken(f"The id {uid} is taken by another {collection.kind}.")
    value, originals = collection.convert(take_in(entry, value, None, uid), uid)
    rows = to_rows(collection, value, uid)
    refuse_damage(damaged_in(rows))
    insert(entry, collection, rows, position)
    keep_originals(originals)
    return value


def insert(entry: Entry, collection: Collection, rows: Rows, position: int = 0) -> None:
    """Write the rows of a new record. Raises `Taken`."""
    insert_all(entry, collection, [(rows, position)])


def insert_all(entry: Entry, collection: Collection, batch: Sequence[tuple[Rows, int]]) -> None:
    """Write the rows of new records at their positions, all or none. Raises `Taken`."""
    try:
        with transaction.atomic():
            collection.insert(batch)
    except IntegrityError as error:
        # On PostgreSQL two may have looked for the id at once.
        named = batch[0][0].uid if len(batch) == 1 else f"of one of {len(batch)} records"
        raise Taken(f"The id {named} is taken by another {collection.kind}.") from error
    for rows, _ in batch:
        entry.created(collection.kind, rows.uid, rows.content_hash)


def replace(entry: Entry, collection: Collection, row: Any, value: Any, *, stored: Any = None) -> Any:
    """Replace the record, and return it as stored. An equal value changes nothing.

    `stored` is the row's JSON, where it is known. Raises `Invalid`."""
    if stored is None:
        [stored] = collection.load([row])
    sent = value
    taken = take_in(entry, value, stored, row.uid, within=(collection, row))
    value, originals = collection.convert(taken, row.uid)
    value = guard_keys(entry, collection, stored, value, sent)
    if damaged := damaged_in(to_rows(collection, value, row.uid)):
        refuse_damage(damaged, damaged_in(collection.to_rows(stored, row.uid)))
    if overwrite(entry, collection, row, stored, value):
        keep_originals(originals)
    return value


def patch(entry: Entry, collection: Collection, row: Any, change: JSONObject) -> Any:
    """Merge a JSON Merge Patch into the record, and return it as it is kept. Raises `Invalid`."""
    [stored] = collection.load([row])
    # Only the sent part is searched for secrets: a stored reference would be mistaken for a secret.
    value = merge(stored, take_in(entry, change, stored, row.uid, within=(collection, row)))
    value = guard_keys(entry, collection, stored, value, change)
    if damaged := damaged_in(to_rows(collection, value, row.uid)):
        refuse_damage(damaged, damaged_in(collection.to_rows(stored, row.uid)))
    overwrite(entry, collection, row, stored, value)
    return value


def overwrite(entry: Entry, collection: Collection, row: Any, stored: Any, value: Any) -> bool:
    """Overwrite the record `stored` with the value; return whether that changed anything. Raises `Invalid`."""
    rows = to_rows(collection, value, row.uid)
    hash_before = row.content_hash
    if rows.content_hash == hash_before:
        return False
    collection.check_free(row)
    delta: Delta = diff(collection.files.journaled(stored), collection.files.journaled(value))
    if collection.keeps_revisions:
        keep_revision(collection, row.uid, stored)
    collection.replace(row, rows)
    entry.updated(collection.kind, row.uid, hash_before, rows.content_hash, delta)
    return True


def delete(entry: Entry, collection: Collection, row: Any) -> None:
    """Delete the record; the journal keeps it. Raises `Conflict` while something else writes in it."""
    collection.check_free(row)
    [stored] = collection.load([row])
    if collection.keeps_revisions:
        keep_revision(collection, row.uid, stored)
    entry.deleted(
        collection.kind,
        row.uid,
        row.content_hash,
        jsontext.encode(collection.files.journaled(stored)),
        getattr(row, "position", None),
    )
    collection.delete(row)


def to_rows(collection: Collection, value: Any, uid: str) -> Rows:
    """Return the rows of the value. Raises `Invalid`."""
    try:
        return collection.to_rows(value, uid)
    except Unreadable as error:
        raise Invalid(f"Cannot be stored: {error.reason}.") from error


def refuse_damage(damaged: Iterable[Damaged], kept: Iterable[Damaged] = ()) -> None:
    """Raise `Invalid` for a list member that nobody could read, unless it is `kept` here already: whoever sends one is
    told, and only files that came from elsewhere are quarantined."""
    known = Counter(_meaning(member) for member in kept)
    for member in damaged:
        meaning = _meaning(member)
        known[meaning] -= 1
        if known[meaning] < 0:
            raise at(member.pointer, f"Cannot be read: {member.reason}.")


def _meaning(member: Damaged) -> str:
    return jsontext.canonical(jsontext.decode(member.raw)) if member.is_json else member.raw


def keep_revision(collection: Collection, uid: str, value: Any) -> None:
    """Keep an earlier shape of a whole store, the newest last; the oldest beyond `KEPT_REVISIONS` go."""
    text = collection.text_of(value)
    kept = Revision.objects.filter(kind=collection.kind, uid=uid, reason=Revision.Reason.REPLACED)
    content_hash = jsontext.digest(text)
    kept.filter(content_hash=content_hash).delete()
    Revision.objects.create(
        kind=collection.kind,
        uid=uid,
        reason=Revision.Reason.REPLACED,
        body=text,
        size=len(text),
        content_hash=content_hash,
    )
    Revision.objects.filter(pk__in=list(kept.order_by("-id").values_list("pk", flat=True)[KEPT_REVISIONS:])).delete()


def keep_originals(originals: list[tuple[str, str, Any]]) -> None:
    """Keep what conversion changed, given as kind, id and JSON."""
    Revision.objects.bulk_create(
        [
            Revision(
                kind=kind,
                uid=uid[:500],
                reason=Revision.Reason.ORIGINAL,
                body=(text := jsontext.encode(value)),
                size=len(text),
                content_hash=jsontext.digest(text),
            )
            for kind, uid, value in originals
        ],
        ignore_conflicts=True,
    )
