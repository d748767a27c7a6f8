from stores.models.base import Record
from stores.models.migration import ImportedRecord, MigrationRun, Quarantine
from stores.models.store import Revision, Secret, Store

__all__ = ["ImportedRecord", "MigrationRun", "Quarantine", "Record", "Revision", "Secret", "Store"]
