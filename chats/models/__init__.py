from chats.models.asset import Asset
from chats.models.conversation import Conversation, Fragment, Message
from chats.models.folder import Folder, FolderMembership
from chats.models.generation import Generation, GenerationEvents
from chats.models.pinned_chat import PinnedChat

__all__ = [
    "Asset",
    "Conversation",
    "Folder",
    "FolderMembership",
    "Fragment",
    "Generation",
    "GenerationEvents",
    "Message",
    "PinnedChat",
]
