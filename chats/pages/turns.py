"""A range of a chat's messages for the chat page."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import QuerySet

from chats.fragments import Block
from chats.generations.choice import find_why_not
from chats.models import Conversation, Message
from chats.pages.forks import Fork, find_forks, find_versions
from chats.system_messages import read_system_messages
from chats.transcript import FLAGS, Damage, Turn, read_damage, read_turns
from llms.calls.demo import MODELS as DEMO_MODELS
from llms.calls.demo import SERVICE
from llms.models import Model
from metrics.models import UsageEvent
from stores.records.json_values import number_in
from stores.records.secrets import mask

WINDOW = 24
"""Messages that the page gets at once."""


@dataclass
class Figure:
    """One figure of an answer, as `Output: 120 tokens`."""

    label: str
    value: str


@dataclass
class ChatTurn:
    """A message with its acts and figures. `summary` is the line under it, `figures` what it opens to, and `cost` opens
    to its arithmetic; all are empty where nothing was counted."""

    turn: Turn
    label: str = ""
    """The model's name as the person knows it; empty where the model is gone."""
    summary: list[str] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    cost: str = ""
    why_not: str = ""
    """Why its model cannot be called; empty where it can."""
    forks: list[Fork] = field(default_factory=list)
    """Other chats that go on from this message."""
    versions: str = ""
    """The page with versions of it that a merge keeps and does not show; empty where there are none."""
    is_stale: bool = False
    """Whether it is a system message that is not sent, because the chat has another persona now."""

    @property
    def position(self) -> int:
        return self.turn.position

    @property
    def flags(self) -> list[str]:
        return (self.turn.message.user_flags or "").split()

    @property
    def is_starred(self) -> bool:
        return "starred" in self.flags

    @property
    def is_skipped(self) -> bool:
        return "aix.skip" in self.flags

    @property
    def model(self) -> str:
        """What the model is called."""
        return self.label or self.turn.author

    @property
    def notes(self) -> list[str]:
        """What is told of the message beside what has a place of its own."""
        elsewhere = set(FLAGS.values())
        stale = ["for another persona: not sent to the model"] if self.is_stale else []
        return [*(flag for flag in self.turn.flags if flag not in elsewhere), *stale]

    @property
    def has_failed(self) -> bool:
        message = self.turn.message
        has_error = any(isinstance(block, Block) and block.kind == "error" for block in self.turn.blocks)
        return has_error or message.stop_reason == "issue" or bool(message.pending_incomplete)


@dataclass
class Window:
    """Messages in their order, and whether there are others before and after them."""

    items: list[ChatTurn | Damage]
    has_before: bool = False
    has_after: bool = False

    @property
    def first(self) -> int:
        return self.items[0].position if self.items else -1

    @property
    def last(self) -> int:
        return self.items[-1].position if self.items else -1


