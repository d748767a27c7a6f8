"""What becomes of a record that an import brings: it never overwrites or shortens what is newer here."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from stores import secrets
from stores.codecs import Rows
from stores.collections import Collection, Original
from stores.models import ImportedRecord


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
    uncarried: frozenset[str] = frozenset()
    """Members of a record that this kind of file does not carry."""


@dataclass
class Decision:
    """`bucket` and, for what is skipped, the `reason`; `rows` is what is to be written."""

    bucket: str
    reason: str = ""
    rows: Rows | None = None
    ours: Any = None
    value: Any = None
    keeps_source: bool = False


UNCARRIED = {
    "all-chats": frozenset({"isArchived", "userSymbol", "tokenCount"}),
    "one-chat": frozenset({"isArchived", "userSymbol", "tokenCount"}),
}
"""What of a conversation each kind of file drops (`bigagi-format.md` § 2)."""


def complete(candidate: Any, ours: Any, uncarried: frozenset[str], lost: list[str] | None = None) -> Any:
    """Return the source's JSON with ours where its kind of file carries nothing, and with our keys."""
    if isinstance(candidate, dict) and isinstance(ours, dict):
        mine = {key: ours[key] for key in uncarried if key in ours and key not in candidate}
        if mine:
            candidate = candidate | mine
    return secrets.keep(candidate, ours, lost=lost)


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
            return Decision("skipped", "deleted here")
        return Decision("created", rows=_without_markers(collection, candidate, lost))
    if imported is not None and imported.source_digest == candidate.digest:
        return Decision("unchanged")
    ours = collection.load([row])[0]
    value = complete(candidate.value, ours, source.uncarried, lost)
    rows = candidate.rows if value is candidate.value else collection.to_rows(value, candidate.uid)
    assert rows is not None
    if rows.content_hash == row.content_hash:
        return Decision("unchanged", rows=rows)
    if _is_older(collection, value, ours, imported, source):
        return Decision("skipped", "older")
    if imported is not None and row.content_hash == imported.imported_hash:
        return Decision("updated", rows=rows, ours=ours, value=value)
    if imported is not None and rows.content_hash == imported.imported_hash:
        return Decision("unchanged")
    return Decision("skipped", "changed here", rows=rows, ours=ours, keeps_source=True)


def _without_markers(collection: Collection, candidate: Candidate, lost: list[str]) -> Rows | None:
    before = len(lost)
    value = secrets.keep(candidate.value, None, candidate.uid, lost=lost) if collection.has_keys else None
    return candidate.rows if len(lost) == before else collection.to_rows(value, candidate.uid)


def _is_older(collection: Collection, value: Any, ours: Any, imported: ImportedRecord | None, source: Source) -> bool:
    theirs_updated, ours_updated = collection.updated_of(value), collection.updated_of(ours)
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


def _time(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
