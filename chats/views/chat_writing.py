"""What all writes in one chat begin with."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from chats.generations.abandoned import close_abandoned_in
from stores.api.viewsets import RecordViewSet


class ChatWritingMixin(RecordViewSet):
    """Closes a generation that was abandoned in the chat before a write locks it. `chat_kwarg` holds the chat's id."""

    chat_kwarg = "id"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method not in SAFE_METHODS and self.chat_kwarg in kwargs:
            close_abandoned_in([self.get_uid(self.chat_kwarg)])
