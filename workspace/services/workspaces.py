"""Workspaces: filled, emptied, copied and deleted. Their revision is that of the store `agi-client-workspace`."""

from collections.abc import Callable, Iterable

from stores.models import Change
from stores.records import editing
from stores.records.codecs import JSONObject, is_id
from stores.records.errors import Missing, at
from stores.records.journal.purge import record_deletion
from stores.records.journal.recorder import Entry, Origin, record_change
from stores.records.preconditions import ANY, Precondition
from stores.records.written import Written
from workspace.bigagi import WORKSPACES
from workspace.models import Workspace
from workspace.services.assigning import assign, check, check_files, missing_files, unassign
from workspace.services.files import add_file


def assign_files(origin: Origin, uid: str, files: list[str], precondition: Precondition = ANY) -> Written:
    """Put files at the end of the chat's workspace, which is made where it is not here. Raises `Invalid`."""

    def find(entry: Entry) -> list[str]:
        check_files(files)
        return files

    return _assign(origin, "assign files", uid, find, precondition)


def assign_file(origin: Origin, uid: str, file: str, precondition: Precondition = ANY) -> Written:
    """Put a file at the end of the chat's workspace. Raises `Missing` where there is no such file."""

    def find(entry: Entry) -> list[str]:
        if missing_files([file]):
            raise Missing(f"There is no file {file}.")
        return [file]

    return _assign(origin, "assign file", uid, find, precondition)


def assign_found(origin: Origin, uid: str, files: Iterable[str], precondition: Precondition = ANY) -> Written | None:
    """Put those of the files that are here at the end of the chat's workspace; none: it is not made either."""
    gone = set(missing_files(files := list(files)))
    here = [file for file in files if file not in gone]
    if not here and not Workspace.objects.filter(uid=uid).exists():
        return None
    return _assign(origin, "import workspace", uid, lambda entry: here, precondition)


def assign_new_file(origin: Origin, uid: str, record: JSONObject, precondition: Precondition = ANY) -> Written:
    """Store a new file and put it at the end of the chat's workspace. The value is the file's id.

    Raises `Taken` and `Invalid`."""
    made: list[str] = []

    def find(entry: Entry) -> list[str]:
        made.append(add_file(entry, record)[0])
        return made

    written = _assign(origin, "create file in workspace", uid, find, precondition)
    written.value = made[0]
    return written


def unassign_file(origin: Origin, uid: str, file: str, precondition: Precondition = ANY) -> Written:
    """Take a file out of the workspace; the file stays. Raises `Missing` for the workspace."""
    with record_change(origin, "unassign file", uid) as entry:
        row = editing.find_for_write(WORKSPACES, uid)
        check(precondition)
        unassign(entry, row, file)
    return _written(uid, entry)


def copy_workspace(origin: Origin, uid: str, to: str, precondition: Precondition = ANY) -> Written:
    """Put the workspace's files at the end of another one's, which is made where it is not here.

    Raises `Missing` and `Invalid`."""
    if not is_id(to):
        raise at("/to", "An id must be a string of 1 to 200 characters, without NUL or lone surrogates.")

    def find(entry: Entry) -> list[str]:
        source = WORKSPACES.find([uid])
        if not source:
            raise Missing(f"There is no workspace {uid}.")
        # Members that are no ids, as damaged files have them, are not copied.
        return [file for file in WORKSPACES.load([source[uid]])[0] if is_id(file)]

    return _assign(origin, "copy workspace", to, find, precondition)


def delete_workspace(
    origin: Origin, uid: str, precondition: Precondition = ANY, *, purge: bool = False
) -> Change | None:
    """Delete the workspace; its files stay. Raises `Missing`."""
    with record_deletion(origin, "delete workspace", uid, purge=purge) as entry:
        row = editing.find_for_write(WORKSPACES, uid)
        check(precondition)
        editing.delete(entry, WORKSPACES, row)
    return entry.change


def _assign(
    origin: Origin, action: str, uid: str, find: Callable[[Entry], list[str]], precondition: Precondition
) -> Written:
    with record_change(origin, action, uid) as entry:
        row = WORKSPACES.find_for_write(uid)
        check(precondition)
        assign(entry, row, uid, find(entry))
    return _written(uid, entry)


def _written(uid: str, entry: Entry) -> Written:
    return Written(None, Workspace.objects.get(uid=uid), entry.change, entry.lost_keys)
