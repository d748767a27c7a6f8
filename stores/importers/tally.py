"""Counts for a verdict: what of each record of a file can be read here, and where the rest of it is."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import Any

from stores.importers.remembered import forgotten_uids
from stores.importers.verdict import Verdict
from stores.models import Change, ChangedRecord, ImportedRecord, Revision
from stores.records import jsontext, registry
from stores.records.collections import Collection

IMPORT = Change.Source.IMPORT


class Tally:
    """Adds to one verdict, record by record."""

    def __init__(self, verdict: Verdict) -> None:
        self.verdict = verdict

    def note_here(self, collection: Collection, value: Any) -> None:
        """Count a record that is here as it is in the file, with its parts."""
        self.verdict.add("here", collection.kind)
        unreadable = collection.parts.count_unreadable(value)
        for kind, count in unreadable.items():
            self.verdict.add("damaged", kind, count)
        for kind, total in collection.parts.count(value).items():
            self.verdict.add("here", kind, total - unreadable.get(kind, 0))

    def note_parts(
        self,
        collection: Collection,
        uid: str,
        value: Any,
        stored: Any,
        branches: Sequence[Any] = (),
        *,
        is_merged: bool = False,
    ) -> bool:
        """Count a record of which another state (`stored`, with its `branches`) is here, or none: what of it can be
        read, and where the rest is. `value` has references in the place of secrets. Return whether all of it was found;
        where the two states were merged (`is_merged`), that means each part of it."""
        kind = collection.kind
        if not collection.parts.kinds:
            is_here = stored is not None and not collection.is_long
            elsewhere = self._find(collection, uid, value, is_gone=stored is None)
            self.verdict.add("here" if is_here else elsewhere, kind)
            self.verdict.add("differing", kind, int(is_here and not collection.contains(stored, value)))
            return is_here or elsewhere != "missing"
        part = collection.parts.kinds[0]
        seen = Counter(collection.parts.seen(value))
        readable: Counter[str] = Counter()
        for state in (stored, *branches):
            readable |= Counter(collection.parts.seen(state))
        rest = seen - readable
        elsewhere = self._find(collection, uid, value, is_gone=stored is None, rest=rest if is_merged else None)
        self.verdict.add("here" if stored is not None else elsewhere, kind)
        self.verdict.add("here", part, seen.total() - rest.total())
        self.verdict.add(elsewhere, part, rest.total())
        is_readable = stored is not None and not rest
        if is_readable and not branches and elsewhere == "aside" and not collection.contains(stored, value):
            # All messages can be read, but it has another title here, or less reasoning.
            self.verdict.add("differing", kind)
        for name, total in collection.parts.count_unreadable(value).items():
            self.verdict.add("damaged" if elsewhere != "missing" else "missing", name, total)
        return is_readable or elsewhere != "missing"

    def note_quarantined(self, kind: str, value: Any, *, is_kept: bool) -> None:
        """Count what nobody can read, and, where it is a record's JSON, the parts in it."""
        if kind == "file" and is_kept:
            self.verdict.not_read += 1
            return
        place = "damaged" if is_kept else "missing"
        self.verdict.add(place, kind)
        if value is not None and kind in registry.kinds() and kind != "store":
            for part, total in registry.collection_of(kind).parts.count(value).items():
                self.verdict.add(place, part, total)

    def note_cut(self) -> None:
        """Count the end of a file that breaks off, of which nothing is there to be kept."""
        self.verdict.not_read = max(self.verdict.not_read, 1)

    @staticmethod
    def _find(collection: Collection, uid: str, value: Any, *, is_gone: bool, rest: Counter[str] | None = None) -> str:
        """Tell where that is of a record which is not in what stands here: kept aside, forgotten on purpose, or
        missing. `rest`: the parts of a merged record that are not shown; each must be kept, or have been changed here.
        """
        digest = jsontext.digest(collection.text_of(value))
        if Revision.objects.filter(kind=collection.kind, uid=uid, content_hash=digest).exists():
            return "aside"
        if is_gone and forgotten_uids(collection.kind, [uid]):
            return "forgotten"
        changed = ChangedRecord.objects.filter(kind=collection.kind, uid=uid)
        if rest is None:
            # What was changed here since an import is in the journal.
            return "aside" if changed.exists() else "missing"
        names = ImportedRecord.objects.filter(kind=collection.kind, branch_of=uid).values_list("uid", flat=True)
        branches = set(names)
        family = {uid, *branches}
        here = ChangedRecord.objects.filter(kind=collection.kind, uid__in=family)
        if not rest or branches - collection.find(branches).keys() or here.exclude(change__source=IMPORT).exists():
            return "aside"
        parts = Revision.objects.filter(kind=collection.parts.kinds[0], reason=Revision.Reason.VERSION)
        versions = chain(*(parts.filter(uid__startswith=f"{one}/") for one in family))
        kept = Counter(collection.parts.seen_part(jsontext.decode(one.body)) for one in versions)
        return "missing" if rest - kept else "aside"
