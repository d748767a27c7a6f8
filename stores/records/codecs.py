"""Codecs: one record's JSON to the values of its columns and back, without a database and without loss.

A column holds a value only if it can give it back exactly. Everything else (unknown members, JSON null, a wrong type,
a number out of range, text with a lone surrogate or NUL) stays in the rest, which is stored verbatim. Where a text
stays there, its column gets an approximation to be searched; on the way back the rest wins.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias

from django.db import models

from stores.records.fields import VerbatimJSONField

INT64 = 2**63

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

JSONObject = dict[str, Any]
AnyField: TypeAlias = "models.Field[Any, Any]"


def is_storable(text: str) -> bool:
    """Tell whether every database takes the text: PostgreSQL refuses NUL, both refuse lone surrogates."""
    return text.isascii() and "\x00" not in text or _UNSTORABLE.search(text) is None


def storable(text: str) -> str:
    """Return the text with replacement characters for what no database takes."""
    return _UNSTORABLE.sub("\ufffd", text)


def is_id(value: Any) -> bool:
    """Tell whether a value can be a record's id: text of 1 to 200 storable characters."""
    return isinstance(value, str) and 0 < len(value) <= 200 and is_storable(value)


def _fits(model_field: AnyField) -> Callable[[Any], bool]:
    if isinstance(model_field, VerbatimJSONField):
        return lambda value: value is not None
    if isinstance(model_field, models.CharField):
        longest = model_field.max_length
        assert longest is not None, f"{model_field} without a length"
        return lambda value: isinstance(value, str) and len(value) <= longest and is_storable(value)
    if isinstance(model_field, models.TextField):
        return lambda value: isinstance(value, str) and is_storable(value)
    if isinstance(model_field, models.BooleanField):
        return lambda value: isinstance(value, bool)
    if isinstance(model_field, models.IntegerField):
        return lambda value: type(value) is int and -INT64 <= value < INT64
    if isinstance(model_field, models.FloatField):
        return lambda value: type(value) is float and abs(value) != float("inf") or _is_exact(value)
    raise TypeError(f"no rule for what {model_field} can hold")


def _is_exact(value: Any) -> bool:
    return type(value) is int and abs(value) <= 2**53


def _approximate(model_field: AnyField, value: Any) -> Any:
    if isinstance(value, str) and isinstance(model_field, models.CharField | models.TextField):
        return storable(value)[: getattr(model_field, "max_length", None)]
    return None


@dataclass(frozen=True)
class _Leaf:
    """How one member becomes a column's value, and back. `give` is None where the value is the member."""

    key: str
    name: str
    fits: Callable[[Any], bool]
    take: Callable[[Any], Any] | None
    approximate: Callable[[Any], Any]
    give: Callable[[Any], Any] | None


@dataclass
class _Node:
    """The members of one object that are columns, and those that are objects with such members."""

    leaves: list[_Leaf] = field(default_factory=list)
    branches: dict[str, "_Node"] = field(default_factory=dict)

    def split(self, record: JSONObject, columns: JSONObject) -> JSONObject:
        rest = dict(record)
        for leaf in self.leaves:
            if leaf.key not in rest:
                continue
            value = rest[leaf.key]
            if leaf.fits(value):
                columns[leaf.name] = value if leaf.take is None else leaf.take(value)
                del rest[leaf.key]
            else:
                columns[leaf.name] = leaf.approximate(value)
        for key, node in self.branches.items():
            inner = rest.get(key)
            if isinstance(inner, dict):
                rest[key] = node.split(inner, columns)
        return rest

    def join(self, columns: Mapping[str, Any], rest: JSONObject) -> JSONObject:
        record = dict(rest)
        for leaf in self.leaves:
            value = columns[leaf.name]
            if value is not None and leaf.key not in record:
                record[leaf.key] = value if leaf.give is None else leaf.give(value)
        for key, node in self.branches.items():
            inner = record.get(key, {})
            if isinstance(inner, dict) and (joined := node.join(columns, inner)):
                record[key] = joined
        return record


def _whole_float(value: Any) -> Any:
    # A column of floats makes 1.0 of 1, which would be the same value but another text and hash. In a row that was not
    # stored yet it is an integer still.
    return int(value) if float(value).is_integer() and abs(value) <= 2**53 else value


def _split_words(text: str) -> list[str]:
    return text.split(" ") if text else []


def _are_words(value: Any, longest: int) -> bool:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        return False
    text = " ".join(value)
    return len(text) <= longest and is_storable(text) and _split_words(text) == value


class Columns:
    """Moves members of a JSON object into the columns of a model, and back.

    `paths` gives for each column the member's path, its keys joined by dots (`generator.aix.vId`). `words` names the
    columns that hold a list of words, separated by blanks. What a column can hold follows from the model's field.
    """

    def __init__(self, model: type[models.Model], paths: Mapping[str, str], words: frozenset[str] = frozenset()):
        self.names = tuple(paths)
        self._root = _Node()
        for name, path in paths.items():
            *parents, key = path.split(".")
            node = self._root
            for parent in parents:
                node = node.branches.setdefault(parent, _Node())
            model_field = model._meta.get_field(name)
            assert isinstance(model_field, models.Field)
            node.leaves.append(_words_leaf(key, model_field) if name in words else _leaf(key, model_field))

    def split(self, record: JSONObject) -> tuple[JSONObject, JSONObject]:
        """Return the columns' values (None where absent) and the rest of the object."""
        columns: JSONObject = dict.fromkeys(self.names)
        return columns, self._root.split(record, columns)

    def join(self, columns: Mapping[str, Any], rest: JSONObject | None) -> JSONObject:
        """Return the object that `split` took apart."""
        return self._root.join(columns, rest or {})


def _leaf(key: str, model_field: AnyField) -> _Leaf:
    give = _whole_float if isinstance(model_field, models.FloatField) else None
    return _Leaf(key, model_field.name, _fits(model_field), None, partial(_approximate, model_field), give)


def _words_leaf(key: str, model_field: AnyField) -> _Leaf:
    fits = partial(_are_words, longest=model_field.max_length or 0)
    return _Leaf(key, model_field.name, fits, " ".join, lambda value: None, _split_words)


@dataclass
class Damaged:
    """A list member that no row can hold. `raw` is its JSON text, or what was there instead of JSON."""

    collection: str
    position: int
    kind: str
    reason: str
    raw: str
    is_json: bool = True
    uid: str = ""
    owner: int | None = None
    place: str = ""
    pointer: str = ""
    """Where it stands in its record (a JSON Pointer)."""
    inside: int = 0
    """How many parts of the next kind below stand in it."""


@dataclass
class Rows:
    """What one record becomes: the values of its row, the rows below it, and its damaged list members."""

    uid: str
    columns: JSONObject
    extra: JSONObject
    content_hash: str
    parts: list[Any] = field(default_factory=list)
    damaged: list[Damaged] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    has_derived_uid: bool = False
    """Whether `uid` is another than the id in the JSON."""


def damaged_in(rows: Rows) -> list[Damaged]:
    """Return all damaged list members of a record, also those of its parts."""
    return [*rows.damaged, *(member for part in rows.parts for member in getattr(part, "damaged", []))]


class Unreadable(ValueError):
    """A record that its codec cannot keep as a row; `reason` says why, for the quarantine."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
