"""What becomes of a record that an import brings: it never overwrites or shortens what is newer here."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from stores.importers.file_facts import Source, Strategy, time_of
from stores.models import ImportedRecord
from stores.records import marked
from stores.records.codecs import Rows
from stores.records.collections import Collection, Original
from stores.records.errors import Conflict
from stores.records.jsontext import canonical, decode, same_quickly
from stores.records.merging.rules import CONFLICTS, NOTHING, Branch, Merged, Rule, Sides
from stores.records.secrets import MARKER, hide, reveal_readable


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
    root: str = ""
    """Of a branch, the record that it is a branch of."""


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
    merged: Merged | None = None
    rules: Counter[Rule] = field(default_factory=Counter)
    """The rules by which two states became one, with how often each did."""
    base: Any = None
    """What is to be known of the record at its next merge; None: as before."""
    imported: ImportedRecord | None = None
    """What an import brought last."""
    imported_before: str | None = None
    """The same as JSON, where this one changes it."""
    is_older: bool = False
    """Whether the file is older than the one that this was from."""

    branch_decision: "Decision | None" = None
    """What became of the branch."""

    @property
    def replaces(self) -> bool:
        """Tell whether a record that was here is written anew."""
        return self.outcome in ("updated", "merged") and self.value is not None

    @property
    def is_conflict(self) -> bool:
        """Tell whether both sides were changed."""
        return self.reason in CONFLICTS or not CONFLICTS.isdisjoint(self.rules)

    def settle(self, branch: "Decision") -> None:
        """Take in what became of its branch. It is new once; where it was here already and the file has nothing more,
        or was deleted here, nothing is merged."""
        self.branch_decision = branch
        if branch.replaces:
            self.rules[Rule.BRANCHED] -= 1
            self.rules = +self.rules + branch.rules
        if not self.replaces and branch.outcome in ("unchanged", "skipped"):
            self.outcome, self.reason, self.rules = "skipped", branch.reason or Rule.OLDER, Counter()

    @property
    def branch(self) -> Branch | None:
        return self.merged.branch if self.merged else None


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
    lost: list[str],
) -> Decision:
    """Decide what becomes of the candidate, of which `row` is ours and `imported` what an import brought last.

    The names of keys that the source only marks, and that are not here, are added to `lost`.
    """
    base = base_of(imported)
    if row is None:
        if imported is not None and not source.restores_deleted:
            is_known = imported.source_digest == candidate.digest
            goes_on = base is not None and collection.states.goes_on(base, candidate.value)
            reason = Rule.DELETED_AND_CONTINUED if goes_on else Rule.DELETED
            return Decision("skipped", reason, is_known=is_known, keeps_source=True)
        rows = _without_markers(collection, candidate, lost)
        first = collection.states.base(candidate.value, source.told(candidate.value), rows)
        return Decision("created", rows=rows, source_rows=rows, base=first)
    if candidate.rows is None:
        # Its text is the one that was imported last, and nobody changed the record since.
        return Decision("unchanged")
    stored = collection.load([row])[0]
    value = complete(candidate.value, stored, source.omitted_fields, lost)
    dropped: list[str] = []
    if collection.guards_keys:
        value, dropped = collection.guard_keys(stored, value, candidate.value)
    rows = candidate.rows if value is candidate.value else collection.to_rows(value, candidate.uid)
    sides = Sides(
        row.uid if hasattr(row, "uid") else candidate.uid,
        *(stored, value, base),
        root=candidate.root or (imported.branch_of if imported is not None else ""),
        is_as_imported=is_unchanged(row, imported),
        is_newer=not _is_older(imported, source),
        told=source.told(candidate.value),
        restores_deleted=source.restores_deleted,
        is_readable_again=_is_readable_again,
    )
    is_older = not sides.is_newer
    if rows.content_hash == row.content_hash:
        follows = _following_base(collection, sides, rows)
        return Decision("unchanged", rows=rows, source_rows=rows, base=follows, is_older=is_older)
    if base is None and sides.is_as_imported:
        sides.base = collection.states.base(stored, NOTHING)
    is_again = imported is not None and rows.content_hash == imported.imported_hash
    # What comes again can still bring back what was deleted since.
    is_again &= source.strategy == Strategy.MERGE and not source.restores_deleted
    if not collection.files.path and _is_readable_again(stored, value):
        decision = Decision("updated", rows=rows, value=value)
    elif is_again and not collection.states.merges_again:
        decision = Decision("unchanged")
    else:
        decision = _choose(collection, candidate, rows, sides, source.strategy)
        if is_again and decision.outcome == "skipped":
            decision = Decision("unchanged", base=decision.base)
        if decision.replaces and _is_busy(collection, row):
            decision = Decision("skipped", Rule.BUSY)
    decision.stored, decision.source_rows, decision.is_older = stored, rows, is_older
    if decision.merged is None:
        decision.dropped_keys = dropped if decision.outcome == "updated" else []
        shown = stored if decision.value is None else decision.value
        decision.keeps_source = shown is not value and not collection.contains(shown, value)
    return decision


def _following_base(collection: Collection, sides: Sides, rows: Rows) -> Any:
    """Return the base after a file that brings nothing new; None: as before."""
    states = collection.states
    if sides.base is None:
        return states.base(sides.incoming, sides.told, rows)
    merged = states.merge(sides) if states.merge is not None and states.merges_always else None
    return merged.base if merged is not None else None


def base_of(imported: ImportedRecord | None) -> Any:
    """Return what imports had made of a record when they last met it; None where that is not known."""
    return decode(imported.base) if imported is not None and imported.base else None


def is_unchanged(row: Any, imported: ImportedRecord | None) -> bool:
    """Tell whether a record is as the last import left it."""
    return imported is not None and row.content_hash in (imported.imported_hash, imported.merged_hash)


def _is_busy(collection: Collection, row: Any) -> bool:
    """Tell whether something else writes in the record now."""
    try:
        collection.check_free(row)
    except Conflict:
        return True
    return False


def _is_readable_again(stored: Any, value: Any) -> bool:
    """Tell whether the source is what is here, but for secrets that cannot be read here any more."""
    here = canonical(stored)
    if MARKER not in here or hide(here) != hide(canonical(value)):
        return False
    unreadable: list[str] = []
    reveal_readable(stored, unreadable)
    return bool(unreadable)


def _choose(collection: Collection, candidate: Candidate, rows: Rows, sides: Sides, strategy: Strategy) -> Decision:
    """Choose between our record and another one, or make one of both."""
    states, value = collection.states, sides.incoming
    if strategy == Strategy.THEIRS:
        base = states.base(value, sides.told, rows)
        return Decision("updated", rows=rows, value=value, rules=Counter({Rule.THEIRS: 1}), base=base)
    if strategy == Strategy.OURS:
        return Decision("skipped", Rule.OURS)
    if strategy == Strategy.COPY and states.copy is not None and not collection.contains(sides.stored, value):
        merged = Merged(sides.stored, None, branch=states.copy(sides))
        ours = collection.to_rows(sides.stored, candidate.uid)
        return Decision("merged", rows=ours, merged=merged, rules=Counter({Rule.COPIED: 1}))
    if states.merge is not None and (states.merges_always or not sides.is_as_imported and sides.base is not None):
        merged_states = states.merge(sides)
        if merged_states is not None:
            return _as_merged(collection, candidate, rows, sides, merged_states)
    if not sides.is_newer:
        return Decision("skipped", Rule.OLDER)
    if sides.is_as_imported:
        return Decision("updated", rows=rows, value=value, base=states.base(value, sides.told, rows))
    return Decision("skipped", Rule.OUR_FIELD)


def _as_merged(collection: Collection, candidate: Candidate, rows: Rows, sides: Sides, merged: Merged) -> Decision:
    """Say what the merge comes to: ours as it was, the file's state, or another one than both."""
    dropped: list[str] = []
    if collection.guards_keys:
        # The host can be theirs now, and the key ours.
        merged.record, dropped = collection.guard_keys(sides.stored, merged.record, candidate.value)
    made = collection.to_rows(merged.record, candidate.uid)
    rules = +merged.rules
    found: dict[str, Any] = {"merged": merged, "rules": rules, "base": merged.base, "keeps_source": not merged.is_whole}
    # Not told by hashes: that of a chat in which an answer is being written is behind.
    is_ours = same_quickly(merged.record, sides.stored)
    if is_ours and merged.branch is None:
        is_older = rules.keys().isdisjoint({Rule.CHANGED_HERE, Rule.OUR_FIELD, Rule.MESSAGE_DELETED})
        return Decision("skipped", Rule.OLDER if is_older else Rule.CHANGED_HERE, **found)
    value = None if is_ours else merged.record
    is_theirs = made.content_hash == rows.content_hash and merged.branch is None
    outcome = "updated" if is_theirs else "merged"
    return Decision(outcome, rows=made, value=value, dropped_keys=dropped, **found)


def _without_markers(collection: Collection, candidate: Candidate, lost: list[str]) -> Rows | None:
    before = len(lost)
    value = marked.keep(candidate.value, None, candidate.uid, lost=lost) if collection.has_keys else None
    return candidate.rows if len(lost) == before else collection.to_rows(value, candidate.uid)


def _is_older(imported: ImportedRecord | None, source: Source) -> bool:
    """Tell whether the file is older than what brought our record. Records without a time of their own are as old as
    the file they came in, and a file that comes again is older than what came between."""
    run = imported.run if imported is not None else None
    if run is None:
        return False
    taken_at, brought_at = time_of(source.taken_at), time_of(run.source_taken_at)
    if taken_at is not None and brought_at is not None:
        return taken_at < brought_at
    return source.first_run is not None and source.first_run < run.pk
