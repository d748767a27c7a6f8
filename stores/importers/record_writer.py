"""Records into rows: decides, writes and counts, in short transactions.

All of them add to one entry of the journal.
"""

import time
from collections import Counter
from collections.abc import Collection as Ids
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from stores.importers.branches import KnownBranches, place_branches
from stores.importers.decision import Candidate, Decision, decide
from stores.importers.file_facts import Source, Strategy
from stores.importers.lease import hold
from stores.importers.order import take_order
from stores.importers.parts import count_parts
from stores.importers.remembered import Decided, branch_candidate, forgotten_uids, is_proven, remember
from stores.importers.run import Progress
from stores.importers.words import name_kind, tell_quarantined
from stores.models import Change, ImportedRecord, Quarantine, Revision
from stores.records import jsontext
from stores.records.codecs import Damaged, damaged_in, storable
from stores.records.collections import Collection
from stores.records.iteration import batched
from stores.records.journal.delta import diff
from stores.records.journal.lists import DAMAGED
from stores.records.journal.recorder import Entry, Origin, record_change
from stores.records.merging.rules import Rule
from stores.records.quarantine import save_quarantine
from stores.records.sealing import Sealer

NEW, SAME, OTHER = "new", "same", "other"

NOT_SHOWN = "another version is shown, or it was deleted here"
"""Why a part of a merged record was not written."""

PAUSE = 0.01
"""Seconds between two transactions, for others to write."""


