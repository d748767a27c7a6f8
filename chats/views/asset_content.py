"""The bytes of an asset over HTTP, served so that they are safe to display."""

import mimetypes
import re
from collections.abc import Iterator
from typing import BinaryIO

from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from chats.assets import AssetDamaged, AssetMissing, open_asset
from chats.models import Asset
from stores.api.concurrency import is_known, not_modified
from stores.api.problems import Problem
from stores.api.streaming import CHUNK, stream

INLINE = re.compile(r"image/(?:png|jpeg|gif|webp|avif)|audio/[a-z0-9.+-]+")
"""Types that a browser shows without running anything; SVG and HTML are not among them."""

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox",
    "Cache-Control": "private, max-age=31536000, immutable",
    "Accept-Ranges": "bytes",
}

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def answer_content(request: Request, asset: Asset) -> HttpResponseBase:
    """Return the asset's bytes, or the range of them that was asked for. Raises `NotFound` and `Problem`."""
    etag = f'"{asset.sha256}"'
    if asset.sha256 and is_known(request, etag):
        return not_modified(etag)
    try:
        file = open_asset(asset)
    except AssetMissing as error:
        raise NotFound("This asset has no stored bytes. Import a backup that was made with images.") from error
    except AssetDamaged as error:
        raise Problem(
            500,
            "The file of this asset is damaged. Take a good copy from a backup: uv run manage.py check_data --repair",
            kind="asset-damaged",
        ) from error
    mime_type = (asset.mime_type or "").lower()
    inline = INLINE.fullmatch(mime_type) is not None
    content_type = mime_type if inline else "application/octet-stream"
    filename = f"{(asset.sha256 or '')[:16]}{mimetypes.guess_extension(content_type) or '.bin'}"
    headers = HEADERS | {"ETag": etag, "Content-Disposition": content_disposition_header(not inline, filename) or ""}
    wanted = _wanted_range(request, etag, asset.size)
    if wanted is None:
        start, length, status = 0, asset.size, 200
    else:
        start, length, status = wanted.start, len(wanted), 206
        if not wanted:
            file.close()
            beyond = {"Content-Range": f"bytes */{asset.size}"}
            raise Problem(416, f"The range must start within the {asset.size} bytes of this asset.", headers=beyond)
        headers["Content-Range"] = f"bytes {wanted.start}-{wanted.stop - 1}/{asset.size}"
    headers["Content-Length"] = str(length)
    return stream(request, _read(file, start, length), status=status, content_type=content_type, headers=headers)


def _wanted_range(request: Request, etag: str, size: int) -> range | None:
    """Return the bytes asked for, empty where there are none such, or None for all (RFC 9110, § 14)."""
    match = _RANGE.fullmatch(request.headers.get("Range", ""))
    if match is None or match.group(1) == match.group(2) == "" or request.headers.get("If-Range", etag) != etag:
        return None
    first, last = match.groups()
    if not first:
        return range(max(size - int(last), 0), size)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1 if last else size, size))


def _read(file: BinaryIO, start: int, length: int) -> Iterator[bytes]:
    with file:
        file.seek(start)
        while length > 0 and (chunk := file.read(min(CHUNK, length))):
            length -= len(chunk)
            yield chunk
