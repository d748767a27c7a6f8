"""Services (a provider's endpoint with its keys): made, replaced, patched and deleted."""

from llms.bigagi import MODELS, SERVICES
from llms.models import Model, Service
from llms.services.changes import (
    change_record,
    check,
    check_not_virtual,
    delete_assignments,
    merge_with,
    replace_with,
    written,
)
from stores.models import Change
from stores.records import editing
from stores.records.codecs import JSONObject, is_id
from stores.records.errors import at
from stores.records.journal.purge import record_deletion
from stores.records.journal.recorder import Origin, record_change
from stores.records.preconditions import ANY, Precondition
from stores.records.written import Written


def create_service(origin: Origin, record: JSONObject, precondition: Precondition = ANY) -> Written:
    """Store a new service behind the others, under its own id or a new one. Raises `Taken` and `Invalid`."""
    with record_change(origin, "create service") as entry:
        check(precondition)
        check_not_virtual(record.get("id"))
        record = {"id": _new_id(record.get("vId"))} | record
        uid = record["id"]
        if not is_id(uid):
            raise at("/id", "An id must be a string of 1 to 200 characters, without NUL or lone surrogates.")
        entry.summary = uid
        value = editing.create(entry, SERVICES, record, uid, SERVICES.first_position())
    return written(SERVICES, uid, value, entry)


def replace_service(origin: Origin, uid: str, record: JSONObject, precondition: Precondition = ANY) -> Written:
    """Make the service what the JSON says; a key whose marker comes is kept. Raises `Missing`, `Invalid`."""
    return change_record(origin, "replace service", SERVICES, uid, replace_with(SERVICES, record), precondition)


def patch_service(origin: Origin, uid: str, patch: JSONObject, precondition: Precondition = ANY) -> Written:
    """Change members of the service (JSON Merge Patch). Raises `Missing` and `Invalid`."""
    return change_record(origin, "patch service", SERVICES, uid, merge_with(SERVICES, patch), precondition)


def delete_service(origin: Origin, uid: str, precondition: Precondition = ANY, *, purge: bool = False) -> Change | None:
    """Delete the service with its models, and the assignments that name one of them. Raises `Missing`.

    big-AGI drops models without a service when it loads them (`bigagi-format.md` § 12)."""
    with record_deletion(origin, "delete service", purge=purge) as entry:
        row = editing.find_for_write(SERVICES, uid)
        check(precondition)
        entry.summary = str(row)
        models = list(Model.objects.select_for_update().filter(service_uid=uid))
        delete_assignments(entry, [model.uid for model in models])
        for model in models:
            editing.delete(entry, MODELS, model)
        editing.delete(entry, SERVICES, row)
    return entry.change


def _new_id(vendor: object) -> str:
    """Return a free id as big-AGI gives them: the vendor's, then with -1, -2, …"""
    base = vendor[:190] if isinstance(vendor, str) and is_id(vendor) else "service"
    taken = set(Service.objects.filter(uid__startswith=base).values_list("uid", flat=True))
    return next(uid for uid in (base, *(f"{base}-{at}" for at in range(1, len(taken) + 1))) if uid not in taken)
