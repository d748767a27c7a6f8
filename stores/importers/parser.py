"""A big-AGI file into stores and records, one at a time, without a database (`bigagi-format.md` § 2).

The kind of the file is found from its content. Long lists (chats, assets) are never held whole. Damaged text is handed
over raw, and reading goes on at the next place that can be read.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from stores.importers.items import CutItem, DamagedItem, FileFacts, IsKnown, Item, RecordItem, RecoveryCopy, StoreItem
from stores.importers.recovery import STORE, skip_damage, skip_member
from stores.importers.scanner import Malformed, Scanner, Spool
from stores.importers.source import read_text
from stores.jsontext import UndecodableJSON, decode, digest, encode

FLASH, ALL_CHATS, ONE_CHAT = "flash-backup", "all-chats", "one-chat"
_KINDS = ((FLASH, {"storage", "schema", "schemaVersion"}), (ALL_CHATS, {"conversations"}), (ONE_CHAT, {"messages"}))

_BYTES_NOT_UTF8 = re.compile("[\udc80-\udcff]")
_DATABASES = re.compile(r'\{\s*+"(?:Big-AGI|keyval-store)"')
_END_OF_CHATS = re.compile(r'\]\s*+\}\s*+(?:,\s*+"version"\s*+:\s*+-?\d+\s*+)?\}\s*+\Z')
_END_OF_CHAT_LIST = re.compile(r'\]\s*+,\s*+"(?:models|folders)"\s*+:\s*+\{')
_END_OF_ENTRIES = re.compile(r'\]\s*+\}\s*+(?:,\s*+"keyval-store"|,\s*+"Big-AGI"|\}\s*+\}\s*+\})')


class NotBigAGI(ValueError):
    """The file is not one that big-AGI writes. The message says so in words."""


def detect_kind(file: BinaryIO) -> str:
    """Return the kind of the file from its content, and go back to its start. Raises `NotBigAGI`."""
    scanner = Scanner(read_text(file))
    keys: set[str] = set()
    try:
        if not scanner.peek():
            raise NotBigAGI("the file is empty")
        if scanner.peek() != "{":
            raise NotBigAGI("it is not a JSON object")
        for key in scanner.members():
            keys.add(key)
            if (found := _kind_of(keys)) and not (found == ONE_CHAT and "conversations" in keys):
                return found
            scanner.raw_value()
    except Malformed as error:
        raise NotBigAGI(f"it is not JSON: {error}" if not keys else f"it breaks off or is damaged: {error}") from error
    finally:
        file.seek(0)
    named = ", ".join(sorted(keys)[:5]) or "nothing"
    raise NotBigAGI(f"it is JSON, but not of big-AGI: it has {named}, and no storage, conversations or messages")


def _kind_of(keys: set[str]) -> str:
    return next((kind for kind, names in _KINDS if names & keys), "")


class Parser:
    """Reads one file. `facts` is filled on the way."""

    def __init__(self, file: BinaryIO, kind: str, on_bytes: Any, is_known: IsKnown, scratch: Path) -> None:
        self.facts = FileFacts(kind)
        self._scanner = Scanner(read_text(file, on_bytes))
        self._is_known = is_known
        self._scratch = scratch
        self._place = "the beginning"
        self._asset_ids: set[str] = set()

    def items(self) -> Iterator[Item]:
        """Yield what is in the file, in its order; the last is a `CutItem` where the file breaks off."""
        read = {FLASH: self._flash_backup, ALL_CHATS: self._all_chats, ONE_CHAT: self._one_chat}[self.facts.kind]
        try:
            yield from read()
            if self._scanner.peek():
                rest = self._rest()
                yield DamagedItem("", "file", "file", 0, rest, "text behind the end of the JSON", False, "the end")
        except Malformed as error:
            rest = self._rest()
            missing = "nothing can be read behind it" if rest else "what came after is not in the file"
            yield CutItem(self._place, f"{error}; {missing}", rest)

    def _rest(self) -> str:
        while self._scanner.more():
            pass
        return self._scanner.buffer[self._scanner.at :]

    # --- kinds of files ---

    def _flash_backup(self) -> Iterator[Item]:
        scanner = self._scanner
        for key in scanner.members():
            if key == "storage" and scanner.peek() == "{":
                yield from self._storage()
                continue
            self._place = f"the backup's {key}"
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
                yield from self._local_storage()
            elif key == "indexedDB" and self._scanner.peek() == "{":
                yield from self._indexed_db()
            else:
                text = self._scanner.raw_value()
                yield DamagedItem("", "file", "file", 0, text, f"an unknown part of the backup: {key}", True, key)

    def _local_storage(self) -> Iterator[Item]:
        scanner = self._scanner
        scanner.take("{")
        if scanner.peek() == "}":
            scanner.at += 1
            return
        index = 0
        while True:
            key, text, error = "", "", ""
            try:
                key = scanner.raw_key()
                if key == "indexedDB" and self._is_before_databases():
                    # Damage in a store took its closing bracket away, or that of all stores.
                    yield from self._indexed_db()
                    return
                self._place = f"store {key}"
                text = scanner.raw_value()
                if scanner.peek() not in (",", "}"):
                    raise Malformed("the text of the store is damaged")
                value = self._decoded(text)
                if _holds_stores(value):
                    raise Malformed("other stores stand inside the store")
            except (Malformed, UndecodableJSON) as problem:
                error = str(problem)
                if getattr(problem, "is_json", False):
                    yield DamagedItem("", "localStorage", "store", index, text, error, True, f"store {key}")
                elif self._is_at_end_of(text):
                    raise
                else:
                    yield from self._damaged_store(key, text, error, index)
                    if scanner.peek() == '"':
                        if self._is_databases():
                            # The comma before it was part of the damage.
                            scanner.push_back(",")
                            return
                        index += 1
                        continue
            else:
                self.facts.has_settings = True
                yield StoreItem(key, value, text)
            index += 1
            if scanner.peek() == "}":
                scanner.at += 1
                return
            scanner.take(",")

    def _is_at_end_of(self, text: str) -> bool:
        return not text and not self._scanner.peek()

    def _damaged_store(self, key: str, text: str, error: str, index: int) -> Iterator[Item]:
        start = f"{encode(key)}:{text}" if key else ""
        raw, _ = skip_damage(self._scanner, start, STORE, _is_store)
        yield DamagedItem("", "localStorage", "store", index, raw, error, False, f"store {key}")

    def _is_before_databases(self) -> bool:
        self._scanner.peek()
        return bool(_DATABASES.match(self._scanner.buffer, self._scanner.at))

    def _is_databases(self) -> bool:
        return bool(re.match(r'"indexedDB"', self._scanner.buffer[self._scanner.at :]))

    def _indexed_db(self) -> Iterator[Item]:
        scanner = self._scanner
        for database in scanner.members():
            if scanner.peek() != "{":
                text = scanner.raw_value()
                yield DamagedItem("", database, "file", 0, text, "an unknown database", True, database)
                continue
            for table in scanner.members():
                self._place = f"database {database}"
                if scanner.peek() != "[":
                    text = scanner.raw_value()
                    yield DamagedItem("", database, "file", 0, text, "an unknown table", True, f"{database}/{table}")
                elif (database, table) == ("Big-AGI", "largeAssets"):
                    self.facts.has_assets = True
                    yield from self._assets()
                else:
                    yield from self._entries(database, table)

    def _all_chats(self) -> Iterator[Item]:
        scanner = self._scanner
        for key in scanner.members():
            self._place = key
            if key == "conversations" and scanner.peek() == "[":
                self.facts.has_chats = True
                yield from self._conversations(scanner, _END_OF_CHAT_LIST)
                continue
            text = scanner.raw_value()
            name = {"models": "app-models", "folders": "app-folders"}.get(key, "")
            try:
                value = decode(text)
            except UndecodableJSON as error:
                yield DamagedItem(name, "file", "file", 0, text, error.reason, error.is_json, key)
                continue
            if name:
                yield StoreItem(name, {"state": value}, text, is_partial=True)
            else:
                yield DamagedItem("", "file", "file", 0, text, f"an unknown part of the file: {key}", True, key)

    def _one_chat(self) -> Iterator[Item]:
        self.facts.has_chats = True
        self._place = "the chat"
        text = self._scanner.raw_value()
        yield self._conversation(0, text)

    # --- lists ---

    def _conversations(self, scanner: Scanner, end: re.Pattern[str]) -> Iterator[Item]:
        for index in scanner.elements():
            self._place = f"chat {index}"
            text = ""
            try:
                text = scanner.raw_value()
                if scanner.peek() not in (",", "]"):
                    raise Malformed("the text of the chat is damaged")
                item = self._conversation(index, text)
                if isinstance(item, DamagedItem) and not item.is_json:
                    raise Malformed(item.reason)
                yield item
            except Malformed as error:
                raw, can_go_on = skip_member(scanner, text, _is_conversation, end, error)
                yield self._damaged_chat(index, raw, str(error), is_json=False)
                if not can_go_on:
                    return

    def _conversation(self, index: int, text: str) -> RecordItem | DamagedItem:
        key = digest(text)
        if self._is_known("conversation", key):
            return RecordItem("conversation", index, text, key)
        try:
            return RecordItem("conversation", index, text, key, self._decoded(text))
        except UndecodableJSON as error:
            return self._damaged_chat(index, text, error.reason, is_json=error.is_json)

    @staticmethod
    def _damaged_chat(index: int, raw: str, reason: str, *, is_json: bool) -> DamagedItem:
        place = f"app-chats, chat {index}"
        return DamagedItem("app-chats", "conversations", "conversation", index, raw, reason, is_json, place)

    @staticmethod
    def _decoded(text: str) -> Any:
        if not text.isascii() and _BYTES_NOT_UTF8.search(text):
            raise UndecodableJSON("bytes that are not UTF-8")
        return decode(text)

    def _entries(self, database: str, table: str) -> Iterator[Item]:
        scanner = self._scanner
        for _ in scanner.elements():
            if scanner.peek() == "{":
                yield from self._entry(database, table)
            else:
                yield _odd_entry(f"{database}/{table}", scanner.raw_value())

    def _entry(self, database: str, table: str) -> Iterator[Item]:
        scanner = self._scanner
        place, key = f"{database}/{table}", ""
        has_chats = False
        left: dict[str, str] = {}
        for member in scanner.members():
            is_chats = (place, key, member) == ("keyval-store/keyval", "app-chats", "value")
            if is_chats and scanner.peek() in ('"', "{"):
                has_chats = True
                yield from self._app_chats()
                continue
            left[member] = scanner.raw_value()
            if member == "key":
                key = _text_in(left[member])
                self._place = f"database {database}, {key}"
        odd = {member: text for member, text in left.items() if member not in ("key", "value")}
        if not key or not (has_chats or "value" in left):
            yield _odd_entry(place, _object_text(left))
            return
        if odd:
            yield _odd_entry(place, _object_text({"key": left["key"], **odd}))
        if not has_chats:
            yield from self._entry_value(database, table, key, left["value"])

    def _entry_value(self, database: str, table: str, key: str, text: str) -> Iterator[Item]:
        try:
            value = decode(text)
        except UndecodableJSON as error:
            yield DamagedItem("", f"{database}/{table}", "store", 0, text, error.reason, error.is_json, key)
            return
        if database == "keyval-store" and key == "app-chats-v3":
            yield RecoveryCopy(key, value if isinstance(value, str) else text)
        elif database == "keyval-store" and key == "app-chats" and isinstance(value, str):
            yield from self._chats_text(Scanner(lambda: "", value))
        else:
            yield StoreItem(f"{database}/{table}/{key}", value, text)

    def _app_chats(self) -> Iterator[Item]:
        self.facts.has_chats = True
        if self._scanner.peek() == "{":
            yield from self._chats_text(self._scanner)
            return
        reader = self._scanner.string_reader(is_entry=True)
        inner = Scanner(reader.read)
        try:
            yield from self._chats_text(inner)
            if rest := inner.buffer[inner.at :].strip():
                yield DamagedItem("app-chats", "state", "store", 0, rest, "text behind the chats", False, "app-chats")
        except Malformed as error:
            while inner.more():
                pass
            if rest := inner.buffer[inner.at :].strip():
                yield DamagedItem("app-chats", "state", "store", 0, rest, str(error), False, self._place)
            if not reader.is_closed:
                raise
        self._scanner.resume(reader)

    def _chats_text(self, scanner: Scanner) -> Iterator[Item]:
        """Read `{"state": {"conversations": […], …}, "version": n}`, and yield what is left of it at the end."""
        envelope: list[str] = []
        for key in scanner.members():
            if key != "state" or scanner.peek() != "{":
                envelope.append(f"{encode(key)}:{scanner.raw_value()}")
                continue
            state: list[str] = []
            for member in scanner.members():
                if member == "conversations" and scanner.peek() == "[":
                    yield from self._conversations(scanner, _END_OF_CHATS)
                    state.append('"conversations":[]')
                else:
                    state.append(f"{encode(member)}:{scanner.raw_value()}")
            envelope.append('"state":{' + ",".join(state) + "}")
        text = "{" + ",".join(envelope) + "}"
        try:
            yield StoreItem("app-chats", decode(text), text, is_left_over=True)
        except UndecodableJSON as error:
            yield DamagedItem("app-chats", "state", "store", 0, text, error.reason, error.is_json, "app-chats")

    def _assets(self) -> Iterator[Item]:
        scanner = self._scanner
        for index in scanner.elements():
            self._place = f"image {index}"
            spool = Spool(self._scratch)
            place = f"Big-AGI/largeAssets, entry {index}"
            text = ""
            try:
                text = scanner.raw_value_without(("value", "data", "base64"), spool)
                if scanner.peek() not in (",", "]"):
                    raise Malformed("the text of the asset is damaged")
                yield self._asset(index, text, spool, place)
            except (Malformed, UndecodableJSON) as error:
                whole = _with_base64(text, spool)
                raw, can_go_on = skip_member(scanner, whole, _is_asset, _END_OF_ENTRIES, error)
                yield DamagedItem("Big-AGI", "largeAssets", "asset", index, raw, str(error), False, place)
                if not can_go_on:
                    return

    def _asset(self, index: int, text: str, spool: Spool, place: str) -> RecordItem | DamagedItem:
        value = self._decoded(text)
        held = value.get("value") if isinstance(value, dict) else None
        is_asset = isinstance(held, dict) and value.keys() == {"key", "value"} and value["key"] == held.get("id")
        if not is_asset or not isinstance(value["key"], str):
            whole, reason = _with_base64(text, spool), "an entry that is not an asset under its id"
            return DamagedItem("Big-AGI", "largeAssets", "asset", index, whole, reason, True, place)
        key = digest(encode(held) + spool.digest)
        # A second one with the same id goes into the quarantine, and for that it is needed whole.
        is_first = value["key"] not in self._asset_ids
        self._asset_ids.add(value["key"])
        if is_first and self._is_known("asset", key):
            spool.drop()
            return RecordItem("asset", index, text, key)
        return RecordItem("asset", index, text, key, held, spool.path)


def _odd_entry(place: str, text: str) -> DamagedItem:
    reason, is_json = "an entry that is not a key with its value", True
    try:
        decode(text)
    except UndecodableJSON as error:
        reason, is_json = error.reason, error.is_json
    return DamagedItem("", place, "store", 0, text, reason, is_json, place)


def _text_in(text: str) -> str:
    """Return what a JSON string says, or nothing where the text is none."""
    try:
        value = decode(text)
    except UndecodableJSON:
        return ""
    return value if isinstance(value, str) else ""


def _object_text(members: dict[str, str]) -> str:
    return "{" + ",".join(f"{encode(key)}:{text}" for key, text in members.items()) + "}"


def _with_base64(text: str, spool: Spool) -> str:
    """Return the text of an asset with the string that the spool took out of it."""
    return text.replace('"base64":""', f'"base64":{encode(spool.take_text())}', 1)


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


def _is_conversation(_: str, value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("messages"), list) and "id" in value


def _is_asset(_: str, value: Any) -> bool:
    return isinstance(value, dict) and "key" in value and isinstance(value.get("value"), dict)
