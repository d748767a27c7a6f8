"""A whole chat as it is read, a few messages at a time."""

from collections.abc import Iterator

from chats.fragments import WholeTexts
from chats.models import Conversation
from chats.transcript import Damage, Turn, read_damage, read_turns

BATCH = 20
"""Messages that are held in memory."""

LAST = 10**12


def read_items(chat: Conversation, *, renders: bool) -> Iterator[Turn | Damage]:
    """Yield the messages of the chat in their order, and what is damaged between them. Texts are whole; only with
    `renders` do their blocks have HTML."""
    budget = WholeTexts(renders=renders)
    first = 0
    while True:
        rows = list(chat.messages.filter(position__gte=first).order_by("position")[:BATCH])
        is_end = len(rows) < BATCH
        last = LAST if is_end else rows[-1].position
        items: list[Turn | Damage] = [*read_turns(rows, budget), *read_damage(chat, first, last)]
        yield from sorted(items, key=lambda item: item.position)
        if is_end:
            return
        first = last + 1
