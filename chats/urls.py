from chats.views import AssetViewSet, ConversationViewSet, FolderViewSet, MessageViewSet
from stores.api.routers import ApiRouter

app_name = "chats"

router = ApiRouter()
router.register("chats", ConversationViewSet, "conversation")
router.register(MessageViewSet.prefix, MessageViewSet, "message")
router.register("folders", FolderViewSet, "folder")
router.register("assets", AssetViewSet, "asset")

urlpatterns = router.urls