class RecordWriter:
    """Writes what a file brings. With `writes` off it decides and counts the same, and leaves the database alone."""

    def __init__(self, progress: Progress, source: Source, *, writes: bool, actor: str = "") -> None:
        self.progress = progress
        self._origin = Origin(Change.Source.IMPORT, actor)
        self._change: Change | None = None
        self.source = source
        self.branches = KnownBranches(self.seen)
        source.in_file = self.branches.with_seen
        self.writes = writes
        self.sealer = Sealer()
        self.lost_keys: list[str] = []
        self.dropped_keys: list[str] = []
        self.needs_verification = False
        self._known_damage: dict[tuple[str, str], Counter[str]] = {}
        self._seen: dict[str, dict[str, list[str]]] = {}
        self._next_position: dict[str, int] = {}
        self.last_transaction = 0.0

    # --- positions and ids ---

    def place_at(self, collection: Collection, first: int) -> None:
        """Say where the collection's new records go."""
        self._next_position[collection.kind] = first

    def position(self, collection: Collection, index: int) -> int:
        """Return the position of the file's record at `index`."""
        if collection.kind not in self._next_position:
            self._next_position[collection.kind] = collection.first_position()
        return self._next_position[collection.kind] + index

    def note_seen(self, kind: str, uid: str, content_hash: str = "") -> str:
        """Tell whether the file had a record with this id before: `NEW`, the `SAME` one, or an `OTHER`."""
        hashes = self._seen.setdefault(kind, {}).setdefault(uid, [])
        if content_hash in hashes:
            return SAME
        hashes.append(content_hash)
        return NEW if len(hashes) == 1 else OTHER

    def seen(self, kind: str) -> Ids[str]:
        """Return the ids of this kind that the file had so far."""
        return self._seen.get(kind, {})

    def take_order(self, collection: Collection, uids: Sequence[str]) -> None:
        """Put the records in the order that they have in the file."""
        if self.writes:
            with self._entry() as entry:
                take_order(entry, collection, uids, self.source)

    def place_branches(self) -> None:
        """List the branches that were made with the records that they are branches of."""
        if self.writes and self.progress.run is not None:
            with self._entry() as entry:
                place_branches(entry, self.progress.run)

    # --- records ---

    def write(self, collection: Collection, candidates: Sequence[Candidate]) -> None:
        """Decide on the candidates, write them with their branches in one transaction, and count them."""
        started = time.monotonic()
        if not self.writes:
            decisions = self._decide_all(collection, candidates)
        else:
            with self._entry() as entry:
                decisions = self._decide_all(collection, candidates, entry)
                self.progress.save_soon()
            self.last_transaction = time.monotonic() - started
            time.sleep(PAUSE)
        for candidate, decision in decisions:
            self._count(collection, candidate, decision)

    def _decide_all(
        self, collection: Collection, candidates: Sequence[Candidate], entry: Entry | None = None
    ) -> list[Decided]:
        """Decide on the candidates, and then on what they branch into; where there is an entry, write them."""
        decisions = following = self._decide(collection, candidates)
        done = {candidate.uid for candidate in candidates}
        forks: list[tuple[Decision, Decision]] = []
        while True:
            if entry is not None:
                self._apply(entry, collection, following)
            branches = [
                (decision, branch_candidate(collection, candidate, decision.branch))
                for candidate, decision in following
                if decision.branch is not None and decision.branch.uid not in done
            ]
            if not branches:
                break
            following = self._decide(collection, [candidate for _, candidate in branches])
            done |= {candidate.uid for candidate, _ in following}
            forks += [(decision, branch) for (decision, _), (_, branch) in zip(branches, following, strict=True)]
        for decision, branch in reversed(forks):
            decision.settle(branch)
        return decisions

    def _decide(self, collection: Collection, candidates: Sequence[Candidate]) -> list[Decided]:
        uids = [candidate.uid for candidate in candidates]
        rows = collection.find(uids)
        imported = {
            record.uid: record
            for record in ImportedRecord.objects.filter(kind=collection.kind, uid__in=uids).select_related("run")
        }
        decisions = []
        for candidate in candidates:
            row, known = rows.get(candidate.uid), imported.get(candidate.uid)
            decision = decide(collection, candidate, row, known, self.source, lost=self.lost_keys)
            decision.imported = known
            decisions.append((candidate, decision))
            self._tell(collection, candidate, decision)
            self.dropped_keys += decision.dropped_keys
            is_damaged = candidate.rows is not None and damaged_in(candidate.rows)
            if decision.outcome != "unchanged" or is_damaged or not is_proven(row, known):
                self.needs_verification = True
        # What was here and was forgotten on purpose stays forgotten.
        kept = [candidate.uid for candidate, decision in decisions if decision.keeps_source and decision.is_known]
        forgotten = forgotten_uids(collection.kind, kept)
        for candidate, decision in decisions:
            decision.keeps_source &= candidate.uid not in forgotten
        return decisions

    def _tell(self, collection: Collection, candidate: Candidate, decision: Decision) -> None:
        """Name what was made a record of its own, and what was deleted here and can be had back."""
        if decision.reason == Rule.DELETED_AND_CONTINUED:
            named = collection.name_of(candidate.value)
            self.progress.note(
                f"The {name_kind(collection.kind)} “{named}” was deleted here and continued in the file. To have it "
                "back, import the file again with --restore-deleted."
            )
        elif candidate.root and decision.outcome == "created":
            is_copy = self.source.strategy == Strategy.COPY
            why = (
                "copy of the chat in the file" if is_copy else "branch: the file and the chat here were both continued"
            )
            self.progress.note(f"“{collection.name_of(candidate.value)}” is a {why}.")

    @contextmanager
    def _entry(self) -> Iterator[Entry]:
        run = self.progress.run
        summary = run.source_name if run else ""
        with record_change(self._origin, "import", summary, run=run, into=self._change) as entry:
            if run is not None:
                hold(run.pk)
            yield entry
        self._change = entry.change or self._change

    def _apply(self, entry: Entry, collection: Collection, decisions: Sequence[Decided]) -> None:
        self.sealer.save()
        run = self.progress.run
        created = [
            (decision.rows, self.position(collection, candidate.index))
            for candidate, decision in decisions
            if decision.outcome == "created" and decision.rows is not None
        ]
        if created:
            collection.insert(created, run)
            for written, _ in created:
                entry.created(collection.kind, written.uid, written.content_hash)
        updated = [(candidate, decision) for candidate, decision in decisions if decision.replaces]
        rows = collection.find(candidate.uid for candidate, _ in updated)
        revisions: list[tuple[str, str, str, str]] = []
        for candidate, decision in updated:
            assert decision.rows is not None
            revisions.append((collection.kind, candidate.uid, "replaced", collection.text_of(decision.stored)))
            row = rows[candidate.uid]
            hashes = row.content_hash, decision.rows.content_hash
            delta = diff(collection.files.journaled(decision.stored), collection.files.journaled(decision.value))
            collection.replace(row, decision.rows, run)
            entry.updated(collection.kind, candidate.uid, *hashes, delta)
        for candidate, decision in decisions:
            if decision.merged is not None:
                for uid, part in decision.merged.versions:
                    kind = collection.parts.kinds[0]
                    # In one order of keys, whichever side it is from, so that it is kept once.
                    revisions.append((kind, f"{candidate.uid}/{uid}", "version", jsontext.canonical(part)))
            if decision.outcome in ("created", "updated", "merged"):
                revisions += [(kind, uid, "original", jsontext.encode(old)) for kind, uid, old in candidate.originals]
        self.keep_revisions(revisions)
        self._keep_sources(collection, [(one, decision) for one, decision in decisions if decision.keeps_source])
        remember(collection, decisions, run)
        if run is not None:
            passed = [candidate for candidate, decision in decisions if decision.outcome in ("unchanged", "skipped")]
            collection.observe([(one.uid, one.value) for one in passed if one.value is not None], run)

    def _keep_sources(self, collection: Collection, decided: Sequence[Decided]) -> None:
        """Keep whole what the source has and no record here shows."""
        if not decided:
            return
        candidates = [candidate for candidate, _ in decided]
        kind, uids = collection.kind, [candidate.uid for candidate in candidates]
        kept = set(Revision.objects.filter(kind=kind, uid__in=uids).values_list("uid", "content_hash"))
        texts = [(candidate.uid, collection.text_of(candidate.value)) for candidate in candidates]
        self.keep_revisions(
            (kind, uid, "source", text) for uid, text in texts if (uid, jsontext.digest(text)) not in kept
        )

    def keep_revisions(self, revisions: Iterable[tuple[str, str, str, str]]) -> None:
        """Keep JSON texts, given as kind, id, reason and text; what is kept already is not kept twice."""
        Revision.objects.bulk_create(
            [
                Revision(
                    kind=kind,
                    uid=uid[:500],
                    reason=reason,
                    body=text,
                    size=len(text),
                    content_hash=jsontext.digest(text),
                    run=self.progress.run,
                )
                for kind, uid, reason, text in revisions
            ],
            ignore_conflicts=True,
        )

    def _count(self, collection: Collection, candidate: Candidate, decision: Decision) -> None:
        count = self.progress.count
        count(collection.kind, decision.outcome, reason=decision.reason)
        self.progress.count_rules(collection.kind, decision.rules)
        self.progress.conflicting[collection.kind] += decision.is_conflict
        self.progress.kept_aside[collection.kind] += decision.keeps_source
        if decision.merged is not None and decision.merged.versions:
            self.progress.kept_aside[collection.parts.kinds[0]] += len(decision.merged.versions)
        if not collection.parts.kinds:
            return
        if decision.outcome in ("unchanged", "skipped") or decision.source_rows is None:
            for kind, parts in candidate.counts.items():
                count(kind, decision.outcome, parts, decision.reason)
            return
        for kind, outcomes in count_parts(collection, decision).items():
            for outcome, parts in outcomes.items():
                count(kind, outcome, parts, NOT_SHOWN if outcome == "skipped" else "")

    # --- what cannot be read ---

    def quarantine(self, store: str, members: Sequence[Damaged]) -> None:
        """Keep damaged members that belong to no record, each once however often the file is imported."""
        self.needs_verification = True
        new = [member for member in members if not self._is_kept(store, member)]
        for member in members:
            self.progress.count(member.kind, "quarantined", reason=member.reason)
            self.progress.error(member.place, tell_quarantined(member.kind, member.reason))
        if self.writes and new:
            for some in batched(new, 50):
                with self._entry() as entry:
                    self.sealer.save()
                    save_quarantine(store, some, self.progress.run)
                    for member in some:
                        uid = f"{store}/{member.collection}"
                        entry.created(DAMAGED, storable(uid)[:500], jsontext.digest(member.raw))

    def _is_kept(self, store: str, member: Damaged) -> bool:
        place = (store, member.collection)
        if place not in self._known_damage:
            kept = Quarantine.objects.filter(store=store, collection=member.collection, owner=None)
            self._known_damage[place] = Counter(kept.values_list("raw_digest", flat=True))
        known = self._known_damage[place]
        key = jsontext.digest(member.raw)
        known[key] -= 1
        return known[key] >= 0
