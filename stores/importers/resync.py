"""Going on behind damaged text: where the next record, or the end of the list, can be found."""

import re
from collections.abc import Callable
from typing import Any

from stores.importers.scanner import Cut, Malformed, Scanner
from stores.records.jsontext import UndecodableJSON, decode

MEMBER = re.compile(r'[,{\[]\s*+(?=\{\s*+")')
"""Where a record of a list can begin."""

STORE = re.compile(r'[,{]\s*+(?="(?P<key>[a-z0-9]+(?:-[a-z0-9]+)+|indexedDB)"\s*+:)')
"""Where a store, or the databases beside the stores, can begin."""

LONGEST_ATTEMPT = 16 * 2**20
"""Characters of a record that is looked for behind damage."""


def skip_member(
    scanner: Scanner,
    damaged: str,
    is_record: Callable[[str, Any], bool],
    end: re.Pattern[str],
    error: ValueError,
) -> tuple[str, bool]:
    """Go past a damaged member of a list, and return its text and whether the list can be read on.

    Raises the error that was met where the file breaks off in the member, with the cursor before it.
    """
    raw, was_found = skip_damage(scanner, damaged, MEMBER, is_record, end)
    if not was_found and isinstance(error, Cut):
        scanner.push_back(raw)
        raise error
    if was_found and scanner.peek() == "{":
        # The comma before it was taken for a part of the damage.
        scanner.push_back(",")
    return raw.rstrip(" \t\r\n,"), was_found


def skip_damage(
    scanner: Scanner,
    damaged: str,
    start: re.Pattern[str],
    is_record: Callable[[str, Any], bool],
    end: re.Pattern[str] | None = None,
) -> tuple[str, bool]:
    """Put damaged text back, find what can be read behind it, and return what lies before that, and whether anything
    was found.

    A place that matches `start` counts if the value there can be decoded and `is_record` says that it is one; so does
    one that matches `end`. The cursor goes before it. Without one, all text to the end is returned.
    """
    scanner.push_back(damaged)
    searched = 1
    while True:
        found = _search(scanner, searched, start, end)
        if found is None:
            if scanner.more():
                continue
            return _take(scanner, len(scanner.buffer)), False
        place, is_end, key = found
        if is_end or _is_readable(scanner, place, key, is_record):
            return _take(scanner, place), True
        searched = place + 1


def _search(
    scanner: Scanner, searched: int, start: re.Pattern[str], end: re.Pattern[str] | None
) -> tuple[int, bool, str] | None:
    member = start.search(scanner.buffer, scanner.at + searched)
    last = end.search(scanner.buffer, scanner.at + searched) if end else None
    if last and (member is None or last.start() < member.start()):
        return last.start() - scanner.at, True, ""
    if member:
        return member.end() - scanner.at, False, member.groupdict().get("key", "")
    return None


def _is_readable(scanner: Scanner, place: int, key: str, is_record: Callable[[str, Any], bool]) -> bool:
    if key == "indexedDB":
        return True
    attempt = scanner.fork(place, LONGEST_ATTEMPT)
    try:
        if key:
            attempt.raw_key()
        return is_record(key, decode(attempt.raw_value())) and attempt.peek() in (",", "]", "}")
    except (Malformed, UndecodableJSON):
        return False


def _take(scanner: Scanner, length: int) -> str:
    text = scanner.buffer[scanner.at : scanner.at + length]
    scanner.at += length
    return text
