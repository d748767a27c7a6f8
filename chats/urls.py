from django.urls import re_path

from chats.views import AssetViewSet, ConversationViewSet, FolderViewSet, MessageViewSet, WorkspaceImportViewSet
from chats.views.documents import DocumentViewSet
from chats.views.generations import GenerationViewSet
from chats.views.personas import PersonaViewSet
from chats.views.system_prompt import SystemPromptViewSet
from chats.views.trial import TrialViewSet
from stores.api.routers import ApiRouter
from stores.records.ids import LOOKUP

app_name = "chats"

router = ApiRouter()
router.register("chats", ConversationViewSet, "conversation")
router.register(MessageViewSet.prefix, MessageViewSet, "message")
router.register("folders", FolderViewSet, "folder")
router.register("personas", PersonaViewSet, "persona")
router.register("assets", AssetViewSet, "asset")
router.register(WorkspaceImportViewSet.prefix, WorkspaceImportViewSet, "workspace-import")
router.register("generations", GenerationViewSet, "generation")

GENERATE = GenerationViewSet.as_view({"post": "generate"})
SYSTEM_PROMPT = SystemPromptViewSet.as_view({"get": "retrieve", "put": "update", "delete": "destroy"})

urlpatterns = [
    re_path(rf"^chats/(?P<chat>{LOOKUP})/generate/?$", GENERATE, name="generate"),
    re_path(rf"^chats/(?P<chat>{LOOKUP})/system-prompt/?$", SYSTEM_PROMPT, name="system-prompt"),
    re_path(r"^test-ai/?$", TrialViewSet.as_view({"get": "services", "post": "create"}), name="test-ai"),
    re_path(r"^documents/text/?$", DocumentViewSet.as_view({"post": "create"}), name="document-text"),
    *router.urls,
]
