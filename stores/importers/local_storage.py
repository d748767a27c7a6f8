"""The stores of a flash backup: each member of `localStorage` is one."""

import re
from collections.abc import Iterator
from typing import Any

from stores.importers.databases import read_databases
from stores.importers.items import DamagedItem, Item, StoreItem
from stores.importers.reading import Reading, decoded
from stores.importers.resync import STORE, skip_damage
from stores.importers.scanner import Malformed
from stores.records.jsontext import UndecodableJSON, encode

_DATABASES = re.compile(r'\{\s*+"(?:Big-AGI|keyval-store)"')


def read_local_storage(reading: Reading) -> Iterator[Item]:
    """Read the stores; where damage took what separates them from the databases, read those too."""
    scanner = reading.scanner
    scanner.take("{")
    if scanner.peek() == "}":
        scanner.at += 1
        return
    index = 0
    while True:
        key, text, error = "", "", ""
        try:
            key = scanner.raw_key()
            if key == "indexedDB" and _is_before_databases(reading):
                # Damage in a store took its closing bracket away, or that of all stores.
                yield from read_databases(reading)
                return
            reading.place = f"store {key}"
            text = scanner.raw_value()
            if scanner.peek() not in (",", "}"):
                raise Malformed("the text of the store is damaged")
            value = decoded(text)
            if _holds_stores(value):
                raise Malformed("other stores stand inside the store")
        except (Malformed, UndecodableJSON) as problem:
            error = str(problem)
            if getattr(problem, "is_json", False):
                yield DamagedItem("", "localStorage", "store", index, text, error, True, f"store {key}")
            elif _is_at_end_of(reading, text):
                raise
            else:
                yield from _damaged_store(reading, key, text, error, index)
                if scanner.peek() == '"':
                    if _is_databases(reading):
                        # The comma before it was part of the damage.
                        scanner.push_back(",")
                        return
                    index += 1
                    continue
        else:
            reading.facts.has_settings = True
            yield StoreItem(key, value, text)
        index += 1
        if scanner.peek() == "}":
            scanner.at += 1
            return
        scanner.take(",")


def _is_at_end_of(reading: Reading, text: str) -> bool:
    return not text and not reading.scanner.peek()


def _damaged_store(reading: Reading, key: str, text: str, error: str, index: int) -> Iterator[Item]:
    start = f"{encode(key)}:{text}" if key else ""
    raw, _ = skip_damage(reading.scanner, start, STORE, _is_store)
    yield DamagedItem("", "localStorage", "store", index, raw, error, False, f"store {key}")


def _is_before_databases(reading: Reading) -> bool:
    reading.scanner.peek()
    return bool(_DATABASES.match(reading.scanner.buffer, reading.scanner.at))


def _is_databases(reading: Reading) -> bool:
    return bool(re.match(r'"indexedDB"', reading.scanner.buffer[reading.scanner.at :]))


def _is_store(key: str, value: Any) -> bool:
    return key.startswith(("app-", "agi-", "joy-")) or (isinstance(value, dict) and "state" in value)


def _holds_stores(value: Any) -> bool:
    """Tell whether a store's value has other stores inside: it lost a closing bracket, and not its sense."""
    levels = [value, value.get("state")] if isinstance(value, dict) else []
    return any(
        isinstance(held, dict) and held.keys() >= {"state", "version"} and _is_store(key, held) and "-" in key
        for level in levels
        if isinstance(level, dict)
        for key, held in level.items()
    )
