"""The admin of conversations and their parts, folders and assets."""

from chats.admin.asset import AssetAdmin
from chats.admin.conversation import ConversationAdmin
from chats.admin.folder import FolderAdmin, FolderMembershipAdmin
from chats.admin.generation import GenerationAdmin, GenerationEventsAdmin
from chats.admin.message import FragmentAdmin, MessageAdmin
from chats.admin.pinned_chat import PinnedChatAdmin

__all__ = [
    "AssetAdmin",
    "ConversationAdmin",
    "FolderAdmin",
    "FolderMembershipAdmin",
    "FragmentAdmin",
    "GenerationAdmin",
    "GenerationEventsAdmin",
    "MessageAdmin",
    "PinnedChatAdmin",
]
