"""The stores that this app keeps."""

from chats.assets import describe_references
from chats.bigagi.asset import ASSETS
from chats.bigagi.conversation import CONVERSATIONS
from chats.bigagi.folder import FOLDERS
from chats.bigagi.history import undo_calls
from chats.bigagi.pinned_chat import PINNED_CHATS
from stores.records.registry import StoreSpec

APP_CHATS = StoreSpec("app-chats", newest_version=4, collections=(CONVERSATIONS,), phase="chats", undo_run=undo_calls)
APP_FOLDERS = StoreSpec("app-folders", collections=(FOLDERS,), phase="folders", is_last=True)
BIG_AGI = StoreSpec("Big-AGI", collections=(ASSETS,), phase="assets", is_database=True, inspect=describe_references)
# Not a store that big-AGI or a dump could have: its records are here for the journal and for checks.
PINS = StoreSpec(PINNED_CHATS.store, collections=(PINNED_CHATS,), is_database=True)
