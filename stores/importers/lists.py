"""The lists that are too long to be held whole: chats and assets."""

import re
from collections.abc import Iterator
from typing import Any

from stores.importers.items import DamagedItem, Item, RecordItem
from stores.importers.reading import Reading, decoded
from stores.importers.recovery import skip_member
from stores.importers.scanner import Malformed, Scanner, Spool
from stores.jsontext import UndecodableJSON, digest, encode

_END_OF_ENTRIES = re.compile(r'\]\s*+\}\s*+(?:,\s*+"keyval-store"|,\s*+"Big-AGI"|\}\s*+\}\s*+\})')


def read_conversations(reading: Reading, scanner: Scanner, end: re.Pattern[str]) -> Iterator[Item]:
    """Read the list of chats at the cursor; `end` matches what follows the list, for when its end is damaged."""
    for index in scanner.elements():
        reading.place = f"chat {index}"
        text = ""
        try:
            text = scanner.raw_value()
            if scanner.peek() not in (",", "]"):
                raise Malformed("the text of the chat is damaged")
            item = read_conversation(reading, index, text)
            if isinstance(item, DamagedItem) and not item.is_json:
                raise Malformed(item.reason)
            yield item
        except Malformed as error:
            raw, can_go_on = skip_member(scanner, text, _is_conversation, end, error)
            yield _damaged_chat(index, raw, str(error), is_json=False)
            if not can_go_on:
                return


def read_conversation(reading: Reading, index: int, text: str) -> RecordItem | DamagedItem:
    """Decode one chat, unless its text is known."""
    key = digest(text)
    if reading.is_known("conversation", key):
        return RecordItem("conversation", index, text, key)
    try:
        return RecordItem("conversation", index, text, key, decoded(text))
    except UndecodableJSON as error:
        return _damaged_chat(index, text, error.reason, is_json=error.is_json)


def _damaged_chat(index: int, raw: str, reason: str, *, is_json: bool) -> DamagedItem:
    place = f"app-chats, chat {index}"
    return DamagedItem("app-chats", "conversations", "conversation", index, raw, reason, is_json, place)


def read_assets(reading: Reading) -> Iterator[Item]:
    """Read the list of images and sounds at the cursor; their bytes go to files."""
    scanner = reading.scanner
    for index in scanner.elements():
        reading.place = f"image {index}"
        spool = Spool(reading.scratch)
        place = f"Big-AGI/largeAssets, entry {index}"
        text = ""
        try:
            text = scanner.raw_value_without(("value", "data", "base64"), spool)
            if scanner.peek() not in (",", "]"):
                raise Malformed("the text of the asset is damaged")
            yield _asset(reading, index, text, spool, place)
        except (Malformed, UndecodableJSON) as error:
            whole = _with_base64(text, spool)
            raw, can_go_on = skip_member(scanner, whole, _is_asset, _END_OF_ENTRIES, error)
            yield DamagedItem("Big-AGI", "largeAssets", "asset", index, raw, str(error), False, place)
            if not can_go_on:
                return


def _asset(reading: Reading, index: int, text: str, spool: Spool, place: str) -> RecordItem | DamagedItem:
    value = decoded(text)
    held = value.get("value") if isinstance(value, dict) else None
    is_asset = isinstance(held, dict) and value.keys() == {"key", "value"} and value["key"] == held.get("id")
    if not is_asset or not isinstance(value["key"], str):
        whole, reason = _with_base64(text, spool), "an entry that is not an asset under its id"
        return DamagedItem("Big-AGI", "largeAssets", "asset", index, whole, reason, True, place)
    key = digest(encode(held) + spool.digest)
    # A second one with the same id goes into the quarantine, and for that it is needed whole.
    is_first = value["key"] not in reading.asset_ids
    reading.asset_ids.add(value["key"])
    if is_first and reading.is_known("asset", key):
        spool.drop()
        return RecordItem("asset", index, text, key)
    return RecordItem("asset", index, text, key, held, spool.path)


def _with_base64(text: str, spool: Spool) -> str:
    """Return the text of an asset with the string that the spool took out of it."""
    return text.replace('"base64":""', f'"base64":{encode(spool.take_text())}', 1)


def _is_conversation(_: str, value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("messages"), list) and "id" in value


def _is_asset(_: str, value: Any) -> bool:
    return isinstance(value, dict) and "key" in value and isinstance(value.get("value"), dict)
