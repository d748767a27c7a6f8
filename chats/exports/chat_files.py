"""One chat as a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chats.bigagi.conversation import CONVERSATIONS
from chats.exports.file_names import safe_name
from chats.exports.images import ImageFiles
from chats.exports.markdown import write_markdown
from chats.exports.page import write_page
from chats.exports.reading import read_items
from chats.models import Conversation
from chats.rendering import printable
from stores.records.formatting import format_moment
from stores.records.jsontext import encode
from stores.records.secrets import mask

MOST_IDS = 500
"""Ids that an address may have: Django takes 1,000 parameters, a server in front of it perhaps 32 kB."""


@dataclass(frozen=True)
class Format:
    """A kind of file: its ending, and its type on the wire."""

    ending: str
    content_type: str


FORMATS = {
    "markdown": Format("md", "text/markdown; charset=utf-8"),
    "json": Format("json", "application/json"),
    "html": Format("html", "text/html; charset=utf-8"),
}


def write_chat(chat: Conversation, name: str, files: ImageFiles | None = None) -> Iterator[bytes]:
    """Yield the chat as a file of the format `name`. `files` are the images beside it, which a page has in itself."""
    if name == "json":
        # big-AGI's own file of one chat (`bigagi-format.md` § 2.3), with all else that it has: nothing is lost.
        [record] = CONVERSATIONS.load([chat])
        yield encode(mask(record)).encode("ascii")
        return
    items = read_items(chat, renders=name == "html")
    title, facts = shown_title(chat), _describe(chat)
    if name == "html":
        pieces = write_page(title, facts, (files or ImageFiles()).note_faults(items))
    elif files is not None:
        pieces = write_markdown(title, facts, files.note_faults(items), files.path_of)
    else:
        pieces = write_markdown(title, facts, items)
    for piece in pieces:
        yield piece.encode()


def shown_title(chat: Conversation) -> str:
    """Return the chat's title without secrets."""
    title: Any = mask(chat.plain_title)
    return printable(title) or "Untitled chat"


def file_stem(chat: Conversation) -> str:
    """Return what a file of the chat is called, without an ending."""
    return safe_name(shown_title(chat), "Untitled chat")


def _describe(chat: Conversation) -> str:
    count = chat.messages.count()
    facts = ["1 message" if count == 1 else f"{count:,} messages"]
    if chat.created is not None:
        facts.append(f"started {format_moment(chat.created)}")
    if chat.updated is not None:
        facts.append(f"last changed {format_moment(chat.updated)}")
    return ", ".join(facts)
