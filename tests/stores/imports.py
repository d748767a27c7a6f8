"""What the tests of imports share: files of small states, and what is here, compared without our reader.

What a file holds is told by plain `json.loads` of all of it, and compared with types: true is not 1, 1 is 1.0.
"""

import base64
import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import transaction

from chats.models import Asset
from stores.importers.importer import CUT, import_file
from stores.importers.options import Options
from stores.importers.run import Progress
from stores.models import ImportedRecord, MigrationRun, Quarantine, Revision, RunRecord, Store
from stores.records import registry, secrets
from stores.records.collections import Collection
from stores.records.dump import dump_store
from tests import generators

JSONObject = dict[str, Any]


def typed(value: Any) -> str:
    """Return text that is the same for values that are equal as JSON."""
    return json.dumps(_whole_floats_as_integers(value), sort_keys=True)


def _whole_floats_as_integers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _whole_floats_as_integers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole_floats_as_integers(item) for item in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


# --- files ---


def stores_of(path: Path) -> JSONObject:
    """Return the stores of a flash backup by name; chats are taken out of their string."""
    storage = json.loads(path.read_bytes())["storage"]
    stores = dict(storage["localStorage"])
    for database, tables in storage.get("indexedDB", {}).items():
        for table, entries in tables.items():
            for entry in entries:
                if entry["key"] == "app-chats":
                    stores["app-chats"] = json.loads(entry["value"])
                elif database == "keyval-store" and entry["key"] != "app-chats-v3":
                    stores[f"{database}/{table}/{entry['key']}"] = entry["value"]
    return stores


def assets_of(path: Path) -> list[Any]:
    """Return the assets of a flash backup."""
    storage = json.loads(path.read_bytes())["storage"]
    entries = storage.get("indexedDB", {}).get("Big-AGI", {}).get("largeAssets", [])
    return [entry["value"] for entry in entries]


def make_chats(count: int = 3, messages: int = 4, seed: int = 1, images: int = 0) -> list[JSONObject]:
    """Return chats in today's shape."""
    return list(generators.make_conversations(count, messages, seed, images, old_every=0))


def write_backup(path: Path, chats: list[JSONObject] | None, **parts: Any) -> Path:
    """Write a flash backup, and return its path."""
    generators.write_backup(path, chats, **parts)
    return path


def continued(chat: JSONObject, text: str = "and on", minutes: int = 1) -> JSONObject:
    """Return the chat with one more message, and a later time."""
    chat = copy.deepcopy(chat)
    now = (chat["updated"] or chat["created"]) + minutes * 60_000
    message = {
        "id": generators.make_id(chat["id"], text, len(chat["messages"])),
        "role": "user",
        "fragments": [{"ft": "content", "fId": "cont0001", "part": {"pt": "text", "text": text}}],
        "tokenCount": 3,
        "created": now,
        "updated": None,
    }
    return chat | {"messages": [*chat["messages"], message], "updated": now}


def bring_in_store(folder: Path, name: str, value: Any) -> None:
    """Import one store, damage and all: only a file that came from elsewhere can bring that."""
    path = folder / f"{name}.json"
    if name == "app-chats":
        write_backup(
            path, None, entries=[{"key": name, "value": generators.encode(value).replace("Infinity", "1e400")}]
        )
    else:
        path.write_text(json.dumps(_backup_of({name: value})), encoding="utf-8")
    import_path(path)


def _backup_of(stores: JSONObject) -> JSONObject:
    metadata = {"version": "1.2", "timestamp": generators.TAKEN_AT, "application": "Big-AGI"}
    return {"schema": "vnd.agi.flash-backup", "metadata": metadata, "storage": {"localStorage": stores}}


def without_copies(name: str, value: Any) -> Any:
    """Return a store without records that stand in one of its lists twice, equal: they are one."""
    state = value.get("state") if isinstance(value, dict) else None
    version = value.get("version") if isinstance(value, dict) else None
    # Of a newer version than is known, a store is kept as it is; chats come one by one.
    is_number = isinstance(version, int | float) and not isinstance(version, bool)
    is_newer = is_number and version > registry.get(name).newest_version and name != "app-chats"
    if not isinstance(state, dict) or is_newer:
        return value
    state = dict(state)
    for collection in registry.get(name).collections:
        if collection.shape == "list" and isinstance(state.get(collection.key), list):
            state[collection.key] = single_records(collection, state[collection.key])
    return value | {"state": state}


