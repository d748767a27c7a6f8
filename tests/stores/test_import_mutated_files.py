"""Hundreds of damaged files: no import breaks down, and what the damage did not touch comes in whole."""

import copy
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chats.models import Asset
from stores.importers.importer import CUT, import_file
from stores.importers.incoming import Refused
from stores.importers.options import Options
from stores.management.commands.import_indexeddb import is_clean
from stores.models import MigrationRun, Store
from stores.records import secrets
from stores.records.dump import records_of
from stores.records.registry import collection_of
from tests import generators
from tests.api import sign_in
from tests.nightly import by_day
from tests.stores.imports import assets_here, dump, typed, undone
from tests.stores.record_ranges import find_records, touched_by
from tests.stores.shown import assert_sentence_is_true, getter

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports"), pytest.mark.exhaustive]

FILES = by_day(
    ("flash", "flash-with-images-no-settings", "all-chats.agi", "flash-compact", "generated", "chat-flags.agi"), each=2
)
BYTES_A_FILE, VALUES_A_FILE = 28, 14
"""At night; by day half of them, others for each file."""

Here = dict[tuple[str, str], str]


# --- files ---


@pytest.fixture(scope="module", params=FILES)
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    name: str = request.param
    if name == "generated":
        path = tmp_path_factory.mktemp("original") / "generated.json"
        generators.write_flash_backup(path, 12, 4, images=2, image_side=8, pretty=True)
        return path.read_bytes()
    path = request.getfixturevalue("real_data") / "exports" / f"{name}.json"
    return _with_small_images(path.read_bytes())


def _with_small_images(content: bytes) -> bytes:
    backup = json.loads(content)
    databases = backup.get("storage", {}).get("indexedDB", {})
    if "Big-AGI" not in databases:
        return content
    for at, entry in enumerate(databases["Big-AGI"]["largeAssets"]):
        small = generators.make_asset(1, at, side=8)["value"]
        entry["value"] |= {"data": small["data"], "cache": {}}
    return generators.encode(backup, indent=2).encode()


# --- what is here ---


def read_here() -> Here:
    """Return the records that are here, each as text."""
    # Not by a dump of all: in that stand damaged chats too, of any depth.
    chats = records_of(collection_of("conversation"))
    here = {("conversation", row.uid): typed(secrets.reveal(chat)) for row, chat in chats}
    here |= {("asset", asset["id"]): typed(asset) for asset in assets_here() if isinstance(asset, dict)}
    for name in Store.objects.values_list("name", flat=True):
        here[("store", name)] = typed(dump(name)) if name != "app-chats" else ""
    return here


def import_bytes(path: Path, content: bytes) -> tuple[int, Here]:
    """Import the bytes; return the exit status that the command would have, and what is here then."""
    path.write_bytes(content)
    with undone():
        try:
            progress = import_file(path, Options())
        except Refused as refusal:
            assert "\n" not in str(refusal)
            assert not MigrationRun.objects.exists() and not Store.objects.exists()
            return 2, {}
        assert progress.run is not None
        assert progress.disagreements() == []
        assert progress.certificate is not None
        assert progress.certificate["differences"] == 0, progress.certificate["records"][:5]
        is_cut = progress.run.blocked_by == CUT
        assert progress.run.status == (MigrationRun.Status.ERROR if is_cut else MigrationRun.Status.DONE), (
            progress.errors
        )
        assert_sentence_is_true(getter(sign_in()), progress.run)
        return (0 if is_clean(progress) else 1), read_here()


def assert_rest_is_whole(undisturbed: Here, here: Here, touched: set[tuple[str, str]], what: str) -> None:
    lost = {
        name: here.get(name, "(absent)")[:200]
        for name, value in undisturbed.items()
        if name not in touched and here.get(name) != value
    }
    assert lost == {}, what


# --- damage to bytes ---


def cut(rng: random.Random, content: bytes) -> tuple[bytes, int, int]:
    place = rng.randrange(1, len(content))
    return content[:place], place, len(content)


def flip_bit(rng: random.Random, content: bytes) -> tuple[bytes, int, int]:
    place = rng.randrange(len(content))
    return _replaced(content, place, bytes([content[place] ^ (1 << rng.randrange(8))]))


def replace_byte(rng: random.Random, content: bytes) -> tuple[bytes, int, int]:
    return _replaced(content, rng.randrange(len(content)), bytes([rng.choice(b'"\\{}[],:0\x00\xff\n')]))


def damage_structure(rng: random.Random, content: bytes) -> tuple[bytes, int, int]:
    places = [place for place, byte in enumerate(content) if byte in b'"\\{}[],:']
    return _replaced(content, rng.choice(places), bytes([rng.choice(b'"\\{}[],: x')]))


def delete_stretch(rng: random.Random, content: bytes) -> tuple[bytes, int, int]:
    place = rng.randrange(len(content))
    end = min(len(content), place + rng.choice((1, 2, 7, 60, 900)))
    return content[:place] + content[end:], place, end


def insert_bytes(rng: random.Random, content: bytes) -> tuple[bytes, int, int]:
    place = rng.randrange(1, len(content))
    new = rng.choice(
        (b'"', b"\\", b"}", b"]", b"{" * 10_000, b"[" * 10_000, b"9" * 5_000, b"\x00", b'","', b"\xed\xa0")
    )
    return content[:place] + new + content[place:], place - 1, place + 1


