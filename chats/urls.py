from django.urls import re_path

from chats.views import AssetViewSet, ConversationViewSet, FolderViewSet, MessageViewSet, WorkspaceImportViewSet
from chats.views.generations import events, generate, generation, stop
from chats.views.trial import test_ai
from stores.api.ids import LOOKUP
from stores.api.routers import ApiRouter

app_name = "chats"

router = ApiRouter()
router.register("chats", ConversationViewSet, "conversation")
router.register(MessageViewSet.prefix, MessageViewSet, "message")
router.register("folders", FolderViewSet, "folder")
router.register("assets", AssetViewSet, "asset")
router.register(WorkspaceImportViewSet.prefix, WorkspaceImportViewSet, "workspace-import")

urlpatterns = [
    # Coroutines: before the router, whose views are none.
    re_path(rf"^chats/(?P<chat>{LOOKUP})/generate/?$", generate, name="generate"),
    re_path(r"^generations/(?P<id>[^/]+)/?$", generation, name="generation"),
    re_path(r"^generations/(?P<id>[^/]+)/events/?$", events, name="generation-events"),
    re_path(r"^generations/(?P<id>[^/]+)/stop/?$", stop, name="generation-stop"),
    re_path(r"^test-ai/?$", test_ai, name="test-ai"),
    *router.urls,
]
