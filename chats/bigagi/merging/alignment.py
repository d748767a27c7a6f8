"""Which messages of two lists are the same one, and the lists joined in order."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from chats.bigagi.merging.messages import began
from chats.bigagi.message import find_message_uids
from chats.bigagi.states import seen_content
from stores.records import jsontext


@dataclass(frozen=True)
class Turn:
    """A message in a list. `key` names it in both lists: its id here, or of what has none, its content."""

    key: str
    message: Any

    @property
    def place(self) -> tuple[float, str]:
        """What orders messages of two sides that stand between the same two others."""
        return began(self.message), self.key


def turns_of(messages: Sequence[Any]) -> list[Turn]:
    """Return a chat's messages with their keys."""
    uids = find_message_uids(messages)
    return [Turn(uid or f"?{jsontext.content_hash(one)}", one) for uid, one in zip(uids, messages, strict=True)]


@dataclass
class Alignment:
    """Two lists side by side. `same` are pairs of places, ascending on both sides, at which both have one message."""

    stored: list[Turn]
    incoming: list[Turn]
    same: list[tuple[int, int]]
    shared: Container[str]
    """The keys of messages that both lists have, also where their order differs."""
    left_out: set[str]
    """The keys of incoming messages that were left out."""

    @property
    def tails(self) -> tuple[list[Turn], list[Turn]]:
        """What each list has behind the last message of its own that the other has too."""
        here = max((at for at, one in enumerate(self.stored) if one.key in self.shared), default=-1)
        there = max((at for at, one in enumerate(self.incoming) if one.key in self.shared), default=-1)
        return self.stored[here + 1 :], self.incoming[there + 1 :]

    def join(self) -> list[Turn]:
        """Return the messages of both, each once and as it is in the stored list, if it is there: those of one side
        stand where they stood between messages of both, and before them what began before."""
        return self._join(self.stored, self.incoming)

    def join_heads(self) -> list[Turn]:
        """Return the same without the tails."""
        here, there = map(len, self.tails)
        return self._join(self.stored[: len(self.stored) - here], self.incoming[: len(self.incoming) - there])

    def _join(self, stored: list[Turn], incoming: list[Turn]) -> list[Turn]:
        joined: list[Turn] = []
        here = there = 0
        for at, other in [*self.same, (len(stored), len(incoming))]:
            added = [one for one in incoming[there:other] if one.key not in self.shared]
            joined += _in_turn(stored[here:at], added)
            joined += stored[at : at + 1]
            here, there = at + 1, other + 1
        return joined


def _in_turn(stored: Sequence[Turn], added: Sequence[Turn]) -> list[Turn]:
    merged, waiting = [], list(added)
    for one in stored:
        while waiting and waiting[0].place < one.place:
            merged.append(waiting.pop(0))
        merged.append(one)
    return [*merged, *waiting]


def align(stored: Sequence[Any], incoming: Sequence[Any], *, without: Container[str] = ()) -> Alignment:
    """Align two lists of messages by their ids, and those whose ids only one list has by what a person reads in them;
    incoming ones `without` are left out."""
    here = turns_of(stored)
    sent = turns_of(incoming)
    there = [one for one in sent if one.key not in without]
    start = 0
    while start < min(len(here), len(there)) and here[start].key == there[start].key:
        start += 1
    ids = {one.key for one in here} & {one.key for one in there}
    first, second = (
        [one.key if one.key in ids else seen_content(one.message) for one in side[start:]] for side in (here, there)
    )
    # In one order whichever side is the stored one: the longest common subsequence need not be the only one.
    if turned := (len(first), first) < (len(second), second):
        first, second = second, first
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    same = [(at, at) for at in range(start)]
    for block in matcher.get_matching_blocks():
        at, other = (block.b, block.a) if turned else (block.a, block.b)
        same += [(start + at + step, start + other + step) for step in range(block.size)]
    renamed = {other: here[at].key for at, other in same}
    there = [Turn(renamed.get(at, one.key), one.message) for at, one in enumerate(there)]
    left_out = {one.key for one in sent if one.key in without}
    return Alignment(here, there, same, {one.key for one in here} & {one.key for one in there}, left_out)
