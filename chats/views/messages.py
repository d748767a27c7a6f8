"""The messages of a chat over REST."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils.functional import SimpleLazyObject
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from chats.bigagi.rows import load_messages
from chats.costs import explain_cost
from chats.lock import sequence_in
from chats.models import Conversation, Message
from chats.serializers.conversations import MessageCostSerializer, MessageSerializer
from chats.services import messages as services
from chats.views.chat_writing import ChatWritingMixin
from stores.api.concurrency import answer_revision
from stores.api.filters import check_parameters
from stores.api.schema import reads, writes
from stores.api.serializers import with_notes
from stores.records.ids import LOOKUP, href
from stores.records.preconditions import etag_of
from stores.records.written import Written


class MessageViewSet(mixins.ListModelMixin, ChatWritingMixin):
    """The messages of one chat. Their revision is the chat's."""

    queryset = Message.objects.none()
    chat_kwarg = "chat"
    serializer_class = MessageSerializer
    prefix = f"chats/(?P<chat>{LOOKUP})/messages"
    orderings = ("position", "-position")

    def get_chat(self) -> Conversation:
        return get_object_or_404(Conversation, uid=self.get_uid("chat"))

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The messages of the chat, in order."""
        self.chat = self.get_chat()
        answer = super().list(request, *args, **kwargs)
        if sequence_in(self.chat) is not None:
            answer.headers["Cache-Control"] = "no-store"
        return answer

    @reads(responses=MessageSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """One message."""
        self.chat = self.get_chat()
        return answer_revision(
            request, self.chat, lambda chat: self.get_serializer(self.get_object()).data, sequence_in
        )

    @extend_schema(operation_id="chats_messages_cost", responses=MessageCostSerializer)
    @action(detail=True)
    def cost(self, request: Request, chat: str, id: str) -> Response:
        """How the message's cost is calculated: tokens × price, the price source, and the provider's own figure."""
        check_parameters(request, ())
        row = self._find_message()
        return Response(explain_cost(row, load_messages([row.pk], by="id")[0][2]))

    @writes(request=MessageSerializer, responses={201: MessageSerializer})
    def create(self, request: Request, chat: str) -> Response:
        """Add a message at the end of the chat."""
        body = self.read_record()
        written = services.append_message(self.get_origin(), self.get_uid("chat"), body, self.get_precondition())
        return self._answer(written, is_new=True)

    @writes(request=MessageSerializer, responses=MessageSerializer)
    def update(self, request: Request, chat: str, id: str) -> Response:
        """Replace the message."""
        body, uid = self.read_record(SimpleLazyObject(self._find_message)), self.get_uid()
        return self._answer(
            services.replace_message(self.get_origin(), self.get_uid("chat"), uid, body, self.get_precondition())
        )

    @writes(responses={204: None})
    def destroy(self, request: Request, chat: str, id: str) -> Response:
        """Delete the message."""
        chat_uid, uid = self.get_uid("chat"), self.get_uid()
        written = services.delete_message(self.get_origin(), chat_uid, uid, self.get_precondition())
        answer = self.answer_deletion(written.change)
        answer.headers["ETag"] = etag_of(written.row)
        return answer

    def get_queryset(self) -> QuerySet[Message]:
        # The serializer reads whole messages by plain SQL; here it is enough to know which.
        if not hasattr(self, "chat"):
            return super().get_queryset()
        return self.chat.messages.order_by("position").only("conversation", "uid", "position")

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "chat": getattr(self, "chat", None)}

    def _find_message(self) -> Message:
        self.chat = self.get_chat()
        message: Message = self.get_object()
        return message

    def _answer(self, written: Written, *, is_new: bool = False) -> Response:
        position, message = written.value
        address = href("chats", written.row.uid, "messages", message["id"])
        body = with_notes(message | {"_server": {"href": address, "position": position}}, written.lost_keys)
        return self.answer_write(body, etag_of(written.row), written.change, created_at=address if is_new else None)
