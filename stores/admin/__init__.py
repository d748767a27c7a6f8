"""The admin of stores, imports and the journal, and what the admins of all apps share (`base`, `display`, `writes`).

Imported by the admins of the apps alone.
"""

from stores.admin.idempotency import IdempotencyKeyAdmin
from stores.admin.journal import ChangeAdmin, ChangedRecordAdmin, StoreCounterAdmin
from stores.admin.migration import ImportedRecordAdmin, MigrationRunAdmin, QuarantineAdmin
from stores.admin.run_record import RunRecordAdmin
from stores.admin.secret import KeyFingerprintAdmin, SecretAdmin
from stores.admin.store import RevisionAdmin, StoreAdmin

__all__ = [
    "ChangeAdmin",
    "ChangedRecordAdmin",
    "IdempotencyKeyAdmin",
    "ImportedRecordAdmin",
    "KeyFingerprintAdmin",
    "MigrationRunAdmin",
    "QuarantineAdmin",
    "RevisionAdmin",
    "RunRecordAdmin",
    "SecretAdmin",
    "StoreAdmin",
    "StoreCounterAdmin",
]
