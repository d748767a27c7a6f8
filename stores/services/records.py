"""Single records of any collection: created, changed and deleted, with their part of the journal.

Call all of this inside an open entry (`stores.journal.recorder.record_change`), and thus inside its transaction.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction

from stores import jsontext
from stores.codecs import Damaged, JSONObject, Rows, Unreadable, damaged_in
from stores.collections import Collection
from stores.journal.delta import Delta, diff
from stores.journal.recorder import Entry
from stores.marked import keep_marked
from stores.merge_patch import merge
from stores.models import Revision
from stores.secrets import MARKER, may_hold_secrets
from stores.services.errors import Invalid, Missing, Taken, at

KEPT_REVISIONS = 50
"""Number of earlier revisions kept of a whole store; originals are always kept."""


def find_for_write(collection: Collection, uid: str) -> Any:
    """Return the row, locked until the transaction ends. Raises `Missing`."""
    row = collection.find_for_write(uid)
    if row is None:
        raise Missing(f"There is no {collection.kind} {uid}.")
    return row


def take_in(entry: Entry, value: Any, ours: Any, name: str = "") -> Any:
    """Return the client's value with secrets replaced by references; a marker means the stored secret."""
    text = jsontext.encode(value)
    if not may_hold_secrets(f'"{name}":{text}'):
        return value
    sealed = entry.sealer.seal(value, name)
    return keep_marked(sealed, ours, name, lost=entry.lost_keys) if MARKER in text else sealed


def guard_keys(entry: Entry, collection: Collection, ours: Any, value: Any, came: Any) -> Any:
    """Return the value that is to replace ours without stored keys that must stay with the host they were entered for;
    `came` is what the client sent."""
    if not collection.guards_keys or MARKER not in jsontext.encode(ours):
        return value
    value, dropped = collection.guard_keys(ours, value, entry.sealer.seal(came))
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
    try:
        with transaction.atomic():
            collection.insert([(rows, position)])
    except IntegrityError as error:
        # On PostgreSQL two may have looked for the id at once.
        raise Taken(f"The id {rows.uid} is taken by another {collection.kind}.") from error
    entry.created(collection.kind, rows.uid, rows.content_hash)


def replace(entry: Entry, collection: Collection, row: Any, value: Any, *, ours: Any = None) -> Any:
    """Replace the record, and return it as stored. An equal value changes nothing.

    `ours` is the row's JSON, where it is known. Raises `Invalid`."""
    if ours is None:
        [ours] = collection.load([row])
    came = value
    value, originals = collection.convert(take_in(entry, value, ours, row.uid), row.uid)
    value = guard_keys(entry, collection, ours, value, came)
    if damaged := damaged_in(to_rows(collection, value, row.uid)):
        refuse_damage(damaged, damaged_in(collection.to_rows(ours, row.uid)))
    if overwrite(entry, collection, row, ours, value):
        keep_originals(originals)
    return value


def patch(entry: Entry, collection: Collection, row: Any, change: JSONObject) -> Any:
    """Merge a JSON Merge Patch into the record, and return it as it is kept. Raises `Invalid`."""
    [ours] = collection.load([row])
    # Only the sent part is searched for secrets: a stored reference would be mistaken for a secret.
    value = merge(ours, take_in(entry, change, ours, row.uid))
    value = guard_keys(entry, collection, ours, value, change)
    if damaged := damaged_in(to_rows(collection, value, row.uid)):
        refuse_damage(damaged, damaged_in(collection.to_rows(ours, row.uid)))
    overwrite(entry, collection, row, ours, value)
    return value


def overwrite(entry: Entry, collection: Collection, row: Any, ours: Any, value: Any) -> bool:
    """Overwrite the record `ours` with the value; return whether that changed anything. Raises `Invalid`."""
    rows = to_rows(collection, value, row.uid)
    hash_before = row.content_hash
    if rows.content_hash == hash_before:
        return False
    collection.check_free(row)
    delta: Delta = diff(collection.as_journaled(ours), collection.as_journaled(value))
    if collection.keeps_revisions:
        keep_revision(collection, row.uid, ours)
    collection.replace(row, rows)
    entry.updated(collection.kind, row.uid, hash_before, rows.content_hash, delta)
    return True


def delete(entry: Entry, collection: Collection, row: Any) -> None:
    """Delete the record; the journal keeps it. Raises `Conflict` while something else writes in it."""
    collection.check_free(row)
    [ours] = collection.load([row])
    if collection.keeps_revisions:
        keep_revision(collection, row.uid, ours)
    entry.deleted(
        collection.kind,
        row.uid,
        row.content_hash,
        jsontext.encode(collection.as_journaled(ours)),
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
