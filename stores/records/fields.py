"""Model fields for what must come back exactly as it came."""

import zlib
from typing import TYPE_CHECKING, Any

from django.db import models

from stores.records import jsontext
from stores.records.faults import DamagedValue

if TYPE_CHECKING:
    AnyTextField = models.TextField[Any, Any]
    AnyBinaryField = models.BinaryField[Any, Any]
else:
    AnyTextField, AnyBinaryField = models.TextField, models.BinaryField


SHORT = 4096
"""Bytes up to which a text is compressed with small tables."""


class VerbatimJSONField(AnyTextField):
    """Any JSON value, kept as ASCII-escaped JSON text. In a nullable column None is NULL: there is no value.

    Not `JSONField`: SQLite's text refuses lone surrogates and its integers end at 2**63, `JSONField`'s check
    constraint fails beyond 1,500 levels, and PostgreSQL's jsonb refuses `\\u0000`.
    """

    description = "JSON as text, kept exactly"

    # What django-stubs reads as the types of the attribute.
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        if value is None:
            return None
        try:
            return jsontext.decode(value, jsontext.OWN_DEPTH)
        except ValueError as error:
            raise DamagedValue(f"a stored value of {self.model._meta.label} is no JSON") from error

    def to_python(self, value: Any) -> Any:
        return value

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None and self.null else jsontext.encode(value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> str | None:
        return value if prepared else self.get_prep_value(value)

    def value_to_string(self, obj: models.Model) -> str:
        return jsontext.encode(self.value_from_object(obj))


class CompressedTextField(AnyBinaryField):
    """Text kept zlib-compressed; lone surrogates pass."""

    description = "Compressed text"

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str | None:
        return None if value is None else expand(bytes(value))

    def to_python(self, value: Any) -> Any:
        return value

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        packed = compress(value) if isinstance(value, str) else value
        return super().get_db_prep_value(packed, connection, prepared)


def compress(text: str) -> bytes:
    """Return the bytes that a `CompressedTextField` stores for the text."""
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > SHORT:
        return zlib.compress(data, 6)
    # As small, and in a quarter of the time, which goes into clearing tables for longer texts.
    packing = zlib.compressobj(6, wbits=12, memLevel=5)
    return packing.compress(data) + packing.flush()


def expand(packed: bytes) -> str:
    """Return the text of stored bytes. Raises `DamagedValue`."""
    try:
        return zlib.decompress(packed).decode("utf-8", "surrogatepass")
    except (zlib.error, UnicodeDecodeError) as error:
        raise DamagedValue("a stored text cannot be unpacked") from error
