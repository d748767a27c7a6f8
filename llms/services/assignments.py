"""Assignments: which model serves a domain. A domain without one is served automatically."""

from llms.bigagi import ASSIGNMENTS
from llms.services.changes import check, written
from stores.models import Change
from stores.records import editing
from stores.records.codecs import JSONObject
from stores.records.errors import at
from stores.records.journal.purge import record_deletion
from stores.records.journal.recorder import Origin, record_change
from stores.records.preconditions import ANY, Precondition
from stores.records.written import Written


def put_assignment(
    origin: Origin, domain: str, record: JSONObject, precondition: Precondition = ANY
) -> tuple[Written, bool]:
    """Replace or create the domain's assignment; return it, and whether it is new. Raises `Invalid`.

    The model need not be here: those that come with the program, as Demo, are no rows."""
    with record_change(origin, "assign model", domain) as entry:
        row = ASSIGNMENTS.find_for_write(domain)
        check(precondition)
        [stored] = [{"domainId": domain}] if row is None else ASSIGNMENTS.load([row])
        if "domainId" in record and record["domainId"] not in (domain, stored.get("domainId")):
            raise at("/domainId", "The domain of an assignment cannot be changed.")
        if row is None:
            record = {"mct": "model-parametric", "domainId": domain} | record
            value = editing.create(entry, ASSIGNMENTS, record, domain)
        else:
            value = editing.replace(entry, ASSIGNMENTS, row, record)
    return written(ASSIGNMENTS, domain, value, entry), row is None


def delete_assignment(
    origin: Origin, domain: str, precondition: Precondition = ANY, *, purge: bool = False
) -> Change | None:
    """Delete the assignment: the domain is automatic again. Raises `Missing`."""
    with record_deletion(origin, "delete assignment", domain, purge=purge) as entry:
        row = editing.find_for_write(ASSIGNMENTS, domain)
        check(precondition)
        editing.delete(entry, ASSIGNMENTS, row)
    return entry.change
