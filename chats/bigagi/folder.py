"""big-AGI's `app-folders` in and out of this app's rows (`bigagi-format.md` § 4)."""

from chats.models import Folder, FolderMembership
from stores.records.table_collections import ListingCollection


class Folders(ListingCollection):
    store, key, kind, model = "app-folders", "folders", "folder", Folder
    paths = {"title": "title", "color": "color"}
    route = "folders"
    member_lists = {"conversationIds": "folder"}
    listing, entries, owner_field, uid_field = "conversationIds", FolderMembership, "folder", "conversation_uid"


FOLDERS = Folders()
