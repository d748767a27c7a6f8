"""Many chats as one zip, written as it is sent: memory does not grow with the number of chats."""

import time
import zipfile
from collections.abc import Iterable, Iterator, Sequence

from chats.assets import find_assets, path_of
from chats.exports.chat_files import FORMATS, file_stem, write_chat
from chats.exports.file_names import Names
from chats.exports.images import FOLDER, image_name, read_image
from chats.fragments import RASTER_TYPES
from chats.models import Asset, Conversation, Fragment
from stores.records.iteration import batched

CHATS = "chats"
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
    """Yield a zip of the chats with these keys as files of the formats `names` in `chats/`, and what images they show
    in `images/`. A chat that was deleted meanwhile is left out."""
    sink = _Sink()
    stems, written = Names(), set[str]()
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
                yield from _add(archive, sink, path, chat.updated, write_chat(chat, name, _path_of_image))
            for asset in _find_images(chat) if has_images else ():
                if (image := image_name(asset)) not in written:
                    written.add(image)
                    yield from _add(archive, sink, f"{FOLDER}/{image}", chat.updated, read_image(asset))
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


def _find_images(chat: Conversation) -> Iterator[Asset]:
    """Yield the images of the chat whose bytes are here."""
    shown = Fragment.objects.filter(message__conversation=chat, pt__in=("image_ref", "reference"))
    for parts in batched(shown.order_by("message__position", "position").values_list("part", flat=True), 200):
        yield from (asset for asset in find_assets(parts).values() if _is_here(asset))


def _path_of_image(asset: Asset) -> str:
    return f"../{FOLDER}/{image_name(asset)}" if _is_here(asset) else ""


def _is_here(asset: Asset) -> bool:
    return asset.mime_type in RASTER_TYPES and bool(asset.sha256) and path_of(asset.sha256 or "").is_file()
