"""Where pages of chats are."""

from django.urls import reverse

from stores.records.ids import encode_id


def chat_page_path(uid: str) -> str:
    """Return the path of the chat page with this chat. `reverse` would quote the id once more."""
    return f"{reverse('chat-page')}/{encode_id(uid)}"
