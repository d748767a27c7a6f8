"""Records as big-AGI wrote them, with our facts beside, under `_server`."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from stores import jsontext
from stores.codecs import INT64
from stores.collections import Collection
from stores.services.records import tell_dropped

TEXT = "^[^\\u0000]*$"
"""Text that every database takes; halves of surrogate pairs are not in JSON in UTF-8."""

ID: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": TEXT}
"""A record's id in the API's description, as `stores.codecs.is_id` takes it."""


def one_of(*names: str) -> dict[str, Any]:
    """Return the rule that exactly one of these members is given, for a serializer's `rules`."""
    return {"oneOf": [{"required": [name]} for name in names]}


@extend_schema_field(ID)
class IdField(serializers.CharField):
    """A record's id, as it is: spaces at its ends belong to it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=200, trim_whitespace=False, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        # DRF takes numbers as well.
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class RecordListSerializer(serializers.ListSerializer[Any]):
    """Many rows, which their serializer's `present` takes all at once."""

    def to_representation(self, data: Any) -> list[Any]:
        # Each serializer that names this one for its lists has `present`.
        child: Any = self.child
        records: list[Any] = child.present(list(data))
        return records


class RecordSerializer(serializers.Serializer[Any]):
    """Writes rows by their collection's codec, a whole page at once. The fields tell the schema what is in it.

    `rules`, here as in any serializer, is JSON Schema: what holds of a body beside the types of its members."""

    collection: Collection

    class Meta:
        list_serializer_class = RecordListSerializer

    def present(self, records: Sequence[Any]) -> list[Any]:
        """Return the JSON of the rows, in a fixed number of queries."""
        facts = self.get_facts(records)
        return [json | {"_server": fact} for json, fact in zip(self.load(records), facts, strict=True)]

    def load(self, records: Sequence[Any]) -> list[Any]:
        """Return big-AGI's own JSON of the rows."""
        return self.collection.load(records)

    @abstractmethod
    def get_facts(self, records: Sequence[Any]) -> list[dict[str, Any]]:
        """Return what `_server` has for each row."""

    def to_representation(self, instance: Any) -> Any:
        return self.present([instance])[0]


class ServerFactsSerializer(serializers.Serializer[Any]):
    """The fields under `_server` in each record; writes ignore them."""

    href = serializers.CharField(help_text="The record's address.")


def with_notes(body: dict[str, Any], lost_keys: Sequence[str], dropped_keys: Sequence[str] = ()) -> dict[str, Any]:
    """Return the response to a write, with notes on keys that were sent only as markers and are not stored, and on
    stored keys that were removed."""
    notes = []
    if lost_keys:
        named = ", ".join(sorted(set(lost_keys)))
        notes.append(f"These keys are now empty, because only a marker was sent and no key is stored: {named}.")
    if dropped_keys:
        notes.append(tell_dropped(dropped_keys))
    if not notes:
        return body
    return body | {"_server": body.get("_server", {}) | {"notes": notes}}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and -INT64 <= value < INT64


_TYPES: tuple[tuple[type, Callable[[Any], bool], str], ...] = (
    (serializers.CharField, lambda value: isinstance(value, str), "a string"),
    (serializers.BooleanField, lambda value: isinstance(value, bool), "true or false"),
    (serializers.IntegerField, _is_number, "a number"),
    (serializers.FloatField, _is_number, "a number"),
    (serializers.ListField, lambda value: isinstance(value, list), "a list"),
    (serializers.DictField, lambda value: isinstance(value, dict), "an object"),
)


def find_errors(
    shape: type, value: Any, stored: Any = None, pointer: str = "", *, is_partial: bool = False
) -> Iterator[dict[str, str]]:
    """Yield errors of the known fields of a record: missing, or of a wrong type and different from what is stored.

    `shape` is the serializer that declares the fields. With `is_partial` no field is required, and null removes.
    """
    ours = stored if isinstance(stored, dict) else {}
    for name, field in shape()._declared_fields.items():
        if name == "_server" or field.read_only:
            continue
        place = f"{pointer}/{name}"
        if name not in value:
            if field.required and not is_partial:
                yield {"pointer": place, "detail": "This field is required.", "code": "required"}
            continue
        given = value[name]
        if given is None and (field.allow_null or is_partial):
            continue
        for kind, fits, words in _TYPES:
            if isinstance(field, kind):
                if not fits(given) and not (name in ours and jsontext.same(given, ours[name])):
                    yield {"pointer": place, "detail": f"Must be {words}.", "code": "type"}
                break
