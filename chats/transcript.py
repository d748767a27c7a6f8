"""A readable conversation: a window of its messages with all related data, in a fixed number of queries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max

from chats.assets import find_assets
from chats.fragments import Block, RenderBudget, build_block
from chats.models import Conversation, Fragment, Message
from chats.personas import BUILT_IN
from chats.rendering import printable
from stores.models import Quarantine
from stores.records.formatting import format_moment, format_text
from stores.records.json_values import number_in
from stores.records.secrets import mask
from stores.records.units import format_count, format_dollars

PAGE_SIZE = 100
"""Places of a conversation on one page: so many messages render in about a second."""

MAX_DAMAGED = 500
"""Quarantined members that one page shows."""


@dataclass
class Damage:
    """A quarantined list member, told at its place."""

    position: int
    pk: int
    reason: str
    raw: str


@dataclass
class Turn:
    """One message as it is shown."""

    message: Message
    position: int
    role: str
    author: str
    time: str
    edited: str
    flags: list[str]
    quotes: list[str]
    facts: list[str]
    cost: str
    blocks: list[Block | Damage] = field(default_factory=list)

    @property
    def persona(self) -> str:
        """What the persona is called; the id of one that is not big-AGI's own."""
        uid = self.message.purpose_id or ""
        return BUILT_IN.get(uid, uid)


@dataclass
class TranscriptPage:
    """A window of positions, `first` to `last`, of a conversation whose positions end at `end`."""

    number: int
    pages: int
    first: int
    last: int
    end: int
    items: list[Turn | Damage]

    @property
    def previous(self) -> int:
        return self.number - 1

    @property
    def next(self) -> int:
        return self.number + 1


def page_at(position: int) -> int:
    """Return the number, from 1, of the page with the position."""
    return max(0, position) // PAGE_SIZE + 1


