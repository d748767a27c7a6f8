"""Which of big-AGI's kinds of files a file is (`bigagi-format.md` § 2), and what another one seems to be."""

import codecs
from contextlib import suppress
from typing import Any, BinaryIO

from stores.importers.scanner import Malformed, Scanner
from stores.importers.source import read_text
from stores.records.jsontext import UndecodableJSON, decode

FLASH, ALL_CHATS, ONE_CHAT = "flash-backup", "all-chats", "one-chat"

_FOREIGN = (
    ("a ChatGPT export", {"mapping"}),
    ("a Claude export", {"chat_messages"}),
    ("a LibreChat export", {"conversationId"}),
    ("an Open WebUI export", {"chat", "user_id"}),
    ("an Open WebUI export", {"chat", "title"}),
    ("a TypingMind export", {"data", "checksum"}),
    ("a TypingMind export", {"chatTitle"}),
)
"""What the exports of other programs have among their first keys."""
_SAMPLE = 64
_LOOKED_AT = 20
"""Members of a list that are looked at."""
LONGEST_LOOK = 8 * 2**20
"""Characters of a first element that are looked at to tell whose it is."""


class NotBigAGI(ValueError):
    """The file is not one that big-AGI writes. The message says in words what it seems to be, and what to do."""


def detect_kind(file: BinaryIO) -> str:
    """Return the kind of the file from its content, and go back to its start. Raises `NotBigAGI`."""
    head = file.read(_SAMPLE)
    file.seek(0)
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        raise NotBigAGI("it is UTF-32 text. Save it as UTF-8 first")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or head[:2] in (b"{\x00", b"\x00{"):
        raise NotBigAGI("it is UTF-16 text. Save it as UTF-8 first")
    if b"\x00" in head or head.startswith(b"\x1f\x8b"):
        raise NotBigAGI("it is not JSON, and not text. If it is compressed, unpack it first")
    try:
        return _detect(Scanner(read_text(file)))
    finally:
        file.seek(0)


def is_chat(value: Any) -> bool:
    """Tell whether a value is a chat as big-AGI writes it: a list of messages is not enough."""
    messages = value.get("messages") if isinstance(value, dict) else None
    if not isinstance(messages, list) or _name_foreign(set(value)):
        return False
    first = messages[0] if messages else None
    if first is None:
        return "systemPurposeId" in value
    if not isinstance(first, dict):
        return "systemPurposeId" in value and "id" in value
    is_old = isinstance(first.get("text"), str) and ("sender" in first or "role" in first) and "messageId" not in first
    return "fragments" in first or is_old or ("systemPurposeId" in value and "content" not in first)


def _detect(scanner: Scanner) -> str:
    start = scanner.peek()
    if not start:
        raise NotBigAGI("the file is empty")
    if start == "[":
        raise NotBigAGI(_describe_list(scanner))
    if start != "{":
        raise NotBigAGI(_describe_text(scanner))
    keys: set[str] = set()
    messages: list[Any] | None = None
    try:
        for key in scanner.members():
            keys.add(key)
            if key == "storage" and scanner.peek() == "{" and _has_stores(scanner):
                return FLASH
            if key == "conversations" and scanner.peek() == "[" and _has_chats(scanner):
                return ALL_CHATS
            if key == "messages" and scanner.peek() == "[":
                messages = _first_of(scanner)
            if scanner.raw_value().startswith('"vnd.agi.') and key == "schema":
                return FLASH
    except Malformed as error:
        if _is_begun_chat(keys, messages):
            return ONE_CHAT
        if not keys:
            raise NotBigAGI(f"it is not JSON: {error}") from error
        raise NotBigAGI(f"it is incomplete or damaged: {error}") from error
    if is_chat(dict.fromkeys(keys) | {"messages": messages}):
        return ONE_CHAT
    raise NotBigAGI(_describe_object(keys))


def _has_stores(scanner: Scanner) -> bool:
    """Tell whether the object at the cursor has one of the two places where a browser keeps its data."""
    look = scanner.fork(0, LONGEST_LOOK)
    try:
        for key in look.members():
            if key in ("localStorage", "indexedDB"):
                return True
            look.raw_value()
    except Malformed:
        return True
    return False


def _first_of(scanner: Scanner, count: int = 1) -> list[Any]:
    """Return the first members of the list at the cursor, up to one that cannot be read."""
    look = scanner.fork(0, LONGEST_LOOK)
    found: list[Any] = []
    with suppress(Malformed, UndecodableJSON):
        for _ in look.elements():
            found.append(decode(look.raw_value()))
            if len(found) == count:
                break
    return found


def _has_chats(scanner: Scanner) -> bool:
    """Tell whether the list at the cursor can be big-AGI's: one of its first members is a chat, or could be a damaged
    one, or there are none."""
    objects = [one for one in _first_of(scanner, _LOOKED_AT) if isinstance(one, dict)]
    return not objects or any(is_chat(one) or "systemPurposeId" in one for one in objects)


def _is_begun_chat(keys: set[str], messages: list[Any] | None) -> bool:
    """Tell whether an object that is cut off begins as a chat."""
    if messages == [] and "id" in keys:
        # The cut is in the first message, or before it.
        return not _name_foreign(keys)
    return messages is not None and is_chat(dict.fromkeys(keys) | {"messages": messages})


def _name_foreign(keys: set[str]) -> str:
    return next((name for name, marks in _FOREIGN if marks <= keys), "")


def _describe_object(keys: set[str]) -> str:
    if name := _name_foreign(keys):
        return f"it looks like {name}. bigagi imports big-AGI's own files"
    if "messages" in keys:
        return "it has messages, but not in big-AGI's format. Export the chat from big-AGI as JSON"
    named = ", ".join(sorted(keys)[:5]) or "nothing in it"
    return f"it is JSON, but not from big-AGI: it has {named}, and none of big-AGI's chats or stores"


def _describe_list(scanner: Scanner) -> str:
    for first in _first_of(scanner):
        if is_chat(first):
            return (
                "it looks like a list of big-AGI's chats without the surrounding object. "
                'Put {"conversations": before it and } after it'
            )
        if isinstance(first, dict) and (name := _name_foreign(set(first))):
            return f"it looks like {name}. bigagi imports big-AGI's own files"
    return "it is a JSON list, but big-AGI's files are JSON objects"


def _describe_text(scanner: Scanner) -> str:
    start = scanner.buffer[scanner.at : scanner.at + _SAMPLE]
    if start.startswith("<"):
        return "it looks like a web page. Export from big-AGI as JSON"
    if start.startswith(("#", "**", "- ", "> ")):
        return "it looks like Markdown. Export the chat as JSON instead"
    return "it is not JSON. Export from big-AGI as JSON"
