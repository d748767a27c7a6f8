"""The databases of a flash backup: lists of entries, each a key with its value."""

import re
from collections.abc import Iterator
from typing import Any

from stores.importers.copies import CHATS, OLDER_CHATS, read_chats, unpack_chats
from stores.importers.items import DamagedItem, Item, RecoveryCopy, StoreItem
from stores.importers.lists import read_chat_list, read_table
from stores.importers.reading import Reading
from stores.importers.scanner import Malformed, Scanner
from stores.records import registry
from stores.records.jsontext import UndecodableJSON, decode, encode

_END_OF_CHATS = re.compile(r'\]\s*+\}\s*+(?:,\s*+"version"\s*+:\s*+-?\d+\s*+)?\}\s*+\Z')


def read_databases(reading: Reading) -> Iterator[Item]:
    """Read the databases: chats, and the tables that apps keep, record by record, all else as stores."""
    scanner = reading.scanner
    for database in scanner.members():
        if scanner.peek() != "{":
            text = scanner.raw_value()
            yield DamagedItem("", database, "file", 0, text, "an unknown database", True, database)
            continue
        for table in scanner.members():
            reading.place = f"database {database}"
            if scanner.peek() != "[":
                text = scanner.raw_value()
                yield DamagedItem("", database, "file", 0, text, "an unknown table", True, f"{database}/{table}")
            elif collection := registry.find_table(database, table):
                reading.facts.tables.add(collection.kind)
                yield from read_table(reading, collection)
            else:
                yield from _entries(reading, database, table)


def _entries(reading: Reading, database: str, table: str) -> Iterator[Item]:
    scanner = reading.scanner
    for _ in scanner.elements():
        if scanner.peek() == "{":
            yield from _entry(reading, database, table)
        else:
            yield _odd_entry(f"{database}/{table}", scanner.raw_value())


def _entry(reading: Reading, database: str, table: str) -> Iterator[Item]:
    scanner = reading.scanner
    place, key = f"{database}/{table}", ""
    has_chats = False
    left: dict[str, str] = {}
    for member in scanner.members():
        is_chats = (place, key, member) == ("keyval-store/keyval", CHATS, "value")
        if is_chats and scanner.peek() in ('"', "{"):
            has_chats = True
            yield from _app_chats(reading)
            continue
        left[member] = scanner.raw_value()
        if member == "key":
            key = _text_in(left[member])
            reading.place = f"database {database}, {key}"
    odd = {member: text for member, text in left.items() if member not in ("key", "value")}
    if not key or not (has_chats or "value" in left):
        yield _odd_entry(place, _object_text(left))
        return
    if odd:
        yield _odd_entry(place, _object_text({"key": left["key"], **odd}))
    if not has_chats and (place, key) == ("keyval-store/keyval", CHATS):
        yield from _late_chats(reading, left["value"])
    elif not has_chats:
        yield from _entry_value(reading, database, table, key, left["value"])


def _entry_value(reading: Reading, database: str, table: str, key: str, text: str) -> Iterator[Item]:
    try:
        value = decode(text)
    except UndecodableJSON as error:
        yield DamagedItem("", f"{database}/{table}", "store", 0, text, error.reason, error.is_json, key)
        return
    if database == "keyval-store" and key == OLDER_CHATS:
        yield RecoveryCopy(key, value if isinstance(value, str) else text)
    else:
        yield StoreItem(f"{database}/{table}/{key}", value, text)


def _late_chats(reading: Reading, text: str) -> Iterator[Item]:
    """Read the chats of an entry whose key stands behind its value."""
    value = unpack_chats(_value_in(text))
    if read_chats(value) is None:
        yield from _entry_value(reading, "keyval-store", "keyval", CHATS, text)
        return
    reading.facts.has_chats = True
    yield from _chats_text(reading, Scanner(lambda: "", encode(value)))


def _app_chats(reading: Reading) -> Iterator[Item]:
    reading.facts.has_chats = True
    if reading.scanner.peek() == "{":
        yield from _chats_text(reading, reading.scanner)
        return
    reader = reading.scanner.string_reader(is_entry=True)
    inner = Scanner(reader.read)
    try:
        yield from _chats_text(reading, inner)
        if rest := inner.buffer[inner.at :].strip():
            yield DamagedItem(CHATS, "state", "file", 0, rest, "text after the chats", False, CHATS)
    except Malformed as error:
        while inner.more():
            pass
        rest = inner.buffer[inner.at :].strip()
        if rest or reader.is_closed:
            # A text that is cut inside a whole string is no less cut.
            kind = "store" if rest and reader.is_closed else "file"
            yield DamagedItem(CHATS, "state", kind, 0, rest, str(error), False, reading.place)
        if not reader.is_closed:
            raise
    reading.scanner.resume(reader)


def _chats_text(reading: Reading, scanner: Scanner) -> Iterator[Item]:
    """Read `{"state": {"conversations": […], …}, "version": n}`, and yield what is left of it at the end."""
    envelope: list[str] = []
    for key in scanner.members():
        if key != "state" or scanner.peek() != "{":
            envelope.append(f"{encode(key)}:{scanner.raw_value()}")
            continue
        state: list[str] = []
        for member in scanner.members():
            if member == "conversations" and scanner.peek() == "[":
                yield from read_chat_list(reading, scanner, _END_OF_CHATS)
                state.append('"conversations":[]')
            else:
                state.append(f"{encode(member)}:{scanner.raw_value()}")
        envelope.append('"state":{' + ",".join(state) + "}")
    text = "{" + ",".join(envelope) + "}"
    try:
        yield StoreItem(CHATS, decode(text), text, is_left_over=True)
    except UndecodableJSON as error:
        yield DamagedItem(CHATS, "state", "store", 0, text, error.reason, error.is_json, CHATS)


def _odd_entry(place: str, text: str) -> DamagedItem:
    reason, is_json = "an entry that is not a key with its value", True
    try:
        decode(text)
    except UndecodableJSON as error:
        reason, is_json = error.reason, error.is_json
    return DamagedItem("", place, "store", 0, text, reason, is_json, place)


def _text_in(text: str) -> str:
    """Return what a JSON string says, or nothing where the text is none."""
    value = _value_in(text)
    return value if isinstance(value, str) else ""


def _value_in(text: str) -> Any:
    try:
        return decode(text)
    except UndecodableJSON:
        return None


def _object_text(members: dict[str, str]) -> str:
    return "{" + ",".join(f"{encode(key)}:{text}" for key, text in members.items()) + "}"
