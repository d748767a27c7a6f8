"""Records as big-AGI wrote them, with our facts beside, under `_server`."""

from abc import abstractmethod
from collections.abc import Sequence
from itertools import islice
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.fields import empty

from stores.api.problems import errors_in, wrong_members
from stores.records import jsontext
from stores.records.codecs import JSONObject
from stores.records.collections import Collection
from stores.records.editing import tell_dropped
from stores.records.json_values import object_or_empty
from stores.records.secrets import mask


def one_of(*names: str) -> dict[str, Any]:
    """Return the rule that exactly one of these members is given, for a serializer's `rules`."""
    return {"oneOf": [{"required": [name]} for name in names]}


class BodySerializer(serializers.Serializer[Any]):
    """A body, of which each member is validated by the field that is declared for it.

    DRF's own `fields` are copies, made for each serializer: that takes ten times as long as the validation.
    `rules`, here as in any serializer, is JSON Schema: what holds of a body beside the types of its members."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for name, field in cls._declared_fields.items():
            field.field_name = name

    def check_members(self, data: Any) -> tuple[JSONObject, dict[str, Any]]:
        """Return the values of the known members, and the errors of those that are wrong. A part needs none of them,
        and null removes."""
        if not isinstance(data, dict):
            raise ValidationError("Must be an object.", "type")
        values: JSONObject = {}
        errors: dict[str, Any] = {}
        for name, field in self._declared_fields.items():
            value = data.get(name, empty)
            is_missing = value is empty and (self.partial or not field.required)
            if is_missing or field.read_only or (value is None and self.partial):
                continue
            try:
                values[name] = field.run_validation(value)
            except ValidationError as error:
                errors[name] = error.detail
        return values, errors

    def run_validation(self, data: Any = empty) -> Any:
        values, errors = self.check_members(data)
        if errors:
            raise ValidationError(errors)
        return self.validate(values)

    def take(self) -> JSONObject:
        """Return the valid values. Raises `ValidationError`."""
        self.is_valid(raise_exception=True)
        values: JSONObject = self.validated_data
        return values


class FormSerializer(BodySerializer):
    """A body that has no other members. Of its faults the first is told."""

    rules: dict[str, Any] = {"additionalProperties": False}
    noun = "field"

    def check_members(self, data: Any) -> tuple[JSONObject, dict[str, Any]]:
        if isinstance(data, dict) and (unknown := sorted(set(data) - set(self._declared_fields))):
            allowed = ", ".join(self._declared_fields)
            hint = f"Allowed: {allowed}." if allowed else "This route takes none."
            text = f"Unknown {self.noun}. {hint}"
            return {}, {unknown[0]: [ErrorDetail(text, "unknown")]}
        values, errors = super().check_members(data)
        return values, dict(islice(errors.items(), 1))


class RecordListSerializer(serializers.ListSerializer[Any]):
    """Many rows, which their serializer's `present` takes all at once."""

    def to_representation(self, data: Any) -> list[Any]:
        # Each serializer that names this one for its lists has `present`.
        child: Any = self.child
        records: list[Any] = child.present(list(data))
        return records


class RecordSerializer(BodySerializer):
    """Writes rows by their collection's codec, a whole page at once, and takes records of big-AGI's as they come: known
    members have their types, unless they are what is stored of the row that is given."""

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

    def load_stored(self) -> Any:
        """Return the JSON of the row that is to be replaced."""
        return self.collection.load([self.instance])[0]

    def check_members(self, data: Any) -> tuple[JSONObject, dict[str, Any]]:
        _, errors = super().check_members(data)
        if errors and self.instance is not None:
            stored = object_or_empty(mask(self.load_stored()))
            same = {
                name for name in stored.keys() & data.keys() & errors.keys() if jsontext.same(data[name], stored[name])
            }
            errors = {name: error for name, error in errors.items() if name not in same}
        return {name: value for name, value in data.items() if name != "_server"}, errors

    def take(self, pointer: str = "") -> JSONObject:
        """Return the valid record, which stands at this place of the body. Raises `Problem`."""
        if not self.is_valid():
            raise wrong_members(list(errors_in(self.errors, pointer)))
        return super().take()

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
