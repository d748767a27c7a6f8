"""The lists that are too long to be held whole: chats, and the tables of databases that apps keep."""

import re
from collections.abc import Iterator
from typing import Any

from stores.importers.copies import chat_list
from stores.importers.items import DamagedItem, Item, RecordItem
from stores.importers.reading import Reading, decoded
from stores.importers.resync import skip_member
from stores.importers.scanner import Malformed, Scanner, Spool
from stores.importers.words import name_kind
from stores.records.collections import Collection
from stores.records.jsontext import UndecodableJSON, digest, encode

_END_OF_ENTRIES = re.compile(r'\]\s*+\}\s*+(?:,\s*+"keyval-store"|,\s*+"Big-AGI"|\}\s*+\}\s*+\})')


def read_chat_list(reading: Reading, scanner: Scanner, end: re.Pattern[str]) -> Iterator[Item]:
    """Read the list of chats at the cursor; `end` matches what follows the list, for when its end is damaged."""
    for index in scanner.elements():
        reading.place = f"chat {index}"
        text = ""
        try:
            text = scanner.raw_value()
            if scanner.peek() not in (",", "]"):
                raise Malformed("the text of the chat is damaged")
            item = read_chat(reading, index, text)
            if isinstance(item, DamagedItem) and not item.is_json:
                raise Malformed(item.reason)
            yield item
        except Malformed as error:
            raw, can_go_on = skip_member(scanner, text, _is_chat, end, error)
            yield _damaged_chat(index, raw, str(error), is_json=False)
            if not can_go_on:
                return


def read_chat(reading: Reading, index: int, text: str) -> RecordItem | DamagedItem:
    """Decode one chat, unless its text is known."""
    key, kind = digest(text), chat_list().kind
    if reading.is_known(kind, key):
        return RecordItem(kind, index, text, key)
    try:
        return RecordItem(kind, index, text, key, decoded(text))
    except UndecodableJSON as error:
        return _damaged_chat(index, text, error.reason, is_json=error.is_json)


def _damaged_chat(index: int, raw: str, reason: str, *, is_json: bool) -> DamagedItem:
    return _damaged(chat_list(), index, raw, reason, f"{chat_list().store}, chat {index}", is_json=is_json)


def _damaged(
    collection: Collection, index: int, raw: str, reason: str, place: str, *, is_json: bool = True
) -> DamagedItem:
    return DamagedItem(collection.store, collection.key, collection.kind, index, raw, reason, is_json, place)


def read_table(reading: Reading, collection: Collection) -> Iterator[Item]:
    """Read the entries of a database's table at the cursor, each a key with its record; bytes go to files."""
    scanner = reading.scanner
    noun = name_kind(collection.kind)
    for index in scanner.elements():
        reading.place = f"{noun} {index}"
        spool = Spool(reading.scratch)
        place = f"{collection.store}/{collection.key}, entry {index}"
        text = ""
        try:
            text = scanner.raw_value_without(("value", *collection.files.path), spool)
            if scanner.peek() not in (",", "]"):
                raise Malformed(f"the text of the {noun} is damaged")
            yield _read_entry(reading, collection, index, text, spool, place)
        except (Malformed, UndecodableJSON) as error:
            whole = _with_bytes(collection, text, spool)
            raw, can_go_on = skip_member(scanner, whole, _is_entry, _END_OF_ENTRIES, error)
            yield _damaged(collection, index, raw, str(error), place, is_json=False)
            if not can_go_on:
                return


def _read_entry(
    reading: Reading, collection: Collection, index: int, text: str, spool: Spool, place: str
) -> RecordItem | DamagedItem:
    value = decoded(text)
    held = value.get("value") if isinstance(value, dict) else None
    is_record = isinstance(held, dict) and value.keys() == {"key", "value"} and value["key"] == held.get("id")
    if not is_record or not isinstance(value["key"], str):
        reason = f"an entry that has no {name_kind(collection.kind)} under its id"
        return _damaged(collection, index, _with_bytes(collection, text, spool), reason, place)
    key = digest(encode(held) + spool.digest)
    # A second one with the same id goes into the quarantine, and for that it is needed whole.
    named = (collection.kind, value["key"])
    is_first = named not in reading.seen
    reading.seen.add(named)
    if is_first and reading.is_known(collection.kind, key):
        spool.drop()
        return RecordItem(collection.kind, index, text, key)
    return RecordItem(collection.kind, index, text, key, held, spool.path)


def _with_bytes(collection: Collection, text: str, spool: Spool) -> str:
    """Return the text of an entry with the string that the spool took out of it."""
    if not collection.files.path:
        return text
    member = encode(collection.files.path[-1])
    return text.replace(f'{member}:""', f"{member}:{encode(spool.take_text())}", 1)


def _is_chat(_: str, value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("messages"), list) and "id" in value


def _is_entry(_: str, value: Any) -> bool:
    return isinstance(value, dict) and "key" in value and isinstance(value.get("value"), dict)
