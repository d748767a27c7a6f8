"""Single models: replaced, patched and deleted."""

from llms.bigagi import MODELS
from llms.services.changes import change_record, check, delete_assignments, merge_with, replace_with
from stores.models import Change
from stores.records import editing
from stores.records.codecs import JSONObject
from stores.records.journal.purge import record_deletion
from stores.records.journal.recorder import Origin
from stores.records.preconditions import ANY, Precondition
from stores.records.written import Written


def replace_model(origin: Origin, uid: str, record: JSONObject, precondition: Precondition = ANY) -> Written:
    """Make the model what the JSON says, with what the person set. Raises `Missing` and `Invalid`."""
    return change_record(origin, "replace model", MODELS, uid, replace_with(MODELS, record), precondition)


def patch_model(origin: Origin, uid: str, patch: JSONObject, precondition: Precondition = ANY) -> Written:
    """Change members of the model (JSON Merge Patch). Raises `Missing` and `Invalid`."""
    return change_record(origin, "patch model", MODELS, uid, merge_with(MODELS, patch), precondition)


def delete_model(origin: Origin, uid: str, precondition: Precondition = ANY, *, purge: bool = False) -> Change | None:
    """Delete the model, and the assignments that name it. Raises `Missing`."""
    with record_deletion(origin, "delete model", purge=purge) as entry:
        row = editing.find_for_write(MODELS, uid)
        check(precondition)
        entry.summary = str(row)
        delete_assignments(entry, [uid])
        editing.delete(entry, MODELS, row)
    return entry.change
