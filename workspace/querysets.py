"""What is read of workspaces and files."""

from collections.abc import Sequence

from workspace.models import LiveFile, Workspace, WorkspaceFile


def files_by_workspace(workspaces: Sequence[Workspace]) -> dict[int, list[str]]:
    """Return the ids of each workspace's files in their order, by the workspace's primary key."""
    found: dict[int, list[str]] = {workspace.pk: [] for workspace in workspaces}
    entries = WorkspaceFile.objects.filter(workspace__in=list(found)).order_by("position")
    for owner, uid in entries.values_list("workspace_id", "file_uid"):
        found[owner].append(uid)
    return found


def workspaces_by_file(files: Sequence[LiveFile]) -> dict[str, list[str]]:
    """Return the ids of the workspaces that list each file, by the file's id."""
    found: dict[str, list[str]] = {file.uid: [] for file in files}
    entries = WorkspaceFile.objects.filter(file_uid__in=list(found)).order_by("workspace__uid")
    for uid, workspace in entries.values_list("file_uid", "workspace__uid"):
        found[uid].append(workspace)
    return found
