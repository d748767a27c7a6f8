"""HTML as Markdown: what a reader sees, without scripts, styles and images."""

from typing import Any

from bs4 import BeautifulSoup
from markdownify import MarkdownConverter

from chats.documents.findings import Findings

UNSEEN = ("script", "style", "noscript", "template", "svg", "iframe", "object", "canvas", "head", "nav", "dialog")
_LINKS = ("http://", "https://", "mailto:")


class _Converter(MarkdownConverter):
    """Markdown as a model reads it: images by their words alone, no escapes, only links that lead somewhere."""

    class Options:
        heading_style = "atx"
        bullets = "-"
        escape_asterisks = False
        escape_underscores = False
        escape_misc = False
        table_infer_header = True

    def convert_img(self, element: Any, text: str, parent_tags: Any) -> str:
        words = " ".join(str(element.get("alt") or "").split())
        return f"[Image: {words}]" if words else ""

    def convert_a(self, element: Any, text: str, parent_tags: Any) -> str:
        if not str(element.get("href") or "").startswith(_LINKS):
            return text
        return str(super().convert_a(element, text, parent_tags))  # type: ignore[misc]  # Its stubs lack it.


def read_html(data: bytes) -> Findings:
    """Return a page's text as Markdown. The encoding is what the page says, else UTF-8 or a guess."""
    soup = BeautifulSoup(data, "lxml")
    title = soup.title.get_text(" ") if soup.title else ""
    for element in soup(UNSEEN):
        element.decompose()
    found = Findings(to_markdown(soup), title)
    if not found.text.strip():
        found.warn("no-text", "It has no text of its own; scripts build the page.")
    return found


def to_markdown(html: Any) -> str:
    """Return parsed HTML, or the HTML of a text, as Markdown."""
    soup = BeautifulSoup(html, "lxml") if isinstance(html, str) else html
    return str(_Converter().convert_soup(soup))