def single_records(collection: Collection, records: list[Any]) -> list[Any]:
    """Return the records of a list, each once."""
    single, seen = [], set()
    for record in records:
        uid = collection.identify(record)
        key = (
            typed(record) if uid is not None and collection.is_readable(collection.convert(record, uid)[0], uid) else ""
        )
        if key not in seen or not key:
            single.append(record)
        seen.add(key)
    return single


# --- what is here ---


def dump(name: str) -> Any:
    """Return a store as it is here, with its secrets, out of the text that an export gives."""
    return json.loads("".join(dump_store(name, secrets.reveal)))


def chats_here() -> list[JSONObject]:
    return dump("app-chats")["state"]["conversations"]


def assets_here() -> list[Any]:
    """Return the assets with their base64 text, in their order."""
    from chats.bigagi.asset import ASSETS, stored_bytes, with_base64
    from chats.models import Asset as Row

    found = []
    for row in Row.objects.order_by("position", "pk"):
        (record,) = ASSETS.load([row])
        if stored_bytes(record):
            text = base64.b64encode(asset_path(row).read_bytes()).decode()
            record = with_base64(record, text)
        found.append(secrets.reveal(record))
    return found


def asset_path(asset: Asset) -> Path:
    from chats.assets import path_of

    return path_of(asset.sha256 or "")


def everything_here() -> str:
    """Return text that is the same for databases that hold the same: stores, assets, quarantine and revisions."""
    return typed(
        {
            "stores": {name: dump(name) for name in Store.objects.values_list("name", flat=True)},
            "assets": assets_here(),
            "quarantine": sorted(Quarantine.objects.values_list("store", "kind", "position", "reason", "raw_digest")),
            "revisions": sorted(Revision.objects.values_list("kind", "uid", "reason", "content_hash")),
        }
    )


def assert_all_here(path: Path) -> None:
    """Assert that every store and asset of a flash backup is here, exactly."""
    for name, value in stores_of(path).items():
        assert typed(dump(name)) == typed(value), name
    assert typed(assets_here()) == typed(assets_of(path))


# --- importing ---


def import_path(path: Path, **options: Any) -> Progress:
    """Import a file that must get through: done (unless it is cut), verified, both counts the same."""
    progress = import_file(path, Options(**options))
    assert progress.disagreements() == []
    if progress.run is not None:
        is_cut = progress.run.blocked_by == CUT
        assert progress.run.status == (MigrationRun.Status.ERROR if is_cut else MigrationRun.Status.DONE), (
            progress.errors
        )
        assert progress.certificate is not None and progress.certificate["differences"] == 0
    return progress


def preview_path(path: Path, **options: Any) -> Progress:
    """Preview the import of a file, and keep what it would make of each record."""
    columns = {"purpose": MigrationRun.Purpose.PREVIEW}
    progress = import_file(path, Options(dry_run=True, columns=columns, **options))
    assert progress.disagreements() == []
    assert progress.run is not None and progress.run.status == MigrationRun.Status.DONE, progress.errors
    return progress


def decided_in(run: MigrationRun | None) -> list[Any]:
    """Return what a run made of each record, or would make of it, in the order of the file."""
    columns = ("kind", "uid", "name", "outcome", "reason", "rules", "parts")
    flags = ("is_conflicting", "is_kept_aside", "is_branch")
    return list(RunRecord.objects.filter(run=run).order_by("pk").values_list(*columns, *flags))


def counts_of(progress: Progress, kind: str = "conversation") -> dict[str, int]:
    """Return the outcomes of a kind that are not empty."""
    return {outcome: count for outcome, count in progress.outcomes[kind].items() if count}


@contextmanager
def undone() -> Iterator[None]:
    """Undo all that is written to the database inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def forget_imports() -> None:
    """Make the records here as if nothing had been imported."""
    ImportedRecord.objects.all().delete()
