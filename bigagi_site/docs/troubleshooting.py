"""The entries of Troubleshooting, out of `templates/api/troubleshooting.md`.

There, `## A group` has entries, `### A title {#its-id}` and a text in CommonMark. Variables and tags of templates in it
are filled in when it is HTML, so that no path is taken for markup.
"""

import re
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.template import Template
from markdown_it import MarkdownIt

SOURCE = settings.BASE_DIR / "templates" / "api" / "troubleshooting.md"
_GROUP = re.compile(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_ENTRY = re.compile(r"^### ([^\n]+) \{#([a-z-]+)\}\n(.*?)(?=^### |\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """What an error means, and what to do. The `type` of a problem leads to the id."""

    title: str
    id: str
    text: Template


@cache
def read_entries() -> list[tuple[str, list[Entry]]]:
    """Return the entries by group, as the file has them."""
    markdown = MarkdownIt()
    # As it is, since it can be a tag: `{% url … %}`.
    markdown.normalizeLink = lambda url: url  # type: ignore[method-assign]
    return [
        (group, [Entry(title, key, Template(markdown.render(text))) for title, key, text in _ENTRY.findall(entries)])
        for group, entries in _GROUP.findall(SOURCE.read_text("utf-8"))
    ]
