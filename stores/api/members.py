"""Members of bodies, as fields: each says what it takes, what is answered to anything else, and how it is described.

DRF's own fields take "5" for a number and 5 for a text, and give another value than they got; these give it unchanged.
"""

from typing import Any, NoReturn

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.fields import empty

from stores.records.codecs import INT64, is_storable
from stores.records.json_values import is_number

TEXT = "^[^\\u0000]*$"
"""Text that every database takes; halves of surrogate pairs are not in JSON in UTF-8."""

NOT_BLANK = r"^[^\u0000]*[^\u0000\s][^\u0000]*$"
"""Such text that has more than space in it."""

ID: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": TEXT}
"""A record's id in the API's description, as `stores.records.codecs.is_id` takes it."""


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


class AnyMember(serializers.Field[Any, Any, Any, Any]):
    """Any JSON. `fault` is what is said of anything else, `{name}` in it the member's name."""

    schema: dict[str, Any] = {}
    types: type | tuple[type, ...] = object
    fault = ""
    code = "type"

    def __init__(self, *, required: bool = False, **kwargs: Any) -> None:
        self.schema, self.fault = kwargs.pop("schema", self.schema), kwargs.pop("fault", self.fault)
        super().__init__(required=required, **kwargs)

    def run_validation(self, data: Any = empty) -> Any:
        # DRF says of null that it must not be; here it is of another type, as anything else.
        if data is empty or (data is None and self.allow_null):
            return super().run_validation(data)
        return self.to_internal_value(data)

    def to_internal_value(self, data: Any) -> Any:
        if not self.fits(data):
            self.refuse()
        return data

    def fits(self, data: Any) -> bool:
        return isinstance(data, self.types)

    def refuse(self) -> NoReturn:
        raise ValidationError(self.fault.format(name=self.field_name), self.code)


class MemberScheme(OpenApiSerializerFieldExtension):
    """Describes a member by its `schema`."""

    target_class = AnyMember
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        return dict(self.target.schema)


class TextMember(AnyMember):
    schema, types, fault = {"type": "string"}, str, "Must be a string."


class NameMember(TextMember):
    """The name of something that is here."""

    schema = {"type": "string", "minLength": 1}


class IdMember(TextMember):
    """The id of the record itself; services check it."""

    schema = ID


class ShortTextMember(AnyMember):
    """Text of limited length that every database takes."""

    def __init__(self, longest: int, **kwargs: Any) -> None:
        super().__init__(**{"schema": {"type": "string", "maxLength": longest, "pattern": TEXT}} | kwargs)
        self.longest = longest
        self.fault = f"{{name}} must be a string of at most {longest} characters, without NUL."

    def fits(self, data: Any) -> bool:
        return isinstance(data, str) and is_storable(data) and len(data) <= self.longest


class FlagMember(AnyMember):
    schema, types, fault = {"type": "boolean"}, bool, "Must be true or false."


class FlagParameter(AnyMember):
    """A flag of a query, in words."""

    schema, fault, code = {"type": "boolean"}, "{name} must be true or false.", "invalid"
    words = {"1": True, "true": True, "0": False, "false": False}

    def to_internal_value(self, data: str) -> bool:
        return self.words[data] if data in self.words else self.refuse()


class NumberMember(AnyMember):
    schema, fault = {"type": "number", "minimum": -INT64, "exclusiveMaximum": INT64}, "Must be a number."

    def fits(self, data: Any) -> bool:
        return is_number(data) and -INT64 <= data < INT64


class LimitedMember(AnyMember):
    """A number within the limits that its schema tells."""

    code = "invalid"

    def fits(self, data: Any) -> bool:
        is_of_type = type(data) is int if self.schema["type"] == "integer" else is_number(data)
        return is_of_type and self.schema["minimum"] <= data <= self.schema["maximum"]


class WholeNumberMember(LimitedMember):
    """A whole number from 0 to `most`. JSON has one kind of number: 5.0 is 5."""

    code = "range"

    def __init__(self, most: int, *, more: str = "", **kwargs: Any) -> None:
        fault = f"{{name}} must be a whole number from 0 to {most}{more}."
        schema = {"type": "integer", "minimum": 0, "maximum": most}
        super().__init__(**{"fault": fault, "schema": schema} | kwargs)

    def to_internal_value(self, data: Any) -> Any:
        return super().to_internal_value(int(data) if isinstance(data, float) and data.is_integer() else data)

    def fail(self, key: str, **kwargs: Any) -> NoReturn:
        self.refuse()


class ListMember(AnyMember):
    schema, types, fault = {"type": "array", "items": {}}, list, "Must be a list."


class ObjectMember(AnyMember):
    schema, types, fault = {"type": "object", "additionalProperties": True}, dict, "Must be an object."
