"""The REST API of chats, messages, folders and assets."""

from chats.views.assets import AssetViewSet
from chats.views.conversations import ConversationViewSet
from chats.views.folders import FolderViewSet
from chats.views.messages import MessageViewSet
from chats.views.workspace import WorkspaceImportViewSet

__all__ = ["AssetViewSet", "ConversationViewSet", "FolderViewSet", "MessageViewSet", "WorkspaceImportViewSet"]
