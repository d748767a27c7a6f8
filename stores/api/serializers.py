"""Records as big-AGI wrote them, with our facts beside, under `_server`."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from stores.collections import Collection


class RecordListSerializer(serializers.ListSerializer[Any]):
    """Many rows, which their serializer's `present` takes all at once."""

    def to_representation(self, data: Any) -> list[Any]:
        # Each serializer that names this one for its lists has `present`.
        child: Any = self.child
        records: list[Any] = child.present(list(data))
        return records


class RecordSerializer(serializers.Serializer[Any]):
    """Writes rows by their collection's codec, a whole page at once. The fields tell the schema what is in it."""

    collection: Collection

    class Meta:
        list_serializer_class = RecordListSerializer

    def present(self, records: Sequence[Any]) -> list[Any]:
        """Return the JSON of the rows, in a number of queries that does not depend on theirs."""
        facts = self.get_facts(records)
        return [json | {"_server": fact} for json, fact in zip(self.load(records), facts, strict=True)]

    def load(self, records: Sequence[Any]) -> list[Any]:
        """Return big-AGI's own JSON of the rows."""
        return self.collection.load(records)

    def get_facts(self, records: Sequence[Any]) -> list[dict[str, Any]]:
        """Return what `_server` has for each row."""
        raise NotImplementedError

    def to_representation(self, instance: Any) -> Any:
        return self.present([instance])[0]


class ServerFactsSerializer(serializers.Serializer[Any]):
    """What is under `_server` in each record; a write ignores it."""

    href = serializers.CharField(help_text="The record's address.")
