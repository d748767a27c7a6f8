"""A chat as Markdown, for notes and editors. It is for people: what comes back unchanged is the JSON."""

import re
from collections.abc import Callable, Iterable, Iterator

from chats.fragments import MARKDOWN, Block, Link
from chats.models import Asset
from chats.rendering import find_open_fence, printable
from chats.transcript import Damage, Turn

_FENCE = re.compile(r"`{3,}|~{3,}")
_MARKS = re.compile(r"([\\`*_\[\]<>#])")

PathOf = Callable[[Asset], str]
"""Returns where an image is found, seen from the chat's file; empty: nowhere."""


def no_images(asset: Asset) -> str:
    """Return nowhere: a single file has no images beside it."""
    return ""


def write_markdown(
    title: str, facts: str, items: Iterable[Turn | Damage], path_of: PathOf = no_images
) -> Iterator[str]:
    """Yield the chat's Markdown, message by message."""
    yield f"# {escape_marks(title)}\n\n{facts}\n"
    for item in items:
        yield "\n" + (_write_turn(item, path_of) if isinstance(item, Turn) else _write_damage(item, "message"))


def escape_marks(text: str) -> str:
    """Return one line of text in which nothing is Markdown."""
    return _MARKS.sub(r"\\\1", " ".join(printable(text).split()))


def _write_turn(turn: Turn, path_of: PathOf) -> str:
    who = "You" if turn.message.role == "user" else turn.role
    author = f" ({escape_marks(turn.author)})" if turn.author else ""
    facts = [turn.time, f"edited {turn.edited}" if turn.edited else "", *turn.flags]
    parts = [f"## {escape_marks(who)}{author}", f"*{escape_marks(', '.join(filter(None, facts)))}*"]
    parts += [_quote(text) for text in turn.quotes]
    for block in turn.blocks:
        parts.append(_write_block(block, path_of) if isinstance(block, Block) else _write_damage(block, "part").strip())
    return "\n\n".join(filter(None, parts)) + "\n"


def _write_block(block: Block, path_of: PathOf) -> str:
    match block.kind:
        case "html":
            return _close(block.text)
        case "error":
            hints = "".join(f"\n\n{link.text}" for link in block.links)
            return _quote(f"**Error:** {block.text}{hints}")
        case "fold":
            return _fold(block.title, _close(block.text) if block.language == MARKDOWN else _fence(block))
        case "image" if block.asset is not None and (path := path_of(block.asset)):
            return f"![{escape_marks(block.title)}]({path})"
        case "image" | "audio" | "asset":
            what = {"image": "Image", "audio": "Recording"}.get(block.kind, "File")
            return f"*{what}, not in this file: {escape_marks(block.title)}*"
        case "missing":
            return f"*Image, {block.fault}: {escape_marks(block.title)}*"
        case "sources":
            return "\n".join(
                [f"**{escape_marks(block.title)}**", "", *(f"- {_write_link(link)}" for link in block.links)]
            )
        case _:
            return f"*{escape_marks(block.title)}* {escape_marks(str(block.html))}".strip()


def _write_link(link: Link) -> str:
    number = f"{escape_marks(link.detail)} " if link.detail else ""
    text = escape_marks(link.text)
    return number + (f"[{text}](<{re.sub(r'[<>]', _percent, link.url)}>)" if link.url else text)


def _percent(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"


def _write_damage(damage: Damage, what: str) -> str:
    raw = Block("fold", text=damage.raw, language="json")
    return _fold(f"Damaged {what}: {damage.reason}", _fence(raw)) + "\n"


def _fold(title: str, inside: str) -> str:
    # Viewers that know no such element show its inside.
    text = printable(title).replace("&", "&amp;").replace("<", "&lt;").replace("\n", " ")
    return f"<details>\n<summary>{text}</summary>\n\n{inside}\n\n</details>"


def _fence(block: Block) -> str:
    """Return the code between fences that are longer than any in it."""
    marks = max([3, *(len(found) + 1 for found in re.findall(r"`{3,}", block.text))])
    language = block.language if re.fullmatch(r"[\w+#.-]{1,30}", block.language) else ""
    return f"{'`' * marks}{language}\n{block.text.rstrip(chr(10))}\n{'`' * marks}"


def _close(text: str) -> str:
    """Return Markdown with its last fence closed: an answer that was cut off would make code of all that follows."""
    text = text.strip("\n")
    return f"{text}\n{mark}" if _FENCE.search(text) and (mark := find_open_fence(text)) else text


def _quote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in _close(text).splitlines())
