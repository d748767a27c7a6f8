"""Records that earlier imports brought and that need not be read again."""

from stores import registry
from stores.models import ImportedRecord

KnownRecords = dict[tuple[str, str], ImportedRecord]
"""By kind and digest of the raw text."""


def known_records() -> KnownRecords:
    """Return what earlier imports brought of the long lists and is here unchanged and undamaged."""
    known: KnownRecords = {}
    for kind in ("conversation", "asset"):
        collection = registry.collection_of(kind)
        here = dict(collection.rows().order_by().values_list("uid", "content_hash"))
        damaged = collection.damaged_uids()
        for record in ImportedRecord.objects.filter(kind=kind).iterator():
            if here.get(record.uid) == record.imported_hash and record.uid not in damaged:
                known[kind, record.source_digest] = record
    return known


def is_known(known: KnownRecords, kind: str, digest: str) -> bool:
    """Tell whether nothing of a record need be read again; the bytes of an image are, if its file here is damaged."""
    record = known.get((kind, digest))
    return record is not None and not registry.collection_of(kind).has_damaged_files(record.uid)
