"""big-AGI's `largeAssets` in and out of this app's rows (`bigagi-format.md` § 8).

In a record's JSON, as this codec takes and gives it, `data.base64` is `StoredBytes` where the text became a file; text
that is no canonical base64 stays text.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from chats.assets import CHUNK, NotBase64, StoredBytes, check_file, describe_files, store_base64
from chats.models import Asset
from chats.orphaned_files import delete_unnamed
from stores.records.asset_files import delete_left_over_files
from stores.records.codecs import Rows, Unreadable
from stores.records.protocols import Files
from stores.records.table_collections import TableCollection


def with_base64(record: dict[str, Any], base64: Any) -> dict[str, Any]:
    """Return the record with this in the place of its bytes."""
    return record | {"data": record["data"] | {"base64": base64}}


def stored_bytes(record: Any) -> StoredBytes | None:
    """Return the bytes of the record, where they became a file."""
    data = record.get("data") if isinstance(record, dict) else None
    base64 = data.get("base64") if isinstance(data, dict) else None
    return base64 if isinstance(base64, StoredBytes) else None


def _named(record: Any) -> Any:
    held = stored_bytes(record)
    return with_base64(record, f"sha256:{held.sha256}") if held else record


def _attach(record: Any, bytes_file: Path, *, writes: bool) -> Any:
    with bytes_file.open(encoding="utf-8", errors="surrogatepass", newline="") as file:
        try:
            return with_base64(record, store_base64(iter(lambda: file.read(CHUNK), ""), writes=writes))
        except NotBase64:
            file.seek(0)
            return with_base64(record, file.read())


def _attach_text(record: Any) -> Any:
    data = record.get("data") if isinstance(record, dict) else None
    text = data.get("base64") if isinstance(data, dict) else None
    if not isinstance(text, str):
        return record
    try:
        return with_base64(record, store_base64([text], writes=False))
    except NotBase64:
        return record


def _find_damage(record: Any) -> str:
    held = stored_bytes(record)
    return check_file(held) if held else ""


def _are_damaged(uid: str) -> bool:
    asset = Asset.objects.filter(uid=uid, sha256__isnull=False).only("sha256", "size").first()
    return asset is not None and bool(check_file(StoredBytes(asset.sha256 or "", asset.size)))


def _names() -> Iterator[str]:
    names = Asset.objects.exclude(sha256=None).order_by().values_list("sha256", flat=True).distinct()
    yield from (name for name in names.iterator() if name)


def _journaled(record: Any) -> Any:
    held = stored_bytes(record)
    if held:
        # An object, since text could be what stood there.
        return with_base64(record, {"sha256": held.sha256, "size": held.size})
    match record:
        case {"data": {"base64": dict(odd)}}:
            return with_base64(record, {"odd": odd})
    return record


def _unjournaled(record: Any) -> Any:
    match record:
        case {"data": {"base64": {"sha256": str(sha256), "size": int(size)}}}:
            return with_base64(record, StoredBytes(sha256, size))
        case {"data": {"base64": {"odd": odd}}}:
            return with_base64(record, odd)
    return record


class Assets(TableCollection):
    """The assets are a database of the browser, not a store; `store` and `key` are its names there."""

    store, key, kind, model = "Big-AGI", "largeAssets", "asset", Asset
    paths = {
        "asset_type": "assetType",
        "label": "label",
        "mime_type": "data.mimeType",
        "scope_id": "scopeId",
        "context_id": "contextId",
        "width": "metadata.width",
        "height": "metadata.height",
        "created": "createdAt",
        "updated": "updatedAt",
    }
    nouns = {"asset": ("image", "images")}
    route = "assets"
    is_long = True
    files = Files(
        path=("data", "base64"),
        attach=_attach,
        attach_text=_attach_text,
        find_damage=_find_damage,
        are_damaged=_are_damaged,
        names=_names,
        describe=describe_files,
        named=_named,
        journaled=_journaled,
        unjournaled=_unjournaled,
    )
    if_absent = 'The file has no images. For a complete backup, tick "Include Binary Images" in big-AGI.'

    def to_rows(self, record: Any, uid: str) -> Rows:
        if not isinstance(record, dict):
            raise Unreadable("an asset that is not an object")
        held = stored_bytes(record)
        if held is None:
            rows = super().to_rows(record, uid)
            rows.columns |= {"sha256": None, "size": 0}
            return rows
        rows = super().to_rows(_named(record), uid)
        rows.extra["data"] = {key: value for key, value in rows.extra["data"].items() if key != "base64"}
        rows.columns |= {"sha256": held.sha256, "size": held.size}
        return rows

    def load(self, records: Sequence[Any]) -> list[Any]:
        return [
            with_base64({"data": {}} | loaded, StoredBytes(record.sha256, record.size)) if record.sha256 else loaded
            for record, loaded in zip(records, super().load(records), strict=True)
        ]

    def tidy(self) -> None:
        delete_left_over_files()
        delete_unnamed()


ASSETS = Assets()
