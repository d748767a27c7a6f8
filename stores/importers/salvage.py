"""Reading on where the structure of a file itself is damaged: stores, chats and images are found by what they look
like, wherever they stand."""

import re
from collections.abc import Iterator

from stores.importers.databases import read_chats
from stores.importers.items import CutItem, DamagedItem, Item, StoreItem
from stores.importers.kinds import ALL_CHATS, FLASH
from stores.importers.lists import is_conversation, read_assets, read_conversations
from stores.importers.local_storage import is_store
from stores.importers.reading import Reading, decoded
from stores.importers.recovery import STORE_KEY, is_readable, take
from stores.importers.scanner import Malformed
from stores.jsontext import UndecodableJSON

_ANCHORS = {
    FLASH: re.compile(
        rf"""(?P<store> [,{{]\s*+(?="(?P<key>{STORE_KEY})"\s*+:) )
            | "value"\s*+:\s*+(?= (?P<chats> "\{{\\"state\\" ) )
            | "app-chats"\s*+,\s*+"value"\s*+:\s*+(?= (?P<named_chats> ["{{] ) )
            | (?P<unquoted_chats> (?=\{{\\"state\\"\s*+:\s*+\{{\\"conversations\\" ) )
            | (?P<asset> (?=\{{\s*+"key"\s*+:\s*+"(?!app-chats")[^"\\]++"\s*+,\s*+"value"\s*+:\s*+\{{) )""",
        re.VERBOSE,
    ),
    ALL_CHATS: re.compile(
        r"""(?P<chat> [,{\[]\s*+(?=\{\s*+") )
            | "(?P<part>models|folders)"\s*+:\s*+(?=\{)""",
        re.VERBOSE,
    ),
}
_SKELETON = re.compile(
    r'(?:[\s{}\[\],:]|"(?:storage|localStorage|indexedDB|Big-AGI|keyval-store|largeAssets|keyval|key|app-chats)")*+'
)
_END_OF_LIST = re.compile(r'\]\s*+,\s*+"(?:models|folders)"\s*+:\s*+\{')


def salvage(reading: Reading, error: Malformed) -> Iterator[Item]:
    """Yield what can be found from the cursor on, and what lies between as damaged; the last is a `CutItem` unless all
    was found."""
    pattern = _ANCHORS.get(reading.facts.kind)
    is_first = True
    while pattern is not None and (found := _find(reading, pattern)):
        place, anchor, key = found
        gap = take(reading.scanner, place)
        if is_first or not _SKELETON.fullmatch(gap):
            yield DamagedItem("", "file", "file", 0, gap, str(error), False, reading.place)
        is_first = False
        try:
            yield from _read(reading, anchor, key)
        except Malformed as problem:
            error = problem
    rest = _rest(reading)
    if is_first or not _SKELETON.fullmatch(rest):
        missing = "nothing can be read behind it" if rest else "what came after is not in the file"
        yield CutItem(reading.place, f"{error}; {missing}", rest)


def _find(reading: Reading, pattern: re.Pattern[str]) -> tuple[int, str, str] | None:
    """Return how far the next thing to be read is, what leads to it, and its key."""
    scanner = reading.scanner
    searched = 0
    while True:
        match = pattern.search(scanner.buffer, scanner.at + searched)
        if match is None:
            if not scanner.more():
                return None
            continue
        place, start = match.end() - scanner.at, match.start() - scanner.at
        named = {name: text for name, text in match.groupdict().items() if text is not None}
        key = named.get("key") or named.get("part") or ""
        anchor = next(name for name in named if name != "key")
        is_it = {"store": is_store, "chat": is_conversation}.get(anchor)
        if is_it is None or is_readable(scanner, place, key, is_it):
            return place, anchor, key
        searched = start + 1


def _read(reading: Reading, anchor: str, key: str) -> Iterator[Item]:
    scanner = reading.scanner
    match anchor:
        case "store":
            yield from _store(reading)
        case "part":
            text = scanner.raw_value()
            yield StoreItem(f"app-{key}", {"state": _decoded(text)}, text, is_partial=True)
        case "asset":
            reading.facts.has_assets = True
            scanner.push_back("[")
            yield from read_assets(reading)
        case "chat":
            reading.facts.has_chats = True
            scanner.push_back("[")
            yield from read_conversations(reading, scanner, _END_OF_LIST)
        case _:
            if anchor == "unquoted_chats":
                scanner.push_back('"')
            yield from read_chats(reading)


def _store(reading: Reading) -> Iterator[Item]:
    key = reading.scanner.raw_key()
    reading.place = f"store {key}"
    text = reading.scanner.raw_value()
    reading.facts.has_settings = True
    yield StoreItem(key, _decoded(text), text)


def _decoded(text: str) -> object:
    try:
        return decoded(text)
    except UndecodableJSON as error:
        raise Malformed(error.reason) from error


def _rest(reading: Reading) -> str:
    while reading.scanner.more():
        pass
    return take(reading.scanner, len(reading.scanner.buffer) - reading.scanner.at)
