"""What becomes of a record that an import brings: it never overwrites or shortens what is newer here."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from stores.models import ImportedRecord
from stores.records import marked
from stores.records.codecs import Rows
from stores.records.collections import Collection, Original
from stores.records.jsontext import canonical
from stores.records.protocols import Age
from stores.records.secrets import MARKER, hide, reveal_readable

CLOCK_SKEW_MS = 24 * 60 * 60 * 1000
"""How far in the future a browser's time may lie and still be believed: clocks and zones differ."""


@dataclass
class Candidate:
    """A record as the source has it, in today's shape, with references in the place of secrets."""

    uid: str
    index: int
    digest: str
    value: Any
    rows: Rows | None
    originals: list[Original]
    counts: dict[str, int]


@dataclass
class Source:
    """What is known of the file that the candidates are from."""

    taken_at: str = ""
    first_run: int | None = None
    """The run that imported these very bytes first, if one did."""
    omitted_fields: frozenset[str] = frozenset()
    """Members of a record that this kind of file does not carry."""


@dataclass
class Decision:
    """What becomes of a candidate: its `outcome` and, for what is skipped, the `reason`.

    `rows` and `value` are what is written, `stored` what it replaces; `source_rows` are those of the record as the
    source has it. `keeps_source` says that the source has something that is not in what stands here afterwards: then
    its record is kept whole, as a revision.
    """

    outcome: str
    reason: str = ""
    rows: Rows | None = None
    stored: Any = None
    value: Any = None
    source_rows: Rows | None = None
    is_known: bool = False
    """Whether the source has just what was imported before."""
    keeps_source: bool = False
    dropped_keys: list[str] = field(default_factory=list)
    """Our keys that were removed because their service leads to another host now."""


OMITTED_FIELDS = {
    "all-chats": frozenset({"isArchived", "userSymbol", "tokenCount"}),
    "one-chat": frozenset({"isArchived", "userSymbol", "tokenCount"}),
}
"""What of a chat each kind of file leaves out (`bigagi-format.md` § 2)."""


def imported_uids(collection: Collection) -> dict[str, str]:
    """Return the ids here of what imports brought of a collection, by the digests of the source's texts: one that had
    the id of another keeps the id that it was given, in whatever order the two come again."""
    if not collection.has_twins:
        return {}
    imported = ImportedRecord.objects.filter(kind=collection.kind)
    return dict(imported.values_list("source_digest", "uid").iterator())


def complete(candidate: Any, stored: Any, omitted_fields: frozenset[str], lost: list[str] | None = None) -> Any:
    """Return the source's JSON with ours where its kind of file carries nothing, and with our keys."""
    if isinstance(candidate, dict) and isinstance(stored, dict):
        own = {key: stored[key] for key in omitted_fields if key in stored and key not in candidate}
        if own:
            candidate = candidate | own
    return marked.keep(candidate, stored, lost=lost)


def decide(
    collection: Collection,
    candidate: Candidate,
    row: Any,
    imported: ImportedRecord | None,
    source: Source,
    *,
    restores_deleted: bool,
    lost: list[str],
) -> Decision:
    """Decide what becomes of the candidate, of which `row` is ours and `imported` what an import brought last.

    The names of keys that the source only marks, and that are not here, are added to `lost`.
    """
    if row is None:
        if imported is not None and not restores_deleted:
            is_known = imported.source_digest == candidate.digest
            return Decision("skipped", "deleted here", is_known=is_known, keeps_source=True)
        rows = _without_markers(collection, candidate, lost)
        return Decision("created", rows=rows, source_rows=rows)
    if candidate.rows is None:
        # Its text is the one that was imported last, and nobody changed the record since.
        return Decision("unchanged")
    stored = collection.load([row])[0]
    value = complete(candidate.value, stored, source.omitted_fields, lost)
    dropped: list[str] = []
    if collection.guards_keys:
        value, dropped = collection.guard_keys(stored, value, candidate.value)
    rows = candidate.rows if value is candidate.value else collection.to_rows(value, candidate.uid)
    if rows.content_hash == row.content_hash:
        return Decision("unchanged", rows=rows, source_rows=rows)
    if not collection.files.path and _is_readable_again(stored, value):
        decision = Decision("updated", rows=rows, stored=stored, value=value)
    else:
        decision = _choose(collection, row, rows, stored, value, imported, source)
    decision.source_rows = rows
    decision.dropped_keys = dropped if decision.outcome == "updated" else []
    shown = stored if decision.value is None else decision.value
    decision.keeps_source = shown is not value and not collection.contains(shown, value)
    return decision


def _is_readable_again(stored: Any, value: Any) -> bool:
    """Tell whether the source is what is here, but for secrets that cannot be read here any more."""
    here = canonical(stored)
    if MARKER not in here or hide(here) != hide(canonical(value)):
        return False
    unreadable: list[str] = []
    reveal_readable(stored, unreadable)
    return bool(unreadable)


def _choose(
    collection: Collection,
    row: Any,
    rows: Rows,
    stored: Any,
    value: Any,
    imported: ImportedRecord | None,
    source: Source,
) -> Decision:
    """Choose between our record and another one. What it says alone tells which is the older state; times, which can
    be wrong, count only where that does not."""
    is_as_imported = imported is not None and row.content_hash == imported.imported_hash
    if imported is not None and rows.content_hash == imported.imported_hash:
        return Decision("unchanged")
    match collection.states.compare(stored, value):
        case Age.OLDER:
            return Decision("skipped", "older")
        case Age.NEWER if is_as_imported:
            return Decision("updated", rows=rows, stored=stored, value=value)
        case Age.NEWER:
            joined = collection.states.join(stored, value)
            return Decision("updated", rows=collection.to_rows(joined, row.uid), stored=stored, value=joined)
    if _is_older(collection, value, stored, imported, source):
        return Decision("skipped", "older")
    if is_as_imported:
        return Decision("updated", rows=rows, stored=stored, value=value)
    return Decision("skipped", "changed here")


def _without_markers(collection: Collection, candidate: Candidate, lost: list[str]) -> Rows | None:
    before = len(lost)
    value = marked.keep(candidate.value, None, candidate.uid, lost=lost) if collection.has_keys else None
    return candidate.rows if len(lost) == before else collection.to_rows(value, candidate.uid)


def _is_older(collection: Collection, value: Any, stored: Any, imported: ImportedRecord | None, source: Source) -> bool:
    theirs_updated, ours_updated = (_believable(collection.states.updated(record)) for record in (value, stored))
    if theirs_updated is not None and ours_updated is not None:
        return theirs_updated < ours_updated
    run = imported.run if imported is not None else None
    if run is None:
        return False
    # Records without a time of their own are as old as the file they came in, and a file that comes again is older than
    # what came between.
    taken_at, brought_at = _time(source.taken_at), _time(run.source_taken_at)
    if taken_at is not None and brought_at is not None:
        return taken_at < brought_at
    return source.first_run is not None and source.first_run < run.pk


def _believable(updated: float | None) -> float | None:
    """Return a time in ms, or None where only a wrong clock can have told it."""
    return updated if updated is not None and updated <= time.time() * 1000 + CLOCK_SKEW_MS else None


def _time(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
