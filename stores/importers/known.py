"""Records that earlier imports brought and that need not be read again."""

from stores.importers.outcomes import digests_before
from stores.models import ImportedRecord, MigrationRun
from stores.records import registry
from stores.records.keys import has_unreadable

KnownRecords = dict[tuple[str, str], ImportedRecord]
"""By kind and digest of the raw text."""


def known_records(resumed: MigrationRun | None = None) -> KnownRecords:
    """Return what earlier imports brought of the long lists and is here unchanged and undamaged. What the `resumed`
    run brought itself is read again, and told again.

    While secrets cannot be read, all records without files are read again: the source may have what is sealed."""
    known: KnownRecords = {}
    reads_again = has_unreadable()
    for collection in registry.long_lists():
        if reads_again and not collection.files.path:
            continue
        kind = collection.kind
        here = dict(collection.rows().order_by().values_list("uid", "content_hash"))
        damaged = collection.parts.damaged_uids()
        if resumed is not None:
            damaged = {*damaged, *digests_before(resumed, kind)}
        for record in ImportedRecord.objects.filter(kind=kind).defer("base").iterator():
            if here.get(record.uid) in (record.imported_hash, record.merged_hash) and record.uid not in damaged:
                known[kind, record.source_digest] = record
    return known


def is_known(known: KnownRecords, kind: str, digest: str) -> bool:
    """Tell whether nothing of a record need be read again; its bytes are, if their file here is damaged."""
    record = known.get((kind, digest))
    return record is not None and not registry.collection_of(kind).files.are_damaged(record.uid)
