"""The chats that a person wrote in last, for the home page."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import F
from django.urls import reverse

from chats.models import Conversation
from stores.records.ids import encode_id

SHOWN = 5


@dataclass(frozen=True)
class LatestChat:
    """A chat with its page. `at` is its last change; None where no time is known."""

    title: str
    address: str
    at: datetime | None


def read_latest() -> list[LatestChat]:
    """Return the chats that were changed last and are not archived, the newest first."""
    chats = Conversation.objects.exclude(is_archived=True).order_by(F("updated").desc(nulls_last=True), "position")
    columns = ("uid", "user_title", "auto_title", "updated", "created")
    return [
        LatestChat(chat.title, reverse("chat-page-of", args=[encode_id(chat.uid)]), _time(chat.updated or chat.created))
        for chat in chats.only(*columns)[:SHOWN]
    ]


def _time(ms: int | None) -> datetime | None:
    try:
        return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        # An imported chat can name any number.
        return None
