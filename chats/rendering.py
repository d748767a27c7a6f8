"""Markdown to safe HTML: the one renderer for the admin, the chat page and exports.

Nothing in the HTML can run, load from another host or leave the rendered block: raw HTML in the text is shown as
text, links lead to http, https and mailto only, images become links. nh3 checks what markdown-it-py wrote once more,
so that a bug in only one of them does no harm.
"""

import re
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from chats.bare_addresses import link_addresses

MAX_MARKDOWN = 100_000
"""Characters of a text that is rendered as Markdown (a quarter of a second); a longer one is shown as it is."""

MAX_HIGHLIGHT = 50_000
"""Characters of a code block that is highlighted."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_SAFE_SCHEME = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_TASK = re.compile(r"\[([ xX])\]\s")
_LANGUAGE = re.compile(r"[\w+#.-]{1,30}\Z")
_formatter = HtmlFormatter(nowrap=True)


def render_markdown(text: str, *, line_breaks: bool = False) -> SafeString:
    """Return the text's Markdown as HTML that is safe to put into a page.

    `line_breaks` shows each line break of a paragraph, as people mean it in what they type.
    """
    text = printable(text)
    if len(text) > MAX_MARKDOWN:
        return mark_safe(f'<pre class="md-plain">{escape(text)}</pre>')
    html = (_typed if line_breaks else _written).render(text)
    return mark_safe(_cleaner.clean(html))


def split_blocks(text: str) -> list[str]:
    """Return the text cut where its outermost Markdown blocks begin; joined they are the text."""
    lines = text.splitlines(keepends=True)
    starts = sorted({token.map[0] for token in _written.parse(text) if token.level == 0 and token.map})
    edges = [0, *(start for start in starts if 0 < start < len(lines)), len(lines)]
    blocks = ["".join(lines[start:end]) for start, end in pairwise(edges)]
    return [block for block in blocks if block]


def find_open_fence(text: str) -> str:
    """Return the marks that would close the code block in which the text ends; empty where it ends in none."""
    last = next((token for token in reversed(_written.parse(text)) if token.level == 0), None)
    if last is None or last.type != "fence" or last.map is None:
        return ""
    closing = text.splitlines()[last.map[0] + 1 : last.map[1]][-1:]
    is_closed = any(set(line.strip()) == {last.markup[0]} and len(line.strip()) >= len(last.markup) for line in closing)
    return "" if is_closed else last.markup


def render_code(code: str, language: str = "") -> SafeString:
    """Return code, highlighted where the language is known, for the inside of a `<code>`."""
    return mark_safe(_highlight(printable(code), language))


def is_safe_link(url: object) -> bool:
    """Tell whether a link may lead there: to another host, by http, https or mail."""
    return isinstance(url, str) and bool(_SAFE_SCHEME.match(url)) and not _SURROGATE.search(url)


def printable(text: str) -> str:
    """Return the text with U+FFFD in the place of lone surrogates, which no response can be encoded with."""
    return _SURROGATE.sub("\ufffd", text)


def _highlight(code: str, language: str, _attributes: str = "") -> str:
    if not language or len(code) > MAX_HIGHLIGHT:
        return escape(code)
    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return escape(code)
    return str(highlight(code, lexer, _formatter))


class _Renderer(RendererHTML):
    """markdown-it's renderer, with code, links, images and table cells in the shapes that the pages want."""

    def fence(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        token = tokens[index]
        words = token.info.split(maxsplit=1)
        language = words[0] if words and _LANGUAGE.match(words[0]) else ""
        return _code_block(token.content, language)

    def code_block(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return _code_block(tokens[index].content, "")

    def heading_open(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        # The page title and the message headings use the first two heading levels.
        tokens[index].tag = f"h{min(6, int(tokens[index].tag[1]) + 2)}"
        return self.renderToken(tokens, index, options, env)

    heading_close = heading_open

    def list_item_open(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        # A task list (GitHub Flavored Markdown, 5.3). A form's checkbox would promise that it can be ticked.
        first = next((token for token in tokens[index + 1 : index + 3] if token.type == "inline"), None)
        text = first.children[0] if first and first.children else None
        if text is not None and text.type == "text" and (task := _TASK.match(text.content)):
            text.content = f"{'☐' if task[1] == ' ' else '☑'} {text.content[task.end() :]}"
            tokens[index].attrSet("class", "md-task")
        return self.renderToken(tokens, index, options, env)

    def link_open(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        # A relative link would lead into this site, where the text's author cannot have meant it to.
        is_safe = is_safe_link(tokens[index].attrs.get("href"))
        env.setdefault("open_links", []).append(is_safe)
        return self.renderToken(tokens, index, options, env) if is_safe else "<span>"

    def link_close(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        return "</a>" if env["open_links"].pop() else "</span>"

    def image(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        token = tokens[index]
        url = str(token.attrs.get("src", ""))
        label = self.renderInlineAsText(token.children, options, env) or "no description"
        if not is_safe_link(url):
            return f'<span class="md-image">[Image in the text, not shown: {escape(label)}]</span>'
        note = f'<span class="md-image">[Image on {escape(_host_of(url))}: {escape(label)}]</span>'
        # A link inside a link is no HTML: the outer one stays.
        return note if any(env.get("open_links", ())) else f'<a href="{escape(url)}">{note}</a>'

    def _cell(self, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
        # A style attribute would need a hole in the content security policy.
        alignment = str(tokens[index].attrs.pop("style", "")).removeprefix("text-align:")
        if alignment:
            tokens[index].attrSet("class", f"md-{alignment}")
        return self.renderToken(tokens, index, options, env)

    th_open = td_open = _cell


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or "another host"
    except ValueError:
        return "another host"


def _code_block(code: str, language: str) -> str:
    label = f'<span class="md-language">{escape(language)}</span>' if language else ""
    return f'<div class="md-code">{label}<pre><code class="hl">{_highlight(code, language)}</code></pre></div>\n'


def _parser(*, line_breaks: bool) -> MarkdownIt:
    options = {"html": False, "linkify": False, "typographer": False, "breaks": line_breaks}
    parser = MarkdownIt("commonmark", options, renderer_cls=_Renderer)
    link_addresses(parser)
    return parser.enable(["table", "strikethrough"])


_written = _parser(line_breaks=False)
_typed = _parser(line_breaks=True)
_BLOCKS = {"blockquote", "div", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "ul"}
_INLINE = {"a", "br", "code", "em", "s", "span", "strong"}
_TABLES = {"table", "tbody", "td", "th", "thead", "tr"}
_cleaner = nh3.Cleaner(
    tags=_BLOCKS | _INLINE | _TABLES,
    attributes={
        "a": {"href", "title"},
        "ol": {"start"},
        **{tag: {"class"} for tag in ("code", "div", "li", "span", "td", "th")},
    },
    url_schemes={"http", "https", "mailto"},
    link_rel="noopener noreferrer nofollow",
)
