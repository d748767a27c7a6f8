"""The images that chats show, in files that go with an export."""

import mimetypes
from collections.abc import Iterable, Iterator

from chats.assets import CHUNK, AssetDamaged, AssetMissing, base64_of, open_asset
from chats.fragments import Block
from chats.models import Asset
from chats.transcript import Damage, Turn

FOLDER = "images"


class ImageFiles:
    """Where an export has its images, and what is wrong with their files here, of which each is checked once."""

    def __init__(self) -> None:
        self._faults: dict[str, str] = {}

    def path_of(self, asset: Asset) -> str:
        """Return where the image is, seen from a chat's file."""
        return f"../{FOLDER}/{image_name(asset)}"

    def note_fault(self, block: Block) -> None:
        """Make a block of an image whose file cannot be exported one of a missing image."""
        if block.kind != "image" or block.asset is None:
            return
        sha256 = block.asset.sha256 or ""
        if sha256 not in self._faults:
            self._faults[sha256] = _find_fault(block.asset)
        if fault := self._faults[sha256]:
            block.kind, block.fault = "missing", fault

    def note_faults(self, items: Iterable[Turn | Damage]) -> Iterator[Turn | Damage]:
        """Yield the messages, in which each image that cannot be exported says so."""
        for item in items:
            for block in item.blocks if isinstance(item, Turn) else ():
                if isinstance(block, Block):
                    self.note_fault(block)
            yield item


def _find_fault(asset: Asset) -> str:
    try:
        open_asset(asset).close()
    except AssetMissing:
        return "missing"
    except AssetDamaged:
        return "damaged"
    except OSError:
        return "unreadable"
    return ""


def image_name(asset: Asset) -> str:
    """Return the name of the image's file. It is made of its bytes: what two chats show is one file."""
    return f"{(asset.sha256 or '')[:16]}{mimetypes.guess_extension(asset.mime_type or '') or '.bin'}"


def read_image(asset: Asset) -> Iterator[bytes]:
    """Yield the image's bytes. Raises `AssetMissing` and `AssetDamaged`: an export that breaks off is not whole."""
    with open_asset(asset) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def data_url(asset: Asset) -> str:
    """Return the image itself as an address. Raises `AssetMissing`."""
    return f"data:{asset.mime_type};base64,{''.join(base64_of(asset.sha256 or ''))}"
