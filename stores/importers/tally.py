"""Counts for a verdict: what of each record of a file can be read here, and where the rest of it is."""

from collections import Counter
from typing import Any

from stores.importers.record_writer import forgotten_uids
from stores.importers.verdict import Verdict
from stores.models import ChangedRecord, Revision
from stores.records import jsontext, registry
from stores.records.collections import Collection


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

    def note_parts(self, collection: Collection, uid: str, value: Any, stored: Any) -> None:
        """Count a record of which another state (`stored`) is here, or none: what of it can be read, and where the rest
        is. `value` has references in the place of secrets."""
        kind, elsewhere = collection.kind, self._find(collection, uid, value, is_gone=stored is None)
        if not collection.parts.kinds:
            is_here = stored is not None and not collection.is_long
            self.verdict.add("here" if is_here else elsewhere, kind)
            self.verdict.add("differing", kind, int(is_here))
            return
        part = collection.parts.kinds[0]
        seen = Counter(collection.parts.seen(value))
        shown = (seen & Counter(collection.parts.seen(stored))).total() if stored is not None else 0
        self.verdict.add("here" if stored is not None else elsewhere, kind)
        self.verdict.add("here", part, shown)
        self.verdict.add(elsewhere, part, seen.total() - shown)
        if (
            stored is not None
            and shown == seen.total()
            and elsewhere == "aside"
            and not collection.contains(stored, value)
        ):
            # All messages can be read, but it has another title here, or less reasoning.
            self.verdict.add("differing", kind)
        for name, total in collection.parts.count_unreadable(value).items():
            self.verdict.add("damaged" if elsewhere != "missing" else "missing", name, total)

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
    def _find(collection: Collection, uid: str, value: Any, *, is_gone: bool) -> str:
        """Tell where that is of a record which is not in what stands here: kept aside, forgotten on purpose, or
        missing."""
        digest = jsontext.digest(collection.text_of(value))
        if Revision.objects.filter(kind=collection.kind, uid=uid, content_hash=digest).exists():
            return "aside"
        if is_gone and forgotten_uids(collection.kind, [uid]):
            return "forgotten"
        # What was changed here since an import is in the journal.
        return "aside" if ChangedRecord.objects.filter(kind=collection.kind, uid=uid).exists() else "missing"
