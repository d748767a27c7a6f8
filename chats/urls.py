from django.urls import re_path

from chats.views import AssetViewSet, ConversationViewSet, FolderViewSet, MessageViewSet, WorkspaceImportViewSet
from chats.views.generations import GenerationViewSet
from chats.views.trial import TrialViewSet
from stores.api.ids import LOOKUP
from stores.api.routers import ApiRouter

app_name = "chats"

router = ApiRouter()
router.register("chats", ConversationViewSet, "conversation")
router.register(MessageViewSet.prefix, MessageViewSet, "message")
router.register("folders", FolderViewSet, "folder")
router.register("assets", AssetViewSet, "asset")
router.register(WorkspaceImportViewSet.prefix, WorkspaceImportViewSet, "workspace-import")

begin = GenerationViewSet.as_view({"post": "generate"})
look = GenerationViewSet.as_view({"get": "retrieve"})
join = GenerationViewSet.as_view({"get": "events"})
stop = GenerationViewSet.as_view({"post": "stop"})

urlpatterns = [
    re_path(rf"^chats/(?P<chat>{LOOKUP})/generate/?$", begin, name="generate"),
    re_path(rf"^generations/(?P<id>{LOOKUP})/?$", look, name="generation"),
    re_path(rf"^generations/(?P<id>{LOOKUP})/events/?$", join, name="generation-events"),
    re_path(rf"^generations/(?P<id>{LOOKUP})/stop/?$", stop, name="generation-stop"),
    re_path(r"^test-ai/?$", TrialViewSet.as_view({"get": "services", "post": "create"}), name="test-ai"),
    *router.urls,
]
