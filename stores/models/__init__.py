from stores.models.base import Record
from stores.models.idempotency import IdempotencyKey
from stores.models.journal import Change, ChangedRecord, StoreCounter
from stores.models.migration import ImportedRecord, MigrationRun, Quarantine, RunRecord
from stores.models.store import KeyFingerprint, Revision, Secret, Store

__all__ = [
    "Change",
    "ChangedRecord",
    "IdempotencyKey",
    "ImportedRecord",
    "KeyFingerprint",
    "MigrationRun",
    "Quarantine",
    "Record",
    "Revision",
    "RunRecord",
    "Secret",
    "Store",
    "StoreCounter",
]
