"""big-AGI's `app-folders` in and out of this app's rows (`bigagi-format.md` § 4)."""

from chats.models import Folder, FolderMembership
from stores.codecs import Columns
from stores.table_collections import ListingCollection


class Folders(ListingCollection):
    store, key, kind, model = "app-folders", "folders", "folder", Folder
    columns = Columns(Folder, {"title": "title", "color": "color"})
    listing, entries, owner_field, uid_field = "conversationIds", FolderMembership, "folder", "conversation_uid"


FOLDERS = Folders()
