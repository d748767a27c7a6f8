"""The chats that a person wrote in last, for the home page."""

from dataclasses import dataclass
from datetime import UTC, datetime

from chats.links import chat_page_path
from chats.models import Conversation
from chats.models.conversation import LAST_CHANGE

SHOWN = 5


@dataclass(frozen=True)
class LatestChat:
    """A chat with its page. `at` is its last change; None where that is no time."""

    title: str
    address: str
    at: datetime | None


def read_latest() -> list[LatestChat]:
    """Return the chats that were changed last and are not archived, the newest first."""
    chats = Conversation.objects.exclude(is_archived=True).order_by(LAST_CHANGE.desc(), "position")
    columns = ("uid", "user_title", "auto_title")
    return [
        LatestChat(chat.title, chat_page_path(chat.uid), _time(chat.last_change))
        for chat in chats.only(*columns).annotate(last_change=LAST_CHANGE)[:SHOWN]
    ]


def _time(ms: int) -> datetime | None:
    try:
        return datetime.fromtimestamp(ms / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        # An imported chat can name any number.
        return None
