"""Many chats as one zip, written as it is sent: memory does not grow with the number of chats."""

import time
import zipfile
from collections.abc import Iterable, Iterator, Sequence

from chats.assets import find_assets
from chats.exports.chat_files import FORMATS, file_stem, write_chat
from chats.exports.file_names import Names
from chats.exports.images import FOLDER, ImageFiles, image_name, read_image
from chats.fragments import Block, reference_block
from chats.models import Conversation, Fragment
from chats.rendering import printable
from stores.records.clock import now_ms
from stores.records.iteration import batched
from stores.records.secrets import mask

CHATS = "chats"
_LACKING = "The chats in this export name these files, which are not in it:\n"
_EARLIEST, _LATEST = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)
"""The times that a zip can tell."""


class _Sink:
    """What zipfile writes to: a file without a place in it, from which the bytes are taken."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        return

    def close(self) -> None:
        return

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def write_zip(keys: Sequence[int], names: Sequence[str]) -> Iterator[bytes]:
    """Yield a zip of the chats with these keys as files of the formats `names` in `chats/`, what images they show in
    `images/`, and a list of what they name and the zip lacks. A chat that was deleted meanwhile is left out."""
    sink = _Sink()
    stems, written, files = Names(), set[str](), ImageFiles()
    lacking: list[str] = []
    # A page has its images in itself.
    has_images = any(name != "html" for name in names)
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for key in keys:
            chat = Conversation.objects.filter(pk=key).first()
            if chat is None:
                continue
            stem = stems.take(file_stem(chat))
            for name in names:
                path = f"{CHATS}/{stem}.{FORMATS[name].ending}"
                yield from _add(archive, sink, path, chat.updated, write_chat(chat, name, files))
            lacks = []
            for block in _read_references(chat):
                files.note_fault(block)
                if block.kind in ("missing", "audio", "asset"):
                    lacks.append(f"  {block.title}: {_say_why(block)}\n")
                elif has_images and block.asset and (image := image_name(block.asset)) not in written:
                    written.add(image)
                    yield from _add(archive, sink, f"{FOLDER}/{image}", chat.updated, read_image(block.asset))
            if lacks:
                lacking += [f"\n{CHATS}/{stem}\n", *lacks]
        if lacking:
            text = "".join([_LACKING, *lacking]).encode()
            yield from _add(archive, sink, "missing.txt", now_ms(), [text])
    yield sink.take()


def _add(
    archive: zipfile.ZipFile, sink: _Sink, path: str, changed: int | None, pieces: Iterable[bytes]
) -> Iterator[bytes]:
    info = zipfile.ZipInfo(path, _time_of(changed))
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    with archive.open(info, "w") as file:
        for piece in pieces:
            file.write(piece)
            yield sink.take()
    yield sink.take()


def _time_of(changed: int | None) -> tuple[int, int, int, int, int, int]:
    try:
        moment = time.gmtime((changed or 0) / 1000)
    except (OverflowError, OSError, ValueError):
        return _EARLIEST
    year, month, day, hour, minute, second = moment[:6]
    return min(max((year, month, day, hour, minute, second), _EARLIEST), _LATEST)


def _read_references(chat: Conversation) -> Iterator[Block]:
    """Yield what the chat's messages name: images, recordings and other files, and those that are missing."""
    shown = Fragment.objects.filter(message__conversation=chat, pt__in=("image_ref", "reference"))
    rows = shown.order_by("message__position", "position").values_list("title", "part")
    for some in batched(rows, 200):
        fragments = mask([list(row) for row in some])
        assets = find_assets(part for _, part in fragments)
        for title, part in fragments:
            yield reference_block(printable(title or ""), part if isinstance(part, dict) else {}, assets)


def _say_why(block: Block) -> str:
    if block.kind != "missing":
        return "recordings are not exported." if block.kind == "audio" else "files of this type are not exported."
    if block.asset is None:
        return "the image is not here; it was never imported, or was deleted."
    return {
        "missing": "the image's file is missing here.",
        "damaged": "the image's file is damaged here.",
        "unreadable": "the image's file cannot be read here.",
    }[block.fault]
