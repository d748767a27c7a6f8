"""The images that chats show, in files that go with an export."""

import mimetypes
from collections.abc import Callable, Iterator

from chats.assets import CHUNK, AssetDamaged, AssetMissing, base64_of, open_asset
from chats.fragments import RASTER_TYPES, Block
from chats.models import Asset

FOLDER = "images"

PathOf = Callable[[Asset], str]
"""Returns where an image is found, seen from the chat's file; empty: nowhere."""


def image_name(asset: Asset) -> str:
    """Return the name of the image's file. It is made of its bytes: what two chats show is one file."""
    return f"{(asset.sha256 or '')[:16]}{mimetypes.guess_extension(asset.mime_type or '') or '.bin'}"


def is_image(block: Block) -> bool:
    """Tell whether the block shows an image whose bytes are here."""
    return block.kind == "image" and block.asset is not None and bool(block.asset.sha256)


def read_image(asset: Asset) -> Iterator[bytes]:
    """Yield the image's bytes; none where its file is gone or damaged, which the checks of the stored data tell."""
    try:
        file = open_asset(asset)
    except (AssetMissing, AssetDamaged):
        return
    with file:
        while chunk := file.read(CHUNK):
            yield chunk


def data_url(asset: Asset) -> str:
    """Return the image itself as an address; empty where its file is gone, or a browser might run something of it."""
    if asset.mime_type not in RASTER_TYPES or not asset.sha256:
        return ""
    try:
        return f"data:{asset.mime_type};base64,{''.join(base64_of(asset.sha256))}"
    except AssetMissing:
        return ""
