"""Records into rows: decides, writes and counts, in short transactions.

All of them add to one entry of the journal.
"""

import time
from collections import Counter
from collections.abc import Collection as Ids
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from stores.importers.branches import KnownBranches, place_branches
from stores.importers.decision import Candidate, Decision, decide
from stores.importers.file_facts import Source, Strategy
from stores.importers.keeping import keep_revisions, keep_sources
from stores.importers.lease import hold
from stores.importers.order import take_order
from stores.importers.outcomes import count_record, find_decided, note_beside, record_of, save_decided
from stores.importers.remembered import Decided, branch_candidate, forgotten_uids, is_proven, remember
from stores.importers.run import Progress
from stores.importers.words import tell_quarantined
from stores.models import Change, ImportedRecord, Quarantine, RunRecord
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

PAUSE = 0.01
"""Seconds between two transactions, for others to write."""


class RecordWriter:
    """Writes what a file brings. With `writes` off it decides and counts the same, and leaves the database alone."""

    def __init__(self, progress: Progress, source: Source, *, writes: bool, actor: str = "") -> None:
        self.progress = progress
        self._origin = Origin(Change.Source.IMPORT, actor)
        self._change: Change | None = None
        self.source = source
        self.branches = KnownBranches(self.seen, progress.resumed_run)
        source.in_file = self.branches.with_seen
        self.writes = writes
        self.sealer = Sealer()
        checkpoint = progress.checkpoint
        self.lost_keys: list[str] = checkpoint.setdefault("lost_keys", [])
        self.dropped_keys: list[str] = checkpoint.setdefault("dropped_keys", [])
        self._next_position: dict[str, int] = checkpoint.setdefault("positions", {})
        if progress.resumed_run:
            self._change = Change.objects.filter(run=progress.run, source=Change.Source.IMPORT).order_by("pk").first()
        self._done_before: dict[str, dict[str, list[RunRecord]]] = {}
        self._known_damage: dict[tuple[str, str], Counter[str]] = {}
        self._seen: dict[str, dict[str, list[str]]] = {}
        self.last_transaction = 0.0

    @property
    def needs_verification(self) -> bool:
        """Whether there is something that no verification has found here yet."""
        return bool(self.progress.checkpoint.get("needs_verification"))

    def _ask_for_verification(self) -> None:
        self.progress.checkpoint["needs_verification"] = True

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
                take_order(entry, collection, uids, self.source, self.progress.run)

    def place_branches(self) -> None:
        """List the branches that were made with the records that they are branches of."""
        if self.writes and self.progress.run is not None:
            with self._entry() as entry:
                place_branches(entry, self.progress.run)

    # --- records ---

    def write(self, collection: Collection, candidates: Sequence[Candidate]) -> None:
        """Decide on the candidates, write them with their branches in one transaction, and count them."""
        started = time.monotonic()
        records, new = self._take_done(collection, candidates)
        if not self.writes:
            records += self._decide_all(collection, new)
            self.progress.save_soon()
        elif new:
            with self._entry() as entry:
                before = self._measure_checkpoint()
                if collection.shape == "list":
                    self.position(collection, 0)
                records += self._decide_all(collection, new, entry)
                if self._measure_checkpoint() == before:
                    self.progress.save_soon()
                else:
                    self.progress.save()
            self.last_transaction = time.monotonic() - started
            time.sleep(PAUSE)
        else:
            self.progress.save_soon()
        for record in records:
            count_record(self.progress, collection, record)

    def _take_done(
        self, collection: Collection, candidates: Sequence[Candidate]
    ) -> tuple[list[RunRecord], list[Candidate]]:
        """Return what this run decided of the candidates before it was broken off, and the others."""
        if collection.kind not in self._done_before:
            done = self._done_before[collection.kind] = {}
            for record in find_decided(self.progress.resumed_run, collection.kind):
                if record.is_branch:
                    count_record(self.progress, collection, record)
                else:
                    done.setdefault(record.uid, []).append(record)
        done, new, records = self._done_before[collection.kind], [], []
        for candidate in candidates:
            if done.get(candidate.uid):
                records.append(done[candidate.uid].pop(0))
            else:
                new.append(candidate)
        return records, new

    def _measure_checkpoint(self) -> tuple[int, ...]:
        """Return numbers that differ once there is more in the run's checkpoint than its row may have."""
        lists = (self.lost_keys, self.dropped_keys, self._next_position)
        return (*map(len, lists), self.needs_verification)

    def _decide_all(
        self, collection: Collection, candidates: Sequence[Candidate], entry: Entry | None = None
    ) -> list[RunRecord]:
        """Decide on the candidates, and then on what they branch into; where there is an entry, write them."""
        decisions = following = self._decide(collection, candidates)
        done = {candidate.uid for candidate in candidates}
        decided = list(decisions)
        forks: list[tuple[Decision, Decision]] = []
        beside = collection.read_beside(done) if entry is not None else {}
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
            decided += following
        for decision, branch in reversed(forks):
            decision.settle(branch)
        is_preview = entry is None and self.progress.run is not None
        records = [record_of(collection, *one, tells_difference=is_preview) for one in decided]
        for record in records[len(decisions) :]:
            record.is_branch = True
            if self.source.strategy == Strategy.COPY:
                record.rules = {str(Rule.COPIED): 1}
        note_beside(collection, records, beside)
        save_decided(self.progress.run, records)
        return records

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
            self.dropped_keys += decision.dropped_keys
            is_damaged = candidate.rows is not None and damaged_in(candidate.rows)
            if decision.outcome != "unchanged" or is_damaged or not is_proven(row, known):
                self._ask_for_verification()
        # What was here and was forgotten on purpose stays forgotten.
        kept = [candidate.uid for candidate, decision in decisions if decision.keeps_source and decision.is_known]
        forgotten = forgotten_uids(collection.kind, kept)
        for candidate, decision in decisions:
            decision.keeps_source &= candidate.uid not in forgotten
        return decisions

    @contextmanager
    def _entry(self) -> Iterator[Entry]:
        run = self.progress.run
        summary = run.source_name if run else ""
        with record_change(self._origin, "import", summary, run=run, into=self._change) as entry:
            if run is not None:
                hold(run.pk, run.resumed)
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
        keep_revisions(run, revisions)
        keep_sources(run, collection, [candidate for candidate, decision in decisions if decision.keeps_source])
        remember(collection, decisions, run)
        if run is not None:
            passed = [candidate for candidate, decision in decisions if decision.outcome in ("unchanged", "skipped")]
            collection.observe([(one.uid, one.value) for one in passed if one.value is not None], run)

    # --- what cannot be read ---

    def quarantine(self, store: str, members: Sequence[Damaged]) -> None:
        """Keep damaged members that belong to no record, each once however often the file is imported."""
        self._ask_for_verification()
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
