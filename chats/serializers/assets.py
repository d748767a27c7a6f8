"""Images and sounds as the API gives and takes them, without their bytes."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from chats.bigagi.asset import ASSETS
from chats.models import Asset
from stores.api.members import AnyMember, IdMember, TextMember
from stores.api.serializers import RecordSerializer, ServerFactsSerializer
from stores.records.ids import href

BASE64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$"
"""Base64 as it is written, with nothing in its unused bits."""


class AssetFactsSerializer(ServerFactsSerializer):
    contentHref = serializers.CharField(allow_null=True, help_text="The address of the bytes; null if there are none.")
    size = serializers.IntegerField(help_text="Length in bytes.")
    sha256 = serializers.CharField(allow_null=True, help_text="SHA-256 of the bytes.")


class AssetSerializer(RecordSerializer):
    """An image or a sound without its bytes (`data.base64`)."""

    collection = ASSETS
    rules = {
        "required": ["data"],
        "properties": {
            "data": {
                "type": "object",
                "required": ["base64"],
                "properties": {"base64": {"type": "string", "contentEncoding": "base64", "pattern": BASE64}},
            }
        },
    }
    id = IdMember(help_text="If missing, one is created.")
    assetType = TextMember()
    label: Any = TextMember()
    data: Any = AnyMember()
    _server = AssetFactsSerializer(read_only=True)

    def load(self, records: Sequence[Asset]) -> list[Any]:
        return [_without_bytes(record) for record in super().load(records)]

    def get_facts(self, records: Sequence[Asset]) -> list[dict[str, Any]]:
        return [
            {
                "href": href("assets", asset.uid),
                "contentHref": href("assets", asset.uid, "content") if asset.sha256 else None,
                "size": asset.size,
                "sha256": asset.sha256,
            }
            for asset in records
        ]


class ListedAssetSerializer(AssetSerializer):
    """An image or a sound without its bytes and without its thumbnail (`cache`)."""

    def load(self, records: Sequence[Asset]) -> list[Any]:
        return [{key: value for key, value in record.items() if key != "cache"} for record in super().load(records)]


def _without_bytes(record: dict[str, Any]) -> dict[str, Any]:
    data = record.get("data")
    if not isinstance(data, dict):
        return record
    return record | {"data": {key: value for key, value in data.items() if key != "base64"}}
