"""The system prompt of a chat over REST."""

from dataclasses import asdict

from django.shortcuts import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from chats.generations.system_prompt import read_system_prompt
from chats.models import Conversation
from chats.serializers.system_prompt import SystemPromptSerializer, SystemPromptWriteSerializer
from chats.services import system_prompt as services
from chats.views.chat_writing import ChatWritingMixin
from stores.api.filters import check_parameters
from stores.api.schema import writes
from stores.api.serializers import with_notes
from stores.records.preconditions import etag_of
from stores.records.written import Written


class SystemPromptViewSet(ChatWritingMixin):
    """What is sent in front of a chat: its own text, its persona's, or the default one."""

    queryset = Conversation.objects.none()
    serializer_class = SystemPromptSerializer
    pagination_class = None
    chat_kwarg = lookup_url_kwarg = "chat"

    def retrieve(self, request: Request, chat: str) -> Response:
        """The system prompt that the chat is sent with, and where it comes from. The ETag is the chat's."""
        check_parameters(request, ())
        row = get_object_or_404(Conversation, uid=self.get_uid("chat"))
        return Response(self._present(row), headers={"ETag": etag_of(row)})

    @writes(request=SystemPromptWriteSerializer, responses=SystemPromptSerializer)
    def update(self, request: Request, chat: str) -> Response:
        """Give the chat a system prompt of its own, as a system message at its start."""
        text = SystemPromptWriteSerializer(data=self.read_object()).take()["text"]
        return self._answer(
            services.set_system_prompt(self.get_origin(), self.get_uid("chat"), text, self.get_precondition())
        )

    @writes(request=None, responses={200: SystemPromptSerializer})
    def destroy(self, request: Request, chat: str) -> Response:
        """Delete the chat's own system prompt: the persona's, or the default one, is sent again."""
        check_parameters(request, ())
        return self._answer(
            services.clear_system_prompt(self.get_origin(), self.get_uid("chat"), self.get_precondition())
        )

    def _answer(self, written: Written) -> Response:
        row = Conversation.objects.get(pk=written.row.pk)
        return self.answer_write(with_notes(self._present(row), written.lost_keys), etag_of(row), written.change)

    def _present(self, row: Conversation) -> dict[str, object]:
        return asdict(read_system_prompt(row))