def _replaced(content: bytes, place: int, new: bytes) -> tuple[bytes, int, int]:
    return content[:place] + new + content[place + 1 :], place, place + 1


BYTE_MUTATIONS: tuple[Callable[[random.Random, bytes], tuple[bytes, int, int]], ...] = (
    *(cut, flip_bit, replace_byte, damage_structure, delete_stretch, insert_bytes),
    damage_structure,
)


def test_damaged_bytes_touch_only_the_records_they_are_in(original: bytes, tmp_path: Path):
    path = tmp_path / "mutated.json"
    status, undisturbed = import_bytes(path, original)
    assert status == 0 and undisturbed
    whole = find_records(original.decode("latin-1"))
    assert whole.records() >= {name for name in undisturbed if name[0] != "store"}
    seen = set()
    for number in by_day(range(BYTES_A_FILE), each=2, start=len(original)):
        rng = random.Random(f"{len(original)}/{number}")
        mutate = BYTE_MUTATIONS[number % len(BYTE_MUTATIONS)]
        content, start, end = mutate(rng, original)
        what = f"{mutate.__name__} {number} at {start}: {original[max(0, start - 40) : end + 40][:120]!r}"
        status, here = import_bytes(path, content)
        seen.add(status)
        if status == 2:
            # Only what cannot be told from another program's file is refused.
            assert start < 400, what
            continue
        assert_rest_is_whole(undisturbed, here, touched_by(whole, start, end), what)
    assert 1 in seen


# --- damage to values ---


HOLE = "hole-9f3a"

VALUES: tuple[tuple[str, str], ...] = (
    ("nested 10,000 deep", "[" * 10_000 + "]" * 10_000),
    ("objects 10,000 deep", '{"a":' * 10_000 + "1" + "}" * 10_000),
    ("a number of 5,000 digits", "7" * 5_000),
    ("a number of 400 digits", "7" * 400),
    ("1e400", "1e400"),
    ("-1e99999", "-1e99999"),
    ("NaN", "NaN"),
    ("null", "null"),
    ("true", "true"),
    ("zero", "0"),
    ("a list", "[]"),
    ("an object", "{}"),
    ("a text", '"text"'),
    ("removed", ""),
)


def test_odd_values_touch_only_the_records_they_are_in(original: bytes, tmp_path: Path):
    path = tmp_path / "mutated.json"
    _, undisturbed = import_bytes(path, original)
    backup = json.loads(original)
    for number in by_day(range(VALUES_A_FILE), each=2, start=len(original)):
        rng = random.Random(f"values/{len(original)}/{number}")
        what, value = VALUES[number % len(VALUES)]
        content, place, touched = put_into(rng, backup, value)
        status, here = import_bytes(path, content)
        assert status in (0, 1), (what, place)
        assert_rest_is_whole(undisturbed, here, touched, f"{what} at {place}")


def put_into(rng: random.Random, backup: Any, value: str) -> tuple[bytes, list[Any], set[tuple[str, str]]]:
    """Put JSON text in the place of some value inside a record or remove it; return the file and what that touched."""
    backup = copy.deepcopy(backup)
    records = _records(backup)
    name, record = rng.choice(records)
    holder, key, place = _choose(rng, record)
    if value:
        holder[key] = HOLE
    else:
        del holder[key]
    storage = backup.get("storage", {})
    for entry in storage.get("indexedDB", {}).get("keyval-store", {}).get("keyval", []):
        # The text of a hole inside the chats' string is escaped as all of that string is.
        entry["value"] = generators.encode(entry["value"]).replace(f'"{HOLE}"', value)
    content = generators.encode(backup).replace(f'"{HOLE}"', value)
    return content.encode(), [*name, *place], {name}


def _records(backup: Any) -> list[tuple[tuple[str, str], Any]]:
    if "storage" not in backup:
        if "messages" in backup:
            return [(("conversation", backup["id"]), backup)]
        return [(("conversation", chat["id"]), chat) for chat in backup["conversations"]]
    records: list[tuple[tuple[str, str], Any]] = []
    databases = backup["storage"].get("indexedDB", {})
    for entry in databases.get("keyval-store", {}).get("keyval", []):
        entry["value"] = json.loads(entry["value"])
        records += [(("conversation", chat["id"]), chat) for chat in entry["value"]["state"]["conversations"]]
    for entry in databases.get("Big-AGI", {}).get("largeAssets", []):
        records.append((("asset", entry["key"]), entry["value"]))
    stores = backup["storage"]["localStorage"].items()
    return records + [(("store", name), value) for name, value in stores if isinstance(value, dict)]


def _choose(rng: random.Random, record: Any) -> tuple[Any, Any, list[Any]]:
    """Return some place inside a record: what holds it, the key there, and the path."""
    holder, place = record, []
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = rng.choice(keys)
        place.append(key)
        if not isinstance(holder[key], dict | list) or not holder[key] or rng.random() < 0.15:
            return holder, key, place
        holder = holder[key]


def test_no_asset_is_left_half_written(data_dir: Path, tmp_path: Path):
    path = tmp_path / "backup.json"
    generators.write_flash_backup(path, 1, 2, images=3, image_side=8)
    content = path.read_bytes()
    place = content.index(b"base64", content.index(b"base64") + 10) + 40
    path.write_bytes(content[:place])
    import_file(path, Options())
    assert Asset.objects.count() == 1
    assert len([file for file in data_dir.glob("assets/**/*") if file.is_file()]) == 1
