"""The REST API of chats, messages, folders and assets."""

from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from chats.content import answer_content
from chats.filters import AssetFilterSet, ConversationFilterSet
from chats.models import Asset, Conversation, Folder, Message
from chats.serializers import (
    AssetSerializer,
    ConversationHeaderSerializer,
    ConversationSerializer,
    FolderSerializer,
    ListedAssetSerializer,
    MessageSerializer,
)
from stores.api.concurrency import answer_revision
from stores.api.ids import LOOKUP
from stores.api.viewsets import RecordViewSet, RevisionViewSet


class ConversationViewSet(mixins.ListModelMixin, RevisionViewSet):
    """Chats: in lists without their messages, alone as big-AGI wrote them."""

    queryset = Conversation.objects.defer("content_hash", "created_at", "updated_at")
    filterset_class = ConversationFilterSet
    orderings = ("position", "-position", "-updated", "updated", "-created", "created")

    def get_serializer_class(self) -> type:
        return ConversationHeaderSerializer if self.action == "list" else ConversationSerializer


class MessageViewSet(mixins.ListModelMixin, RecordViewSet):
    """The messages of one chat. Their revision is the chat's."""

    queryset = Message.objects.none()
    serializer_class = MessageSerializer
    prefix = f"chats/(?P<chat>{LOOKUP})/messages"
    orderings = ("position", "-position")

    def get_chat(self) -> Conversation:
        return get_object_or_404(Conversation, uid=self.get_uid("chat"))

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.chat = self.get_chat()
        return super().list(request, *args, **kwargs)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        self.chat = self.get_chat()
        return answer_revision(request, self.chat, lambda chat: self.get_serializer(self.get_object()).data)

    def get_queryset(self) -> QuerySet[Message]:
        # The serializer reads whole messages by plain SQL; here it is enough to know which.
        if not hasattr(self, "chat"):
            return super().get_queryset()
        return self.chat.messages.order_by("position").only("conversation", "uid", "position")

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "chat": getattr(self, "chat", None)}


class FolderViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordViewSet):
    queryset = Folder.objects.all()
    serializer_class = FolderSerializer


class AssetViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordViewSet):
    queryset = Asset.objects.all()
    filterset_class = AssetFilterSet

    def get_serializer_class(self) -> type:
        return ListedAssetSerializer if self.action == "list" else AssetSerializer

    @action(detail=True)
    def content(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """The bytes. Images and sound can be shown; anything else is only downloaded."""
        return answer_content(request, self.get_object())
