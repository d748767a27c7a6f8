"""The bytes of images and audio: files named by their SHA-256, written before their rows, checked on read."""

import base64
import binascii
import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings

from chats.models import Asset, Fragment
from chats.plain_titles import without_markdown
from stores.records import asset_files
from stores.records.iteration import batched
from stores.records.private_files import open_private

CHUNK = 3 * 2**18
"""Bytes read at a time; a multiple of 3, so that each chunk is whole base64."""

LABEL = 60
"""Characters of a label by which a damaged file is named."""


class AssetMissing(FileNotFoundError):
    """The file with the bytes is not there."""


class AssetDamaged(OSError):
    """The file's bytes do not match its name."""


class NotBase64(ValueError):
    """Text that is not canonical base64, so that it could not be restored from the bytes."""


@dataclass(frozen=True)
class StoredBytes:
    """Stored bytes that replace a record's base64 text."""

    sha256: str
    size: int


def path_of(sha256: str) -> Path:
    """Return the path of the file with these bytes."""
    return asset_files.path_in(Path(settings.ASSETS_DIR), sha256)


def store_base64(pieces: Iterable[str], *, writes: bool = True) -> StoredBytes:
    """Write the bytes of base64 text given in pieces, or only return the name they would get.

    Raises `NotBase64`; OSError as the disk has it.
    """
    if not writes:
        digest, size = hashlib.sha256(), 0
        for piece in _decoded(pieces):
            digest.update(piece)
            size += len(piece)
        return StoredBytes(digest.hexdigest(), size)
    folder = Path(settings.ASSETS_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    size = 0
    partial = asset_files.new_path(folder)
    try:
        with open_private(partial) as file:
            for piece in _decoded(pieces):
                digest.update(piece)
                size += len(piece)
                file.write(piece)
            file.flush()
            os.fchmod(file.fileno(), asset_files.READ_ONLY)
            os.fsync(file.fileno())
        target = path_of(digest.hexdigest())
        target.parent.mkdir(exist_ok=True)
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return StoredBytes(digest.hexdigest(), size)


def _decoded(pieces: Iterable[str]) -> Iterator[bytes]:
    rest = ""
    ended = False
    for piece in pieces:
        text = rest + piece
        whole = len(text) - len(text) % 4
        text, rest = text[:whole], text[whole:]
        if text:
            if ended:
                raise NotBase64("base64 continues after its end")
            yield _decode_exactly(text)
            ended = text.endswith("=")
    if rest:
        raise NotBase64("the base64 length is not a multiple of four")


def _decode_exactly(text: str) -> bytes:
    try:
        plain = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotBase64(str(error)) from error
    if base64.b64encode(plain).decode("ascii") != text:
        raise NotBase64("the base64 is not canonical")
    return plain


def open_asset(asset: Asset) -> BinaryIO:
    """Open the asset's bytes for reading. Raises `AssetMissing`, and `AssetDamaged` where they are others."""
    path = path_of(asset.sha256 or "")
    if not asset.sha256 or not path.is_file():
        raise AssetMissing(f"the bytes of {asset.uid} are missing from {settings.ASSETS_DIR}")
    file = path.open("rb")
    if hashlib.file_digest(file, "sha256").hexdigest() != asset.sha256:
        file.close()
        raise AssetDamaged(f"the file {path} is damaged: its bytes differ from those that were imported")
    file.seek(0)
    return file


def check_file(stored: StoredBytes) -> str:
    """Read the file of these bytes, and return in words what is wrong with it, or nothing."""
    try:
        with path_of(stored.sha256).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"the file {path_of(stored.sha256)} cannot be read: {error.strerror}"
    return "" if found == stored.sha256 else f"the file {path_of(stored.sha256)} has different bytes"


def base64_of(sha256: str) -> Iterator[str]:
    """Yield the base64 text of stored bytes. Raises `AssetMissing`."""
    try:
        with path_of(sha256).open("rb") as file:
            while chunk := file.read(CHUNK):
                yield base64.b64encode(chunk).decode("ascii")
    except FileNotFoundError as error:
        raise AssetMissing(str(error)) from error


def referenced_ids(part: Any) -> list[str]:
    """Return the ids by which a part names an asset, best first (`bigagi-format.md` § 3)."""
    if not isinstance(part, dict):
        return []
    legacy = part.get("_legacyImageRefPart")
    image = legacy if isinstance(legacy, dict) else part
    data_ref = image.get("dataRef")
    ids = [data_ref.get("dblobAssetId") if isinstance(data_ref, dict) else None, part.get("zUuid")]
    return [uid for uid in ids if isinstance(uid, str)]


def uuid_of(asset_id: str) -> str:
    """Return the uuid that big-AGI derives from an asset's id (`bigagi-format.md` § 3)."""
    folded = bytearray(16)
    for at, character in enumerate(asset_id):
        folded[at % 16] ^= ord(character) & 0xFF
    folded[6] = folded[6] & 0x0F | 0x40
    folded[8] = folded[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(folded)))


