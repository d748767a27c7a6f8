"""The stores that a parser finds: their lists and maps of records, and what is left over of them."""

from typing import Any

from stores.importers.decision import Candidate
from stores.importers.items import StoreItem
from stores.importers.record_importer import BATCH_RECORDS, RecordImporter
from stores.importers.record_writer import OTHER
from stores.models import Store
from stores.records import jsontext, registry
from stores.records.codecs import Damaged, is_id
from stores.records.collections import Collection
from stores.records.envelope import Envelope, close_envelope, open_envelope
from stores.records.iteration import batched
from stores.records.opaque_stores import OPAQUE_STORES
from stores.records.sealing import may_hold_secrets


class StoreImporter:
    """Takes whole stores."""

    def __init__(self, records: RecordImporter) -> None:
        self.records = records
        self.writer = records.writer
        self.progress = records.progress

    def take(self, item: StoreItem) -> None:
        """Write a store, or what is left of one whose records came one by one."""
        self.progress.count_read("store")
        spec = registry.get(item.name)
        self.progress.enter(spec.phase)
        if not is_id(item.name):
            self._quarantine_store(item, "a store with an invalid name")
            return
        if self.writer.note_seen("store", item.name, jsontext.digest(item.text)) == OTHER:
            self._quarantine_store(item, "a store with a duplicate name")
            return
        sealer = self.writer.sealer
        value = sealer.seal(item.value, item.name) if may_hold_secrets(f'"{item.name}":{item.text}') else item.value
        digest = jsontext.content_hash(value)
        envelope = open_envelope(value)
        if (
            envelope.version is not None
            and envelope.version > spec.newest_version
            and registry.is_registered(item.name)
        ):
            self.progress.note(
                f"{item.name} has version {envelope.version}, newer than the newest known ({spec.newest_version}), so "
                "it is kept unchanged"
            )
            if not item.is_left_over:
                self._write_whole(item.name, value, digest, [])
                return
        originals: list[Any] = []
        if not item.is_partial:
            value, originals = OPAQUE_STORES.convert(value, item.name)
        if not item.is_left_over:
            value = self._take_collections(spec, value)
        self._write_whole(item.name, value, digest, originals, is_partial=item.is_partial)

    def _take_collections(self, spec: registry.StoreSpec, value: Any) -> Any:
        """Write the store's lists and maps of records, and return what is left over of it."""
        envelope = open_envelope(value)
        if envelope.shape == Store.Shape.VALUE or not isinstance(envelope.data, dict):
            return value
        state = dict(envelope.data)
        for collection in spec.collections:
            held = state.get(collection.key)
            if collection.shape == "list" and isinstance(held, list):
                state[collection.key] = []
                self._write_members(collection, [(at, None, member) for at, member in enumerate(held)])
            elif collection.shape == "map" and isinstance(held, dict):
                state[collection.key] = self._take_map(collection, held)
        return close_envelope(Envelope(envelope.shape, state, envelope.version, envelope.extra))

    def _take_map(self, collection: Collection, held: dict[str, Any]) -> dict[str, Any]:
        """Write the map's records; return the members that no row can hold, which stay where they are."""
        left: dict[str, Any] = {}
        members: list[tuple[int, str | None, Any]] = []
        for uid, member in held.items():
            if is_id(uid) and collection.is_readable(member, uid):
                members.append((0, uid, member))
            else:
                left[uid] = member
        self._write_members(collection, members)
        return left

    def _write_members(self, collection: Collection, members: list[tuple[int, str | None, Any]]) -> None:
        uids: list[str] = []
        for some in batched(members, BATCH_RECORDS):
            candidates = []
            for at, uid, member in some:
                self.progress.count_read(collection.kind)
                for kind, count in collection.parts.count(member).items():
                    self.progress.count_read(kind, count)
                digest, value = jsontext.content_hash(member), self.writer.branches.follow(collection, member)
                candidate = self.records.candidate(collection, value, at, digest, uid)
                if candidate is not None:
                    candidates.append(candidate)
            self.writer.write(collection, candidates)
            uids += [candidate.uid for candidate in candidates]
        if collection.lists.kind:
            self.writer.take_order(collection, uids)

    def _write_whole(
        self, name: str, value: Any, digest: str, originals: list[Any], *, is_partial: bool = False
    ) -> None:
        if is_partial:
            value = self._completed(name, value)
        rows = OPAQUE_STORES.to_rows(value, name)
        self.writer.write(OPAQUE_STORES, [Candidate(name, 0, digest, value, rows, originals, {})])

    @staticmethod
    def _completed(name: str, value: Any) -> Any:
        """Return what an export of chats carries of a store, with the rest of it that is here."""
        store = Store.objects.filter(name=name).first()
        if store is None:
            return value | {"version": registry.get(name).newest_version}
        stored = OPAQUE_STORES.load([store])[0]
        if not isinstance(stored, dict) or not isinstance(stored.get("state"), dict):
            return stored
        return stored | {"state": stored["state"] | value["state"]}

    def _quarantine_store(self, item: StoreItem, reason: str) -> None:
        raw = self.writer.sealer.seal_text(f"{jsontext.encode(item.name)}:{item.text}")
        damaged = Damaged("localStorage", 0, "store", reason, raw, is_json=False, uid=item.name, place=item.name[:200])
        self.writer.quarantine(item.name[:200] if is_id(item.name) else "?", [damaged])
