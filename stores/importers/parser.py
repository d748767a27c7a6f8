"""A big-AGI file into stores and records, one at a time, without a database (`bigagi-format.md` § 2).

Long lists are never held whole. Damaged text is handed over raw, and reading goes on at the next place
that can be read.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from stores.importers.databases import read_databases
from stores.importers.items import CutItem, DamagedItem, FileFacts, IsKnown, Item, RecordItem, StoreItem
from stores.importers.kinds import ALL_CHATS, FLASH, ONE_CHAT, is_chat
from stores.importers.lists import read_chat, read_chat_list
from stores.importers.local_storage import read_local_storage
from stores.importers.reading import Reading
from stores.importers.scanner import Malformed, Scanner
from stores.importers.source import read_text
from stores.records.jsontext import UndecodableJSON, decode

_END_OF_CHAT_LIST = re.compile(r'\]\s*+,\s*+"(?:models|folders)"\s*+:\s*+\{')


class Parser:
    """Reads one file. `facts` is filled on the way."""

    def __init__(self, file: BinaryIO, kind: str, on_bytes: Any, is_known: IsKnown, scratch: Path) -> None:
        self.facts = FileFacts(kind)
        self._scanner = Scanner(read_text(file, on_bytes))
        self._reading = Reading(self._scanner, self.facts, is_known, scratch)

    def items(self) -> Iterator[Item]:
        """Yield what is in the file, in its order; the last is a `CutItem` where the file breaks off."""
        read = {FLASH: self._flash_backup, ALL_CHATS: self._all_chats, ONE_CHAT: self._one_chat}[self.facts.kind]
        try:
            yield from read()
            if self._scanner.peek():
                rest = self._rest()
                yield DamagedItem("", "file", "file", 0, rest, "text after the end of the JSON", False, "the end")
        except Malformed as error:
            rest = self._rest()
            missing = "nothing after it can be read" if rest else "the rest is missing from the file"
            yield CutItem(self._reading.place, f"{error}; {missing}", rest)

    def _rest(self) -> str:
        while self._scanner.more():
            pass
        return self._scanner.buffer[self._scanner.at :]

    def _flash_backup(self) -> Iterator[Item]:
        scanner = self._scanner
        for key in scanner.members():
            if key == "storage" and scanner.peek() == "{":
                yield from self._storage()
                continue
            self._reading.place = f"the backup's {key}"
            text = scanner.raw_value()
            if key in ("schema", "schemaVersion", "tenantSlug"):
                continue
            try:
                value = decode(text)
            except UndecodableJSON as error:
                yield DamagedItem("", "file", "file", 0, text, error.reason, error.is_json, key)
                continue
            if key == "metadata":
                self.facts.metadata = value if isinstance(value, dict) else {}
                self.facts.taken_at = str(self.facts.metadata.get("timestamp", ""))[:40]
            else:
                yield DamagedItem("", "file", "file", 0, text, f"an unknown part of the backup: {key}", True, key)

    def _storage(self) -> Iterator[Item]:
        for key in self._scanner.members():
            if key == "localStorage" and self._scanner.peek() == "{":
                yield from read_local_storage(self._reading)
            elif key == "indexedDB" and self._scanner.peek() == "{":
                yield from read_databases(self._reading)
            else:
                text = self._scanner.raw_value()
                yield DamagedItem("", "file", "file", 0, text, f"an unknown part of the backup: {key}", True, key)

    def _all_chats(self) -> Iterator[Item]:
        scanner = self._scanner
        for key in scanner.members():
            self._reading.place = key
            if key == "conversations" and scanner.peek() == "[":
                self.facts.has_chats = True
                for item in read_chat_list(self._reading, scanner, _END_OF_CHAT_LIST):
                    if isinstance(item, RecordItem):
                        self.facts.note_time(item.text)
                    yield item
                continue
            text = scanner.raw_value()
            name = {"models": "app-models", "folders": "app-folders"}.get(key, "")
            try:
                value = decode(text)
            except UndecodableJSON as error:
                yield DamagedItem(name, "file", "file", 0, text, error.reason, error.is_json, key)
                continue
            if name and value is None:
                continue
            if name and not isinstance(value, dict):
                yield DamagedItem(name, "file", "file", 0, text, f"{key} is not an object", True, key)
            elif name:
                yield StoreItem(name, {"state": value}, text, is_partial=True)
            else:
                yield DamagedItem("", "file", "file", 0, text, f"an unknown part of the file: {key}", True, key)

    def _one_chat(self) -> Iterator[Item]:
        """Read one chat, or several that stand one behind the other, as in a file with one a line."""
        self.facts.has_chats = True
        self._reading.place = "the chat"
        yield read_chat(self._reading, 0, self._scanner.raw_value())
        index = 1
        while self._scanner.peek() == "{":
            self._reading.place = f"chat {index}"
            text = self._scanner.raw_value()
            item = read_chat(self._reading, index, text)
            if isinstance(item, RecordItem) and item.value is not None and not is_chat(item.value):
                item = DamagedItem("", "file", "file", 0, text, "text after the end of the chat", True, "the end")
            yield item
            index += 1
