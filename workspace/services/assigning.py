"""Which files a workspace lists, changed inside an open entry of the journal."""

from collections.abc import Iterable
from typing import Any

from stores.records import editing
from stores.records.errors import Invalid
from stores.records.journal.recorder import Entry
from stores.records.preconditions import Precondition, counter_of, etag_of
from workspace.bigagi import WORKSPACES
from workspace.models import LiveFile, Workspace


def check(precondition: Precondition) -> None:
    """Raise `Stale` where the client saw older workspaces. Call it when the records are locked."""
    precondition.check(etag_of(counter_of(WORKSPACES.store, for_update=True)))


def assign(entry: Entry, row: Any, uid: str, files: Iterable[str]) -> None:
    """Put files at the end of the workspace, which is made where `row` is None; those in it stay where they are."""
    listed = [] if row is None else WORKSPACES.load([row])[0]
    value = [*listed, *(file for file in dict.fromkeys(files) if file not in listed)]
    if row is None:
        editing.insert(entry, WORKSPACES, editing.to_rows(WORKSPACES, value, uid))
    else:
        editing.overwrite(entry, WORKSPACES, row, listed, value)


def unassign(entry: Entry, row: Any, file: str) -> None:
    """Take a file out of a workspace, which stays, even if it is empty now."""
    [listed] = WORKSPACES.load([row])
    editing.overwrite(entry, WORKSPACES, row, listed, [uid for uid in listed if uid != file])


def lock_workspaces_of(file: str) -> list[Workspace]:
    """Return the workspaces that list the file, locked until the transaction ends."""
    owners = Workspace.objects.filter(files__file_uid=file).values("pk")
    return list(Workspace.objects.select_for_update().filter(pk__in=owners).order_by("pk"))


def missing_files(uids: Iterable[str]) -> list[str]:
    """Return those of the ids under which there is no file, each once, in their order."""
    wanted = list(dict.fromkeys(uids))
    here = set(LiveFile.objects.filter(uid__in=wanted).values_list("uid", flat=True))
    return [uid for uid in wanted if uid not in here]


def check_files(uids: list[str]) -> None:
    """Raise `Invalid` for files that are not here."""
    missing = set(missing_files(uids))
    errors = [
        {"pointer": f"/ids/{index}", "detail": f"There is no file {uid}.", "code": "unknown"}
        for index, uid in enumerate(uids)
        if uid in missing
    ]
    if errors:
        raise Invalid(errors[0]["detail"], errors)
