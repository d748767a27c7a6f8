"""What a verification found, and how two values differ, in words. Pure but for the markers of secrets."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from stores.importers.verdict import Verdict
from stores.records import jsontext
from stores.records.secrets import mask

LONGEST_VALUE = 200
"""Characters of a value that a difference shows."""

LONGEST_LIST = 1000
"""Differences that are named; what is beyond is counted."""

DIFFERENT = ("missing", "differs")
"""States that say that something is wrong; the others say what the owner, or a newer import, did since."""


@dataclass
class Certificate:
    """What a verification found."""

    counts: dict[str, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)

    def count(self, kind: str, count: int = 1) -> None:
        self.counts[kind] = self.counts.get(kind, 0) + count

    def add(self, kind: str, uid: str, state: str, differences: list[dict[str, str]]) -> None:
        """Count one record's state, and name it unless it is the same here."""
        self.states[state] = self.states.get(state, 0) + 1
        if state != "same" and len(self.records) < LONGEST_LIST:
            self.records.append({"kind": kind, "id": uid, "state": state, "differences": differences})

    @property
    def differences(self) -> int:
        return sum(self.states.get(state, 0) for state in DIFFERENT)

    def as_json(self) -> dict[str, Any]:
        return {
            "counts": self.counts,
            "states": self.states,
            "differences": self.differences,
            "records": self.records,
            "notes": self.notes,
            "verdict": self.verdict.as_json(),
            "proof": self.verdict.describe(),
        }


def name_differences(source: Any, stored: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Yield path, source's value and ours for each place where the values are not equal as JSON."""
    if isinstance(source, dict) and isinstance(stored, dict):
        for key in [*source, *(key for key in stored if key not in source)]:
            yield from _compare_member(source, stored, key, f"{path}/{key}")
    elif isinstance(source, list) and isinstance(stored, list):
        for at in range(max(len(source), len(stored))):
            own = dict(enumerate(stored[at : at + 1], at))
            yield from _compare_member(dict(enumerate(source[at : at + 1], at)), own, at, f"{path}/{at}")
    elif not jsontext.same(source, stored):
        yield {"path": path or "/", "source": _shown(source), "ours": _shown(stored)}


def _compare_member(source: Any, stored: Any, key: Any, path: str) -> Iterator[dict[str, str]]:
    if key not in source:
        yield {"path": path, "source": "(absent)", "ours": _shown(stored[key])}
    elif key not in stored:
        yield {"path": path, "source": _shown(source[key]), "ours": "(absent)"}
    else:
        yield from name_differences(source[key], stored[key], path)


def _shown(value: Any) -> str:
    try:
        text = jsontext.encode(mask(value))
    except TypeError:
        text = str(value)
    return text if len(text) <= LONGEST_VALUE else text[:LONGEST_VALUE] + "…"
