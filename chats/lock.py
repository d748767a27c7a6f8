"""The lock of a chat: while a generation writes in it, its messages cannot be changed otherwise."""

from collections.abc import Sequence

from chats.models import Conversation, Generation
from stores.records.errors import Conflict
from stores.records.sql import fetch

KIND = "generation-running"


def running_in(chat: Conversation) -> Generation | None:
    """Return the generation that writes in the chat now, if one does."""
    # Every write in a chat checks this, and there is rarely one.
    if not fetch("SELECT 1 FROM {chats.Generation} WHERE conversation_id = %s AND status = 'running'", [chat.pk]):
        return None
    return Generation.objects.filter(conversation=chat, status=Generation.Status.RUNNING).first()


def sequence_in(chat: Conversation) -> int | None:
    """Return the number of the last stored event of the generation in the chat; None: nobody writes in it."""
    statement = "SELECT sequence FROM {chats.Generation} WHERE conversation_id = %s AND status = 'running'"
    return next((sequence for (sequence,) in fetch(statement, [chat.pk])), None)


def check_all_free(uids: Sequence[str]) -> None:
    """Raise `Conflict` while a generation writes in one of the chats with these ids."""
    running = Generation.objects.filter(conversation__uid__in=uids, status=Generation.Status.RUNNING)
    for generation in running.select_related("conversation")[:1]:
        check_free(generation.conversation)


def check_free(chat: Conversation) -> None:
    """Raise `Conflict` while a generation writes in the chat.

    One that was abandoned counts too. It is closed before a request's first transaction, and by the server's sweep
    (`chats.generations.abandoned`): here the chat is locked, and closing would be undone with what fails later."""
    if (running := running_in(chat)) is not None:
        raise Conflict(f"Generation {running.uid} is running in this chat. Wait for it, or stop it.", KIND)
