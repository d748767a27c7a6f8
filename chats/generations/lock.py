"""The lock of a chat: while a run writes in it, its messages cannot be changed otherwise (design, section 6)."""

from chats.models import Conversation, Generation
from stores.leases import is_over
from stores.services.errors import Conflict
from stores.sql import fetch

KIND = "generation-running"
ALIVE: set[str] = set()
"""The runs of this process. After the machine slept, their leases have expired although they still run."""


def running_in(chat: Conversation) -> Generation | None:
    """Return the run that writes in the chat now, if one does."""
    # Every write in a chat checks this, and there is rarely a run.
    if not fetch("SELECT 1 FROM {chats.Generation} WHERE conversation_id = %s AND status = 'running'", [chat.pk]):
        return None
    return Generation.objects.filter(conversation=chat, status=Generation.Status.RUNNING).first()


def sequence_in(chat: Conversation) -> int | None:
    """Return how far the run in the chat is kept; None: nobody writes in it."""
    running = Generation.objects.filter(conversation=chat, status=Generation.Status.RUNNING)
    return running.values_list("sequence", flat=True).first()


def is_abandoned(generation: Generation) -> bool:
    """Tell whether the run's process is gone, or its lease ended a while ago."""
    return generation.uid not in ALIVE and is_over(generation.owner, generation.lease_until)


def check_free(chat: Conversation) -> None:
    """Raise `Conflict` while a run writes in the chat. One that was abandoned is closed, and `chat` is read again."""
    running = running_in(chat)
    if running is not None and not _close_if_abandoned(running, chat):
        raise Conflict(f"Generation {running.uid} is running in this chat. Wait for it, or stop it.", KIND)


def close_abandoned_in(chat: Conversation) -> None:
    """Close a run that was abandoned in the chat, and read `chat` again."""
    running = running_in(chat)
    if running is not None:
        _close_if_abandoned(running, chat)


def _close_if_abandoned(running: Generation, chat: Conversation) -> bool:
    if not is_abandoned(running):
        return False
    # It needs the chats' collection, which imports this module.
    from chats.generations.recovery import close_abandoned

    close_abandoned(running)
    chat.refresh_from_db()
    return True