def find_assets(parts: Iterable[Any]) -> dict[str, Asset]:
    """Return the assets that parts name, under each id that names them. Ids without an asset are left out."""
    wanted = {uid for part in parts for uid in referenced_ids(part)}
    found = {asset.uid: asset for asset in Asset.objects.filter(uid__in=wanted)}
    if wanted - found.keys():
        by_uuid = {uuid_of(uid): uid for uid in Asset.objects.values_list("uid", flat=True)}
        named = {uid: by_uuid[uid] for uid in wanted - found.keys() if uid in by_uuid}
        more = {asset.uid: asset for asset in Asset.objects.filter(uid__in=named.values())}
        found |= {alias: more[uid] for alias, uid in named.items()}
    return found


def describe_references() -> list[str]:
    """Report how many images referenced by messages are missing, and how many no message references."""
    images = Fragment.objects.filter(pt__in=("image_ref", "reference")).values_list("part", "pt")
    named: set[str] = set()
    missing = 0
    for some in batched(images.iterator(), 500):
        parts = [part | {"pt": pt} for part, pt in some if isinstance(part, dict) and referenced_ids(part)]
        found = find_assets(parts)
        for part in parts:
            assets = [found[uid].uid for uid in referenced_ids(part) if uid in found]
            named.update(assets)
            missing += not assets
    orphans = Asset.objects.filter(scope_id="app-chat").exclude(uid__in=named).count()
    notes = []
    if missing:
        notes.append(f"{missing} image reference{'' if missing == 1 else 's'} in chats without a stored image.")
    if orphans:
        notes.append(f"{orphans} image{'' if orphans == 1 else 's'} not used by any message (kept).")
    return notes


def describe_files(names: Iterable[str]) -> dict[str, str]:
    """Return for files, by name, the label of their asset and the title of a chat that shows it."""
    wanted = set(names)
    assets = {asset.uid: asset for some in batched(wanted, 500) for asset in Asset.objects.filter(sha256__in=some)}
    if not assets:
        return {}
    aliases = {alias: uid for uid in assets for alias in (uid, uuid_of(uid))}
    titles: dict[str, list[str]] = {uid: [] for uid in assets}
    images = Fragment.objects.filter(pt__in=("image_ref", "reference"))
    fields = "part", "message__conversation__user_title", "message__conversation__auto_title"
    for part, user_title, auto_title in images.values_list(*fields).iterator():
        uid = next((aliases[alias] for alias in referenced_ids(part) if alias in aliases), None)
        title = without_markdown(user_title or auto_title or "") or "(untitled)"
        if uid and title not in titles[uid]:
            titles[uid].append(title)
    labels: dict[str, str] = {}
    for uid, asset in assets.items():
        label = f"“{str(asset)[:LABEL]}”"
        if chats := titles[uid]:
            more = f" and {len(chats) - 1} more" if len(chats) > 1 else ""
            label = f"{label} in the chat “{chats[0][:LABEL]}”{more}"
        labels[asset.sha256 or ""] = label
    return labels


def data_url_of(part: Any) -> str | None:
    """Return the image that a part references as a data URL; None if it is missing or not an image."""
    for asset in find_assets([part]).values():
        if not asset.sha256 or not (asset.mime_type or "").startswith("image/"):
            continue
        try:
            text = "".join(base64_of(asset.sha256))
        except AssetMissing:
            continue
        return f"data:{asset.mime_type};base64,{text}"
    return None
