"""A chat as one HTML file that needs nothing else: no server, no script, no other file and no network."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from pygments.formatters import HtmlFormatter

from chats.exports.images import data_url
from chats.fragments import Block
from chats.transcript import Damage, Turn

_TURNS = "<!-- turns -->"
"""Stands in the frame where the messages come; no title can have it, because titles are escaped."""

_SHEETS = ("bigagi/colors.css", "chats/transcript.css", "chats/export.css")


def write_page(title: str, facts: str, items: Iterable[Turn | Damage]) -> Iterator[str]:
    """Yield the page, message by message."""
    style = read_style()
    context = {"title": title, "facts": facts, "style": style, "policy": policy_of(style)}
    before, after = render_to_string("chats/export/page.html", context).split(_TURNS)
    yield before
    for item in items:
        yield _write_turn(item) if isinstance(item, Turn) else _write_damage(item)
    yield after


def policy_of(style: str) -> str:
    """Return the page's own content security policy: this style and images inside the file, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


@cache
def read_style() -> str:
    """Return the style sheet of the page."""
    sheets = [Path(str(finders.find(name))).read_text(encoding="utf-8") for name in _SHEETS]
    light, dark = map(_highlighting, ("default", "github-dark"))
    # Without scripts, the browser's preference alone says which colours hold. Paper is light.
    dark = f"@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}"
    return "\n".join([*sheets, light, dark]).replace("</", "<\\/")


def _highlighting(style: str) -> str:
    # Only what is inside a block of code: its ground is the page's.
    rules = HtmlFormatter(style=style).get_style_defs(".hl").splitlines()
    return "\n".join(rule for rule in rules if rule.startswith(".hl ."))


def _write_turn(turn: Turn) -> str:
    for block in turn.blocks:
        if isinstance(block, Block) and block.kind == "image" and block.asset is not None:
            block.url = data_url(block.asset)
    return render_to_string("chats/export/turn.html", {"turn": turn})


def _write_damage(damage: Damage) -> str:
    return render_to_string("chats/export/damage.html", {"damage": damage, "what": "message"})
