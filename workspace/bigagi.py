"""big-AGI's workspaces and live files in and out of this app's rows (`bigagi-format.md` § 7)."""

from stores.records.registry import StoreSpec
from stores.records.table_collections import ListingCollection, TableCollection
from workspace.models import LiveFile, Workspace, WorkspaceFile


class Workspaces(ListingCollection):
    store, key, kind, model = "agi-client-workspace", "liveFilesByWorkspace", "workspace", Workspace
    shape = "map"
    member_lists = {"liveFilesByWorkspace": "workspace"}
    id_in_record = False
    listing, entries, owner_field, uid_field = "", WorkspaceFile, "workspace", "file_uid"


class LiveFiles(TableCollection):
    store, key, kind, model = "agi-live-file", "liveFiles", "live file", LiveFile
    shape = "map"
    route = "files"
    # The id stands in the record as well, but nothing makes it the same as its key.
    id_in_record = False
    paths = {
        "name": "name",
        "type": "type",
        "size": "size",
        "content": "content",
        "last_modified": "lastModified",
        "created": "created",
    }


WORKSPACES, LIVE_FILES = Workspaces(), LiveFiles()
AGI_CLIENT_WORKSPACE = StoreSpec("agi-client-workspace", collections=(WORKSPACES,), phase="workspace")
AGI_LIVE_FILE = StoreSpec("agi-live-file", collections=(LIVE_FILES,), phase="workspace")