def read_page(conversation: Conversation, number: int) -> TranscriptPage:
    """Return the page of a conversation; a number out of range gives the nearest page."""
    damaged = Quarantine.objects.filter(store="app-chats", collection="messages", owner=conversation.pk)
    ends = [
        conversation.messages.aggregate(end=Max("position"))["end"],
        damaged.aggregate(end=Max("position"))["end"],
    ]
    end = max((place for place in ends if place is not None), default=-1)
    pages = max(1, -(-(end + 1) // PAGE_SIZE))
    number = min(max(1, number), pages)
    first, last = (number - 1) * PAGE_SIZE, number * PAGE_SIZE - 1
    window = {"position__gte": first, "position__lte": last}
    turns = read_turns(conversation.messages.filter(**window).order_by("position"))
    items: list[Turn | Damage] = [*turns, *_read_damage(damaged.filter(**window))]
    items.sort(key=lambda item: item.position)
    return TranscriptPage(number, pages, first, min(last, end), end, items)


def read_turns(messages: Iterable[Message], budget: RenderBudget | None = None) -> list[Turn]:
    """Return the messages with their blocks: a few queries, however many they are."""
    rows = list(messages)
    fragments = list(
        Fragment.objects.filter(message__in=rows)
        .order_by("message_id", "position")
        .values_list("message_id", "position", "pt", "title", "text", "part")
    )
    broken: dict[int, list[Damage]] = {}
    for owner, damage in _read_owned_damage([row.pk for row in rows]):
        broken.setdefault(owner, []).append(damage)
    # One look-up of the secrets serves the whole page.
    fragments, metadata = mask([[list(row) for row in fragments], [row.metadata for row in rows]])
    assets = find_assets(part for *_, part in fragments)
    members: dict[int, list[list[Any]]] = {}
    for fragment in fragments:
        members.setdefault(fragment[0], []).append(fragment)
    budget = budget or RenderBudget()
    turns = []
    for row, about in zip(rows, metadata, strict=True):
        placed: list[tuple[int, Block | Damage]] = [(damage.position, damage) for damage in broken.get(row.pk, [])]
        for _, position, pt, title, text, part in members.get(row.pk, []):
            block = build_block(
                pt, printable(title or ""), text, part, budget=budget, assets=assets, is_typed=row.role != "assistant"
            )
            placed.append((position, block))
        placed.sort(key=lambda pair: pair[0])
        turns.append(_turn(row, about, [block for _, block in placed]))
    return turns


def read_damage(conversation: Conversation, first: int, last: int) -> list[Damage]:
    """Return the conversation's damaged messages at these positions."""
    damaged = Quarantine.objects.filter(store="app-chats", collection="messages", owner=conversation.pk)
    return _read_damage(damaged.filter(position__gte=first, position__lte=last))


def _read_damage(rows: Any) -> list[Damage]:
    found = list(rows.order_by("position").values_list("position", "pk", "reason", "raw")[:MAX_DAMAGED])
    return [
        Damage(position, pk, reason, format_text(raw if isinstance(raw, str) else str(raw))[:2000])
        for position, pk, reason, raw in mask([list(row) for row in found])
    ]


def _read_owned_damage(keys: Sequence[int]) -> list[tuple[int, Damage]]:
    rows = Quarantine.objects.filter(store="app-chats", collection="fragments", owner__in=keys).order_by("position")
    found = list(rows.values_list("owner", "position", "pk", "reason", "raw")[:MAX_DAMAGED])
    return [
        (owner, Damage(position, pk, reason, format_text(raw if isinstance(raw, str) else str(raw))[:2000]))
        for owner, position, pk, reason, raw in mask([list(row) for row in found])
    ]


_ROLES = {"user": "User", "assistant": "Assistant", "system": "System"}
FLAGS = {
    "starred": "starred",
    "aix.skip": "skipped: not sent to the model",
    "notify.complete": "notify on completion",
    "vnd.ant.cache.auto": "cached automatically",
    "vnd.ant.cache.user": "cached on request",
}
"""What flags are called in the admin. Those of big-AGI's own workings say nothing to who reads a chat."""
STOPS = {
    "client-abort": "stopped by you",
    "filter": "stopped by a filter",
    "issue": "stopped by an error",
    "out-of-tokens": "out of tokens",
}


def _turn(message: Message, metadata: Any, blocks: list[Block | Damage]) -> Turn:
    flags = [FLAGS.get(flag, flag) for flag in (message.user_flags or "").split()]
    if message.stop_reason:
        flags.append(STOPS.get(message.stop_reason, message.stop_reason))
    if message.pending_incomplete:
        flags.append("incomplete")
    return Turn(
        message=message,
        position=message.position,
        role=_ROLES.get(message.role or "", message.role or "Unknown role"),
        author=message.generator_name or message.model_id or "",
        time=format_moment(message.created),
        edited=format_moment(message.updated) if message.updated else "",
        flags=flags,
        quotes=_quotes(metadata),
        facts=_facts(message),
        # Text typed by a person as the assistant cost nothing; it is not unpriced.
        cost=format_cost(message.metrics) if message.metrics is not None or message.generator_kind else "",
        blocks=blocks,
    )


def _quotes(metadata: Any) -> list[str]:
    references = metadata.get("inReferenceTo") if isinstance(metadata, dict) else None
    texts = [item.get("mText") for item in references if isinstance(item, dict)] if isinstance(references, list) else []
    return [printable(text[:1000]) for text in texts if isinstance(text, str)]


def format_cost(metrics: Any) -> str:
    """Return the cost in dollars of a message's metrics, in which `$c` is cents (`bigagi-format.md` § 6)."""
    cents = number_in(metrics, "$c")
    code = metrics.get("$code") if isinstance(metrics, dict) else None
    reason = f" ({code})" if isinstance(code, str) else ""
    if cents is None:
        return f"free{reason}" if code == "free" else f"unpriced{reason}"
    return format_dollars(cents / 100) + reason


def _facts(message: Message) -> list[str]:
    metrics, facts = message.metrics, []
    for key, label in (
        ("TIn", "new input"),
        ("TCacheRead", "cache read"),
        ("TCacheWrite", "cache write"),
        ("TOut", "output"),
        ("TOutR", "reasoning (included)"),
    ):
        if (value := number_in(metrics, key)) is not None:
            facts.append(f"{value:,} {label}")
    if (first := number_in(metrics, "dtStart")) is not None:
        facts.append(f"first token after {first / 1000:.2f} s")
    if (whole := number_in(metrics, "dtAll")) is not None:
        facts.append(f"{whole / 1000:.2f} s")
    if not facts and message.token_count is not None:
        facts.append(format_count(message.token_count, "token"))
    return facts
