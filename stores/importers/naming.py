"""Under which ids the records of a file are kept here, found out anew by its verification."""

from itertools import count
from typing import Any

from stores.importers.comparison import is_as_imported
from stores.importers.decision import imported_uids
from stores.models import ImportedRecord
from stores.records.collections import Collection
from stores.records.sealing import Sealer


class Names:
    """The ids of one file's records."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self._seen: dict[str, dict[str, str]] = {}
        self._damaged: set[tuple[str, str, str]] = set()
        self._imported: dict[str, dict[str, str]] = {}

    def seen(self, kind: str) -> dict[str, str]:
        """Return the ids of this kind that the file had so far, each with the digest of the record's text."""
        return self._seen.setdefault(kind, {})

    def identify(self, collection: Collection, value: Any, digest: str, *, is_sealed: bool) -> str | None:
        """Return the id that the record goes by, also if another one of the file has it."""
        if collection.kind not in self._imported:
            self._imported[collection.kind] = imported_uids(collection)
        if digest in self._imported[collection.kind]:
            return self._imported[collection.kind][digest]
        uid = collection.identify(value)
        if uid is None or is_sealed:
            return uid
        if uid == value.get("id"):
            return str(self._sealer.seal(uid))
        # It is derived from the record, with references in the place of secrets.
        return collection.identify(self._sealer.seal(value))

    def find_twin(self, collection: Collection, uid: str, value: Any, digest: str) -> str | None:
        """Return the id of a record whose own id another one of the file has; that id itself where it is the same one
        once more, and None where it can only be in the quarantine."""
        sealed, seen = self._sealer.seal(value), self.seen(collection.kind)
        for number in count(0):
            own = collection.identify_twin(uid, number) if number else uid
            if own is None:
                break
            if own not in seen:
                return own
            if seen[own] == digest or self._is_same_here(collection, own, sealed):
                return uid
        key = collection.kind, uid, digest
        is_known = key in self._damaged
        self._damaged.add(key)
        return uid if is_known else None

    @staticmethod
    def _is_same_here(collection: Collection, uid: str, sealed: Any) -> bool:
        """Tell whether a record says what the file's first one with this id said, or what is here under it."""
        converted, _ = collection.convert(sealed, uid)
        imported = ImportedRecord.objects.filter(kind=collection.kind, uid=uid).first()
        if imported is not None and is_as_imported(collection, converted, uid, imported):
            return True
        [stored] = collection.load(list(collection.find([uid]).values())) or [None]
        return collection.is_same(converted, stored)
