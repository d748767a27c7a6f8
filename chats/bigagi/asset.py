"""big-AGI's `largeAssets` in and out of this app's rows (`bigagi-format.md` § 8).

In a record's JSON, as this codec takes and gives it, `data.base64` is `StoredBytes` where the text became a file; text
that is no canonical base64 stays text.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from chats.assets import CHUNK, NotBase64, StoredBytes, check_file, delete_leftovers, describe_files, store_base64
from chats.leftovers import delete_unnamed
from chats.models import Asset
from stores.codecs import Columns, Rows, Unreadable
from stores.table_collections import TableCollection

COLUMNS = Columns(
    Asset,
    {
        "asset_type": "assetType",
        "label": "label",
        "mime_type": "data.mimeType",
        "scope_id": "scopeId",
        "context_id": "contextId",
        "width": "metadata.width",
        "height": "metadata.height",
        "created": "createdAt",
        "updated": "updatedAt",
    },
)


def with_base64(record: dict[str, Any], base64: Any) -> dict[str, Any]:
    """Return the record with this in the place of its bytes."""
    return record | {"data": record["data"] | {"base64": base64}}


def stored_bytes(record: Any) -> StoredBytes | None:
    """Return the bytes of the record, where they became a file."""
    data = record.get("data") if isinstance(record, dict) else None
    base64 = data.get("base64") if isinstance(data, dict) else None
    return base64 if isinstance(base64, StoredBytes) else None


def _named_bytes(record: Any) -> Any:
    held = stored_bytes(record)
    return with_base64(record, f"sha256:{held.sha256}") if held else record


class Assets(TableCollection):
    """The assets are a database of the browser, not a store; `store` and `key` are its names there."""

    store, key, kind, model = "Big-AGI", "largeAssets", "asset", Asset
    columns = COLUMNS

    def to_rows(self, record: Any, uid: str) -> Rows:
        if not isinstance(record, dict):
            raise Unreadable("an asset that is not an object")
        held = stored_bytes(record)
        if held is None:
            rows = super().to_rows(record, uid)
            rows.columns |= {"sha256": None, "size": 0}
            return rows
        rows = super().to_rows(with_base64(record, f"sha256:{held.sha256}"), uid)
        rows.extra["data"] = {key: value for key, value in rows.extra["data"].items() if key != "base64"}
        rows.columns |= {"sha256": held.sha256, "size": held.size}
        return rows

    def load(self, records: Sequence[Any]) -> list[Any]:
        return [
            with_base64({"data": {}} | loaded, StoredBytes(record.sha256, record.size)) if record.sha256 else loaded
            for record, loaded in zip(records, super().load(records), strict=True)
        ]

    def attach(self, record: Any, bytes_file: Path, *, writes: bool) -> Any:
        with bytes_file.open(encoding="utf-8", errors="surrogatepass", newline="") as file:
            try:
                return with_base64(record, store_base64(iter(lambda: file.read(CHUNK), ""), writes=writes))
            except NotBase64:
                file.seek(0)
                return with_base64(record, file.read())

    def attach_text(self, record: Any) -> Any:
        data = record.get("data") if isinstance(record, dict) else None
        text = data.get("base64") if isinstance(data, dict) else None
        if not isinstance(text, str):
            return record
        try:
            return with_base64(record, store_base64([text], writes=False))
        except NotBase64:
            return record

    def find_damage(self, record: Any) -> str:
        held = stored_bytes(record)
        return check_file(held) if held else ""

    def tidy(self) -> None:
        delete_leftovers()
        delete_unnamed()

    def has_damaged_files(self, uid: str) -> bool:
        asset = Asset.objects.filter(uid=uid, sha256__isnull=False).only("sha256", "size").first()
        return asset is not None and bool(check_file(StoredBytes(asset.sha256 or "", asset.size)))

    def file_names(self) -> Iterator[str]:
        names = Asset.objects.exclude(sha256=None).order_by().values_list("sha256", flat=True).distinct()
        yield from (name for name in names.iterator() if name)

    def describe_files(self, names: Iterable[str]) -> dict[str, str]:
        return describe_files(names)

    def is_same(self, one: Any, other: Any) -> bool:
        return super().is_same(_named_bytes(one), _named_bytes(other))

    def text_of(self, record: Any) -> str:
        return super().text_of(_named_bytes(record))

    def as_journaled(self, record: Any) -> Any:
        held = stored_bytes(record)
        if held:
            # An object, since text could be what stood there.
            return with_base64(record, {"sha256": held.sha256, "size": held.size})
        match record:
            case {"data": {"base64": dict(odd)}}:
                return with_base64(record, {"odd": odd})
        return record

    def from_journaled(self, record: Any) -> Any:
        match record:
            case {"data": {"base64": {"sha256": str(sha256), "size": int(size)}}}:
                return with_base64(record, StoredBytes(sha256, size))
            case {"data": {"base64": {"odd": odd}}}:
                return with_base64(record, odd)
        return record


ASSETS = Assets()
