"""The stores that this app keeps."""

from chats.bigagi.conversation import CONVERSATIONS
from chats.bigagi.folder import FOLDERS
from stores.registry import StoreSpec

APP_CHATS = StoreSpec("app-chats", newest_version=4, collections=(CONVERSATIONS,), phase="chats")
APP_FOLDERS = StoreSpec("app-folders", collections=(FOLDERS,), phase="folders")
