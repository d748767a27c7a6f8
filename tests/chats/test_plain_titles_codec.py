"""Titles without Markdown, as pages show them."""

import pytest

from chats.plain_titles import without_markdown


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("**Title**", "Title"),
        ("# **Bridges** of `Porto`", "Bridges of Porto"),
        ("***Bridges: [Porto](https://example.com)***", "Bridges: Porto"),
        ("**Bridges: *Porto***", "Bridges: Porto"),
        ("_Bridges of Porto_, ~~old~~", "Bridges of Porto, old"),
        # No marks, but what somebody means.
        *(
            (text, text)
            for text in ("2*3*4", "a * b * c", "__init__ and snake_case_name", "C# and F#", "#1", "****", "")
        ),
    ],
)
def test_a_title_is_shown_without_its_marks(title, plain):
    assert without_markdown(title) == plain
