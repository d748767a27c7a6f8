"""Codecs: one record's JSON to the values of its columns and back, without a database and without loss.

A column holds a value only if it can give it back exactly. Everything else (unknown members, JSON null, a wrong type,
a number out of range, text with a lone surrogate or NUL) stays in the rest, which is stored verbatim. Where a text
stays there, its column gets an approximation to be searched; on the way back the rest wins.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from stores.fields import VerbatimJSONField

INT64 = 2**63
_EMPTY: dict[str, Any] = {}

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

JSONObject = dict[str, Any]


def is_storable(text: str) -> bool:
    """Tell whether every database takes the text: PostgreSQL refuses NUL, both refuse lone surrogates."""
    return text.isascii() and "\x00" not in text or _UNSTORABLE.search(text) is None


def storable(text: str) -> str:
    """Return the text with replacement characters for what no database takes."""
    return _UNSTORABLE.sub("\ufffd", text)


def is_id(value: Any) -> bool:
    """Tell whether a value can be a record's id: text of 1 to 200 storable characters."""
    return isinstance(value, str) and 0 < len(value) <= 200 and is_storable(value)


def _fits(model_field: models.Field) -> Callable[[Any], bool]:
    longest = getattr(model_field, "max_length", None)
    if isinstance(model_field, VerbatimJSONField):
        return lambda value: value is not None
    if isinstance(model_field, models.CharField):
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


def _approximate(model_field: models.Field, value: Any) -> Any:
    if isinstance(value, str) and isinstance(model_field, models.CharField | models.TextField):
        return storable(value)[: getattr(model_field, "max_length", None)]
    return None


@dataclass(frozen=True)
class _Leaf:
    name: str
    model_field: models.Field
    fits: Callable[[Any], bool]

    def give(self, value: Any) -> Any:
        # A column of floats makes 1.0 of 1, which would be the same value but another text and hash.
        return int(value) if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53 else value


@dataclass(frozen=True)
class _Words:
    """A list of words in one text column, separated by blanks."""

    name: str
    longest: int

    def join(self, value: Any) -> str | None:
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            return None
        text = " ".join(value)
        return text if len(text) <= self.longest and is_storable(text) and self.give(text) == value else None

    @staticmethod
    def give(text: str) -> list[str]:
        return text.split(" ") if text else []


class Columns:
    """Moves members of a JSON object into the columns of a model, and back.

    `paths` gives for each column the member's path, its keys joined by dots (`generator.aix.vId`). `words` names the
    columns that hold a list of words. What a column can hold follows from the model's field.
    """

    def __init__(self, model: type[models.Model], paths: Mapping[str, str], words: frozenset[str] = frozenset()):
        self.names = tuple(paths)
        self._tree: dict[str, Any] = {}
        for name, path in paths.items():
            *parents, leaf = path.split(".")
            node = self._tree
            for key in parents:
                node = node.setdefault(key, {})
            model_field = model._meta.get_field(name)
            if name in words:
                node[leaf] = _Words(name, model_field.max_length)
            else:
                node[leaf] = _Leaf(name, model_field, _fits(model_field))

    def split(self, record: JSONObject) -> tuple[JSONObject, JSONObject]:
        """Return the columns' values (None where absent) and the rest of the object."""
        columns: JSONObject = dict.fromkeys(self.names)
        return columns, self._split(self._tree, record, columns)

    def _split(self, tree: dict[str, Any], record: JSONObject, columns: JSONObject) -> JSONObject:
        rest = dict(record)
        for key, node in tree.items():
            if key not in rest:
                continue
            value = rest[key]
            if type(node) is dict:
                if isinstance(value, dict):
                    rest[key] = self._split(node, value, columns)
            elif type(node) is _Words:
                columns[node.name] = node.join(value)
                if columns[node.name] is not None:
                    del rest[key]
            elif node.fits(value):
                columns[node.name] = value
                del rest[key]
            else:
                columns[node.name] = _approximate(node.model_field, value)
        return rest

    def join(self, columns: Mapping[str, Any], rest: JSONObject | None) -> JSONObject:
        """Return the object that `split` took apart."""
        return self._join(self._tree, columns, rest or {})

    def _join(self, tree: dict[str, Any], columns: Mapping[str, Any], rest: JSONObject) -> JSONObject:
        record = dict(rest)
        for key, node in tree.items():
            if type(node) is dict:
                inner = record.get(key, _EMPTY)
                if isinstance(inner, dict) and (joined := self._join(node, columns, inner)):
                    record[key] = joined
            elif (value := columns[node.name]) is not None and key not in record:
                record[key] = node.give(value)
        return record


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


class Unreadable(ValueError):
    """A record that its codec cannot keep as a row; `reason` says why, for the quarantine."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
