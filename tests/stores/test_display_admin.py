from types import SimpleNamespace

import pytest

from stores.admin.display import written
from stores.records.formatting import format_json, format_moment


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (1_795_288_299_195, "milliseconds", "2026-11-21 19:11:39 UTC"),
        (1_795_288_299, "seconds", "2026-11-21 19:11:39 UTC"),
        (-1, "milliseconds", "1969-12-31 23:59:59 UTC"),
        (2**62, "milliseconds", str(2**62)),
        (None, "milliseconds", "–"),
        (True, "milliseconds", "True"),
    ],
)
def test_a_time_is_told_for_people(value, unit, shown):
    assert format_moment(value, unit=unit) == shown


def test_a_time_that_was_written_as_text_is_told_like_all_others():
    def shown(text):
        return written("created")(SimpleNamespace(created=text))

    assert ">2026-11-21 19:12:06 UTC</time>" in shown("2026-11-21T19:12:06.747Z")
    assert shown("last summer") == "last summer" and shown("") == "–"


def test_json_is_indented_and_can_be_sent():
    assert format_json({"a": ["é", "\ud83d", None]}) == '{\n  "a": [\n    "é",\n    "\\ud83d",\n    null\n  ]\n}'
    deep = []
    for _ in range(390):
        deep = [deep]
    format_json(deep).encode()
