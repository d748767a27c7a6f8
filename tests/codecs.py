"""What the tests of all codecs share: values in through text, columns as a database would give them back."""

import json
import random
from collections.abc import Mapping
from typing import Any

from django.db import models

from stores.records import jsontext
from stores.records.codecs import Damaged, Rows
from stores.records.fields import VerbatimJSONField
from tests.strategies import equal_json, first_difference, to_text


def read(value: Any) -> Any:
    """Return a value as an importer hands it to a codec."""
    return jsontext.decode(to_text(value))


def stored(model: type[models.Model], columns: Mapping[str, Any]) -> dict[str, Any]:
    """Return columns as they come back from a database; fail where no database would take them."""
    back = {}
    for name, value in columns.items():
        field = model._meta.get_field(name)
        if value is None and field.null:
            pass
        elif isinstance(field, VerbatimJSONField):
            text = field.get_prep_value(value)
            assert text is not None and text.isascii() and "\x00" not in text
            value = field.from_db_value(text, None, None)
        elif isinstance(field, models.CharField | models.TextField):
            assert isinstance(value, str) and len(value) <= (field.max_length or 2**30)
            value.encode()
            assert "\x00" not in value
        elif isinstance(field, models.BooleanField):
            assert isinstance(value, bool)
        elif isinstance(field, models.IntegerField):
            assert type(value) is int and -(2**63) <= value < 2**63
        elif isinstance(field, models.FloatField):
            value = float(value)
            assert abs(value) < float("inf")
        back[name] = value
    return back


def stored_extra(rows_extra: Any) -> Any:
    """Return what no column held, as it comes back."""
    return jsontext.decode(jsontext.encode(rows_extra)) if rows_extra else None


def damaged_members(damaged: list[Damaged]) -> list[tuple[int, Any]]:
    """Return quarantined members with their positions, as a dump puts them back."""
    return [(member.position, json.loads(member.raw)) for member in damaged if member.is_json]


def assert_came_back(source: Any, out: Any) -> None:
    """Compare through plain `json`: the text that the value had, and the text that goes out."""
    expected, found = json.loads(to_text(source)), json.loads(jsontext.encode(out))
    assert equal_json(expected, found), first_difference(expected, found)
    assert jsontext.same(read(source), out)


def table_round_trip(collection: Any, rows: Rows) -> Any:
    """Return the JSON of a table collection's rows after a trip through their columns."""
    columns = stored(collection.model, rows.columns)
    if hasattr(collection, "listing"):
        listed = [*rows.parts, *damaged_members(rows.damaged)]
        random.Random(1).shuffle(listed)
        return collection.join_listing(rows.uid, columns, stored_extra(rows.extra), listed)
    return collection.to_json(rows.uid, columns, stored_extra(rows.extra))
