"""How the admin shows what a change did to a record: the operations of a difference, or the JSON of what was deleted.

What is shown is masked before: no reference to a secret is ever cut in two.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from stores.models import ChangedRecord
from stores.records.formatting import format_json, format_text

FOLDED_FROM = 400
"""Characters from which on a value is folded to its beginning."""
MAX_OPERATIONS = 200
"""Operations of one record that a page shows."""
MAX_WORDS = 3_000
"""Words up to which two texts are compared word by word; comparing takes time that grows faster."""
AROUND = 80
"""Characters of what stayed the same that stand on each side of a difference."""

Reader = Callable[[Any], str]
"""Returns what a person reads in a value; nothing where its JSON says it best."""

_WORD = re.compile(r"\w+|\s+|[^\w\s]")


class Room:
    """The number of characters that a page may still show; the changes of an import would be far too long."""

    def __init__(self, characters: int = 300_000) -> None:
        self.left = characters

    def cut(self, text: str) -> tuple[str, bool]:
        """Return as much of the text as there is room for, and whether that is less than all."""
        shown = text[: max(self.left, 200)]
        self.left -= len(shown)
        return shown, len(shown) < len(text)


@dataclass(frozen=True)
class Manner:
    """How operations are shown."""

    room: Room
    read: Reader = lambda value: ""
    is_side_by_side: bool = False
    """Whether two states of a text stand each for itself, and not woven into one."""


def show_difference(record: ChangedRecord, body: Any, room: Room) -> SafeString:
    """Return what happened to the record; `body` is its decoded and masked body."""
    if record.action == ChangedRecord.Action.CREATED:
        return format_html('<p class="bigagi-note">{}</p>', "This record is new.")
    if body is None:
        return format_html('<p class="bigagi-note">{}</p>', "The earlier content was permanently deleted.")
    if record.action == ChangedRecord.Action.DELETED:
        return format_html('<div class="bigagi-removed">{}</div>', _show_side("-", _text(body), room))
    return show_operations(body, Manner(room))


def show_operations(delta: Any, manner: Manner) -> SafeString:
    """Return the operations of a difference (`stores.records.journal.delta`) as a list."""
    operations = [operation for operation in delta if isinstance(operation, list)] if isinstance(delta, list) else []
    # A difference goes from the end to the beginning, and people read the other way.
    operations.reverse()
    rows = format_html_join(
        "",
        '<li><p class="bigagi-path">{}</p>{}</li>',
        (
            (_show_place(path, kind, operands), _show_operation(kind, operands, manner))
            for path, kind, *operands in operations[:MAX_OPERATIONS]
        ),
    )
    rest = len(operations) - MAX_OPERATIONS
    more = format_html('<p class="bigagi-note">and {} more places</p>', number_format(rest)) if rest > 0 else ""
    return format_html('<ul class="bigagi-diff">{}</ul>{}', rows, more)


def _show_place(path: Sequence[Any], kind: str, operands: Sequence[Any]) -> SafeString:
    steps: Iterable[tuple[str]] = ((format_text(str(step)),) for step in path)
    place = format_html_join(" › ", "<code>{}</code>", steps) or format_html("<code>{}</code>", "(everything)")
    if kind == "text":
        return format_html("{} from character {}", place, number_format(operands[0], force_grouping=True))
    if kind == "splice":
        return format_html("{} from position {}", place, operands[0])
    return place


def _show_operation(kind: str, operands: Sequence[Any], manner: Manner) -> SafeString:
    if kind == "text":
        return _show_texts(str(operands[1]), str(operands[2]), manner)
    if kind == "set":
        old, new = operands
        if old and new and isinstance(old[0], str) and isinstance(new[0], str):
            return _show_texts(old[0], new[0], manner)
        return _show_sides(old, new, manner)
    return _show_sides(operands[1], operands[2], manner)


def _show_sides(old: Sequence[Any], new: Sequence[Any], manner: Manner) -> SafeString:
    sides = [("-", value) for value in old] + [("+", value) for value in new]
    shown = ((sign, format_text(manner.read(value)) or _text(value)) for sign, value in sides)
    return format_html_join("", "{}", ((_show_side(sign, text, manner.room),) for sign, text in shown))


def _show_texts(old: str, new: str, manner: Manner) -> SafeString:
    old, new = format_text(old), format_text(new)
    before, after = _WORD.findall(old), _WORD.findall(new)
    if len(before) + len(after) > MAX_WORDS or len(old) + len(new) > FOLDED_FROM * 50 or not old or not new:
        return _show_sides([old] if old else [], [new] if new else [], manner)
    removed: list[tuple[SafeString | str]] = []
    added: list[tuple[SafeString | str]] = [] if manner.is_side_by_side else removed
    manner.room.cut(old + new)
    for tag, old_at, old_end, new_at, new_end in SequenceMatcher(None, before, after, False).get_opcodes():
        if tag == "equal":
            for parts in (removed, added) if manner.is_side_by_side else (removed,):
                parts.append((_shorten_middle("".join(before[old_at:old_end])),))
            continue
        removed.append((_mark("-", "".join(before[old_at:old_end])),))
        added.append((_mark("+", "".join(after[new_at:new_end])),))
    sides = (removed, added) if manner.is_side_by_side else (removed,)
    return format_html_join(
        "", '<p class="bigagi-side">{}</p>', ((format_html_join("", "{}", parts),) for parts in sides)
    )


def _shorten_middle(text: str) -> str:
    return text if len(text) <= 3 * AROUND else f"{text[:AROUND]} […] {text[-AROUND:]}"


def _mark(sign: str, text: str) -> SafeString | str:
    """Return text as removed or added: by colour, by line, and in words for who hears it."""
    if not text:
        return ""
    if sign == "-":
        return format_html('<del><span class="sr-only">removed: </span>{}<span class="sr-only"> </span></del>', text)
    return format_html('<ins><span class="sr-only">added: </span>{}<span class="sr-only"> </span></ins>', text)


def _show_side(sign: str, text: str, room: Room) -> SafeString:
    if len(text) <= FOLDED_FROM:
        room.cut(text)
        return format_html('<p class="bigagi-side">{}</p>', _mark(sign, text))
    shown, is_cut = room.cut(text)
    start = " ".join(text[:400].split())[:120]
    return format_html(
        '<details class="bigagi-side"><summary>{} <span class="bigagi-note">({} characters)</span></summary>'
        '<pre class="bigagi-block" tabindex="0" aria-label="The whole value">{}</pre>{}</details>',
        _mark(sign, f"{start}…"),
        number_format(len(text), force_grouping=True),
        shown,
        format_html('<p class="bigagi-note">{}</p>', "Download the file to see the rest.") if is_cut else "",
    )


def _text(value: Any) -> str:
    return format_text(value) if isinstance(value, str) else format_json(value)
