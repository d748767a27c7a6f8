"""Addresses in Markdown that nobody marked as links, as a rule for markdown-it-py: `See https://example.com/.` Which
signs end one is told in GitHub Flavored Markdown, 6.9.

The library's own rule needs another library and takes seconds for texts made to delay it; this one takes as long as the
text is. It links what begins with http:// or https:// alone: `main.py` could be a host in Paraguay.
"""

import re

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

_SCHEME = re.compile(r"(?:^|[^a-z0-9])(https?)\Z", re.IGNORECASE)
_LONGEST = len("https") + 1
# Brackets belong to the links around it, the wide signs to sentences in Chinese and Japanese.
_REST = re.compile(r"://(?=[^\W_])[^\s<>\[\]`\"\u3000-\u303f\uff00-\uffef]+")
_ENDS = "?!.,:;*_~'"


def link_addresses(parser: MarkdownIt) -> None:
    """Let the parser make links of addresses."""
    parser.inline.ruler.after("text", "bare_address", _read_address)


def _read_address(state: StateInline, silent: bool) -> bool:
    # The text before the colon has been read already.
    if state.linkLevel or state.src[state.pos] != ":" or not (rest := _REST.match(state.src, state.pos)):
        return False
    if not (scheme := _SCHEME.search(state.pending[-_LONGEST:])):
        return False
    tail = _trim(rest[0])
    written = scheme[1] + tail
    address = state.md.normalizeLink(written)
    if not state.md.validateLink(address):
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme[1])]
        state.push("link_open", "a", 1).attrs = {"href": address}
        state.push("text", "", 0).content = written
        state.push("link_close", "a", -1)
    state.pos += len(tail)
    return True


def _trim(address: str) -> str:
    """Return the address without the signs at its end that belong to the sentence."""
    end = len(address)
    surplus = address.count(")") - address.count("(")
    while address[end - 1] in _ENDS or (address[end - 1] == ")" and surplus > 0):
        surplus -= address[end - 1] == ")"
        end -= 1
    return address[:end]