def read_window(
    chat: Conversation, *, before: int | None = None, after: int | None = None, at: str | None = None
) -> Window:
    """Return the messages before or after a position, around the message `at`, or by default the last ones."""
    rows = chat.messages.all()
    if at is not None and (place := rows.filter(uid=at).values_list("position", flat=True).first()) is not None:
        start = max(0, place - WINDOW // 3)
        found = list(rows.filter(position__gte=start).order_by("position")[:WINDOW])
    elif after is not None:
        found = list(rows.filter(position__gt=after).order_by("position")[:WINDOW])
    else:
        earlier = rows if before is None else rows.filter(position__lt=before)
        found = list(earlier.order_by("-position")[:WINDOW])[::-1]
    return build_window(chat, rows, found)


def build_window(chat: Conversation, rows: QuerySet[Message], found: Sequence[Message]) -> Window:
    """Return the window of these messages, with the damaged ones that stand between them."""
    if not found:
        return Window(list(read_damage(chat, 0, 10**9)))
    has_before = rows.filter(position__lt=found[0].position).exists()
    has_after = rows.filter(position__gt=found[-1].position).exists()
    first = found[0].position if has_before else 0
    last = found[-1].position if has_after else 10**9
    items: list[ChatTurn | Damage] = [*read_chat_turns(chat, found), *read_damage(chat, first, last)]
    items.sort(key=lambda item: item.position)
    return Window(items, has_before, has_after)


def read_one(chat: Conversation, uid: str) -> Window:
    """Return one message alone; an empty window where it is not there."""
    return Window(list(read_chat_turns(chat, chat.messages.filter(uid=uid))))


def read_chat_turns(chat: Conversation, messages: Sequence[Message] | QuerySet[Message]) -> list[ChatTurn]:
    """Return the messages with their figures, in a fixed number of queries."""
    turns = read_turns(messages)
    uids = [turn.message.uid for turn in turns]
    events = UsageEvent.objects.filter(conversation=chat.uid, message__in=uids).exclude(source="import")
    # A regenerated answer has several; the newest belongs to the current text.
    known = {event.message: event for event in events.order_by("at", "pk")}
    has_system = any(turn.message.role == "system" for turn in turns)
    stale = {message["id"] for message in read_system_messages(chat).stale} if has_system else set()
    labels = find_labels({turn.message.model_id for turn in turns if turn.message.model_id})
    forks, versions = find_forks(chat), find_versions(chat, uids)
    # One answer of each model says what is so of all.
    answers = {turn.message.model_id: turn.message for turn in turns if turn.message.role == "assistant"}
    why_nots: dict[str | None, str] = mask({uid: find_why_not(answer) for uid, answer in answers.items() if uid})
    return [
        ChatTurn(
            turn,
            labels.get(turn.message.model_id or "", ""),
            *figures_of(turn.message, known.get(turn.message.uid)),
            why_nots.get(turn.message.model_id, ""),
            forks.get(turn.message.uid, []),
            versions.get(turn.message.uid, ""),
            is_stale=turn.message.uid in stale,
        )
        for turn in turns
    ]


def find_labels(uids: set[str]) -> dict[str, str]:
    """Return the names of the models that are known here, by their ids."""
    rows = Model.objects.filter(uid__in=uids).values_list("uid", "user_label", "label")
    labels = {uid: own or label or "" for uid, own, label in rows}
    return labels | {f"{SERVICE}-{ref}": label for ref, (label, _) in DEMO_MODELS.items()}


def figures_of(message: Message, event: UsageEvent | None) -> tuple[list[str], list[Figure], str]:
    """Return the figures under an answer, in short and in full, and its cost."""
    metrics = message.metrics if isinstance(message.metrics, dict) else {}
    if not metrics:
        return [], [], ""
    is_estimated = event is not None and event.estimated
    about = "≈ " if is_estimated else ""
    new, out = number_in(metrics, "TIn"), number_in(metrics, "TOut")
    read, written = number_in(metrics, "TCacheRead"), number_in(metrics, "TCacheWrite")
    taken = sum(count for count in (new, read, written) if count)
    summary, figures = [], []
    if new is not None or out is not None:
        summary.append(f"{about}{int(taken + (out or 0)):,} tokens")
    for label, count in (
        ("New input", new),
        ("Cache read", read),
        ("Cache write", written),
        ("Output", out),
        ("Reasoning (part of the output)", number_in(metrics, "TOutR")),
    ):
        if count is not None:
            figures.append(Figure(label, f"{about}{int(count):,} tokens"))
    if (first := number_in(metrics, "dtStart")) is not None:
        summary.append(f"first token {first / 1000:.2f} s")
        figures.append(Figure("Time to first token", f"{first / 1000:.2f} s"))
    if (whole := number_in(metrics, "dtAll")) is not None:
        figures.append(Figure("Total time", f"{whole / 1000:.2f} s"))
    # Of a short answer it can round to nothing.
    if (speed := number_in(metrics, "vTOutInner") or 0) >= 0.05:
        summary.append(f"{speed:,.{0 if speed >= 9.95 else 1}f} tokens/s")
        figures.append(Figure("Speed", f"{speed:,.1f} tokens/s"))
    cost = _cost(metrics)
    return summary, figures, about + cost if cost.startswith("$") else cost


def _cost(metrics: dict[str, Any]) -> str:
    cents, code = number_in(metrics, "$c"), metrics.get("$code")
    if cents is None:
        return "free" if code == "free" else "unpriced"
    return show_dollars(cents / 100)


def show_dollars(amount: float) -> str:
    if amount and abs(amount) < 0.01:
        return f"${amount:.6f}".rstrip("0")
    return f"${amount:.4f}" if amount < 1 else f"${amount:,.2f}"
