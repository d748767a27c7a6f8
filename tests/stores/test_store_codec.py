"""Whole stores through the database: what a backup holds goes in through the importer and comes out equal.

Compared is plain `json.loads` of the source with plain `json.loads` of what is dumped.
"""

import json
import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chats.assets import base64_of
from chats.bigagi.asset import ASSETS, stored_bytes, with_base64
from stores.importers.importer import import_file
from stores.importers.options import Options
from stores.models import MigrationRun, Quarantine, Revision
from stores.records import secrets
from stores.records.codecs import is_id
from stores.records.dump import NothingConverted, StoreNotFound, dump_original, dump_store, records_of
from stores.records.jsontext import MAX_DEPTH, encode
from stores.records.quarantine import quarantined_members
from stores.records.registry import collection_of
from tests import strategies as big
from tests.nightly import IS_NIGHT, by_day, settings_for
from tests.stores.imports import single_records, undone, without_copies
from tests.strategies import equal_json, first_difference, nested, to_text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports"), pytest.mark.exhaustive]
# By day always the same ones: a fault that is new in a change is the change's.
in_one_database = settings_for(seconds=0.4, derandomize=not IS_NIGHT)

setups = big.objects({"oaiKey": big.texts, "oaiHost": st.just("https://me:pass@host/?key=1"), "more": big.anything})
services = big.objects({"label": big.texts, "vId": big.texts, "setup": setups}, {"id": big.ids})

STATES: dict[str, dict[str, st.SearchStrategy]] = {
    "app-folders": {"folders": big.members(big.folders), "enableFolders": st.booleans()},
    "app-models": {
        "llms": big.members(big.models, 2),
        "sources": big.members(services, 2),
        "confServiceId": st.none() | big.ids,
        "modelAssignments": big.maps(big.assignments),
    },
    "app-metrics": {"serviceMetrics": big.maps(big.baselines)},
    "agi-client-workspace": {"liveFilesByWorkspace": big.maps(big.workspaces)},
    "agi-live-file": {"liveFiles": big.maps(big.live_files)},
    "app-ui": {"enterToSend": st.booleans(), "preferredLanguage": big.texts},
    "app-ux-labs": {"labsScreenWakeLock": st.booleans()},
    "app-module-unknown": {"apiKey": big.texts, "anything": big.anything},
}
chats = st.one_of(big.conversations, big.old_conversations, big.odd_conversations)
app_chats = big.objects({"state": big.objects({"conversations": big.members(chats, 3)}), "version": big.versions}, {})


@st.composite
def backups(draw: st.DrawFn) -> dict[str, Any]:
    """Make a flash backup of some stores, the chats inside a string, and assets."""
    names = draw(st.lists(st.sampled_from(list(STATES)), unique=True, max_size=4))
    local = {name: draw(big.envelopes(STATES[name])) for name in names}
    local |= draw(
        st.dictionaries(
            st.one_of(big.texts, big.odd_ids.filter(lambda at: isinstance(at, str))), big.anything, max_size=2
        )
    )
    entries = [{"key": "app-chats", "value": to_text(draw(app_chats), indent=draw(st.sampled_from([None, 2])))}]
    tables = {"keyval-store": {"keyval": entries}}
    if draw(st.booleans()):
        images = draw(big.members(big.assets, 3))
        tables["Big-AGI"] = {"largeAssets": [{"key": key_of(image), "value": image} for image in images]}
    return flash_backup(local, tables)


def key_of(image: Any) -> Any:
    return image.get("id", "") if isinstance(image, dict) else ""


def flash_backup(local: Any, tables: Any = None) -> dict[str, Any]:
    storage = {"localStorage": local} | ({} if tables is None else {"indexedDB": tables})
    metadata = {
        "version": "1.2",
        "timestamp": "2026-08-01T10:00:00.000Z",
        "application": "Big-AGI",
        "backupType": "full",
    }
    return {"schema": "vnd.agi.flash-backup", "schemaVersion": 102000, "metadata": metadata, "storage": storage}


def with_chats(value: Any, local: Any = None) -> dict[str, Any]:
    text = value if isinstance(value, str) else to_text(value)
    return flash_backup(local or {}, {"keyval-store": {"keyval": [{"key": "app-chats", "value": text}]}})


def bring_in(folder, text: str):
    """Import the text of a file, which must be accounted for and verified."""
    path = folder / "backup.agi.json"
    path.write_bytes(text.encode())
    progress = import_file(path, Options())
    assert progress.disagreements() == []
    assert progress.run.status == MigrationRun.Status.DONE, progress.errors
    assert progress.certificate["differences"] == 0, progress.certificate["records"]
    return progress


def out(name: str, dump=dump_store) -> Any:
    return json.loads("".join(dump(name, secrets.reveal)))


def assert_equal(source: Any, found: Any, name: str) -> None:
    assert equal_json(source, found), f"{name}: {first_difference(source, found)}"


def assert_store_is_here(name: str, source: Any) -> None:
    """Assert that a store comes out as it came in, equal records of a list once; what was converted, on wish."""
    single = without_copies(name, source)
    try:
        original = out(name, dump_original)
    except NothingConverted:
        assert_equal(single, out(name), name)
    else:
        # Chats are converted one by one, other stores as a whole.
        assert_equal(single if name == "app-chats" else source, original, f"original of {name}")
        out(name)


def assets_out() -> list[Any]:
    """Return the assets with their base64 text, damaged ones in their places."""
    made = []
    for row, record in records_of(ASSETS):
        held = stored_bytes(record)
        whole = with_base64(record, "".join(base64_of(held.sha256))) if held else record
        made.append((row.position, json.loads(encode(secrets.reveal(whole)))))
    for member in quarantined_members(ASSETS.store, ASSETS.key, None):
        raw = json.loads(secrets.show_text(member.raw, secrets.reveal))
        # Of an entry that is none, all is kept; of an asset that cannot be one, the asset.
        is_entry = isinstance(raw, dict) and raw.keys() == {"key", "value"}
        made.append((member.position, raw["value"] if is_entry else with_bytes(raw)))
    return [value for _, value in sorted(made, key=lambda pair: pair[0])]


def with_bytes(raw: Any) -> Any:
    """Return a quarantined asset with its base64 text, where its bytes are a file all the same."""
    data = raw.get("data") if isinstance(raw, dict) else None
    name = str(data.get("base64")) if isinstance(data, dict) else ""
    if re.fullmatch("sha256:[0-9a-f]{64}", name):
        return with_base64(raw, "".join(base64_of(name.removeprefix("sha256:"))))
    return raw


def assert_backup_is_here(source: dict[str, Any]) -> None:
    for name, value in source["storage"]["localStorage"].items():
        if is_id(name):
            assert_store_is_here(name, value)
        else:
            raws = Quarantine.objects.filter(kind="store").values_list("raw", flat=True)
            shown = [json.loads("{" + secrets.show_text(raw, secrets.reveal) + "}") for raw in raws]
            assert any(equal_json(one, {name: value}) for one in shown), name
    tables = source["storage"].get("indexedDB", {})
    for entry in tables.get("keyval-store", {}).get("keyval", []):
        assert_store_is_here("app-chats", json.loads(entry["value"]))
    if "Big-AGI" in tables:
        brought = single_records(collection_of("asset"), [entry["value"] for entry in tables["Big-AGI"]["largeAssets"]])
        assert_equal(brought, assets_out(), "assets")


@in_one_database
@given(backups(), st.sampled_from([None, 2]), st.booleans())
def test_a_backup_comes_back_and_changes_nothing_when_it_comes_again(tmp_path, backup, indent, ascii_only):
    text = to_text(backup, indent=indent, ascii_only=ascii_only)

    with undone():
        bring_in(tmp_path, text)
        assert_backup_is_here(json.loads(text))
        kept = Quarantine.objects.count(), Revision.objects.count()

        progress = bring_in(tmp_path, text)

        assert progress.outcome("created") == progress.outcome("updated") == progress.outcome("skipped") == 0
        assert (Quarantine.objects.count(), Revision.objects.count()) == kept
        assert_backup_is_here(json.loads(text))


# --- what a store can be ---

VALUES = [
    *(
        None,
        5,
        "a bare string",
        "",
        [],
        {},
        True,
        1e22,
        math.inf,
        10**400,
        {"version": 3},
        {"state": None, "version": 4},
    ),
    *({"state": []}, {"state": 5, "version": 5}, {"state": "text"}, {"state": {}}, {"state": {}, "version": 2**63}),
    *({"state": {}, "version": "4"}, {"state": {}, "version": None}, {"state": {}, "version": True, "more": [1]}),
    *({"state": {}, "version": 99}, {"state": {}, "version": -1}, {"state": {}, "version": 1.5}, nested(MAX_DEPTH - 1)),
]


@pytest.mark.parametrize("value", by_day(VALUES, each=2), ids=lambda value: str(value)[:30])
@pytest.mark.parametrize("name", [*by_day(list(STATES), each=3), "joy-unknown", "Big-AGI"])
def test_a_store_of_any_shape_comes_back(tmp_path, name, value):
    text = to_text(flash_backup({name: value}))

    bring_in(tmp_path, text)

    assert_backup_is_here(json.loads(text))


@pytest.mark.parametrize(
    "value", [value for value in VALUES if isinstance(value, dict)], ids=lambda value: str(value)[:30]
)
def test_chats_of_any_shape_come_back(tmp_path, value):
    text = to_text(with_chats(value))

    bring_in(tmp_path, text)

    assert_backup_is_here(json.loads(text))


DAMAGED = [None, 5, "text", [], {}, True, {"id": None}, {"id": "x" * 201}, {"id": "\x00"}, {"id": 5}, 10**400, math.inf]
LISTS = [("app-folders", "folders"), ("app-models", "llms"), ("app-models", "sources")]
MAPS = [
    ("app-models", "modelAssignments"),
    ("app-metrics", "serviceMetrics"),
    ("agi-client-workspace", "liveFilesByWorkspace"),
    ("agi-live-file", "liveFiles"),
]


@pytest.mark.parametrize(("name", "key"), LISTS)
def test_damaged_members_of_a_list_keep_their_places(tmp_path, name, key):
    right = {"id": "right", "conversationIds": ["a", "a", None]}
    members = [DAMAGED[0], right, *DAMAGED[1:], right | {"label": "twice"}, {"id": "last", "conversationIds": []}]
    text = to_text(flash_backup({name: {"state": {key: members}, "version": 5 if name == "app-models" else 0}}))

    progress = bring_in(tmp_path, text)

    assert_backup_is_here(json.loads(text))
    assert progress.outcome("quarantined") == len(DAMAGED) + 1


@pytest.mark.parametrize(("name", "key"), MAPS)
def test_maps_keep_members_under_keys_of_every_kind(tmp_path, name, key):
    keys = ["a", "", "x" * 201, "\x00", "\ud800", "__proto__", "with/slash", "-dash", "é", "😀", " ", "a" * 200]
    held = {at: {"modelId": at} if name != "agi-client-workspace" else [at, at] for at in keys}
    held |= {f"damaged {at}": member for at, member in enumerate(DAMAGED)}
    text = to_text(flash_backup({name: {"state": {key: held, "more": 1}, "version": 5 if name == "app-models" else 0}}))

    bring_in(tmp_path, text)

    assert_backup_is_here(json.loads(text))


@pytest.mark.parametrize(("name", "key"), [*LISTS, *MAPS])
@pytest.mark.parametrize("held", [None, 5, "text", True, "other"])
def test_containers_of_the_wrong_type_come_back(tmp_path, name, key, held):
    odd = ([] if (name, key) in MAPS else {"a": {}}) if held == "other" else held
    text = to_text(flash_backup({name: {"state": {key: odd}, "version": 5 if name == "app-models" else 0}}))

    bring_in(tmp_path, text)

    assert_backup_is_here(json.loads(text))


def test_damaged_chats_and_messages_keep_their_places(tmp_path):
    fragment = {"ft": "content", "fId": "f", "part": {"pt": "text", "text": "hi"}}
    message = {"id": "m", "role": "user", "fragments": [None, fragment, {}, 5, {"ft": None}, fragment]}
    messages = [None, message, *DAMAGED, message | {"role": "assistant"}, {"id": "n", "fragments": None}]
    chat = {"id": "c", "messages": messages, "created": 1}
    listed = [None, chat, *DAMAGED, chat | {"userTitle": "twice"}, {"id": "e", "messages": {}}]
    text = to_text(with_chats({"state": {"conversations": listed}, "version": 4}))

    progress = bring_in(tmp_path, text)

    assert_backup_is_here(json.loads(text))
    assert progress.outcomes["conversation"]["created"] == 2
    assert progress.outcomes["message"]["created"] == 4
    assert progress.outcomes["fragment"]["created"] == 8


def test_chats_that_are_too_deep_or_have_too_long_numbers_are_kept_raw(tmp_path):
    numbers = '{"id":"n","messages":[],"tokenCount":' + "9" * 5000 + "}"
    deep = '{"id":"d","messages":[],"x":' + "[" * 20_000 + "]" * 20_000 + "}"
    chats_text = (
        '{"state":{"conversations":[{"id":"a","messages":[]},'
        + f"{numbers},{deep}"
        + ',{"id":"z","messages":[]}]},"version":4}'
    )

    bring_in(tmp_path, json.dumps(with_chats(chats_text)))

    assert "".join(dump_store("app-chats", secrets.reveal)) == chats_text


def test_a_store_that_is_too_deep_is_kept_raw(tmp_path):
    text = json.dumps(flash_backup({"app-ui": 5, "app-deep": "HERE", "app-other": 7})).replace(
        '"HERE"', "[" * 20_000 + "]" * 20_000
    )

    bring_in(tmp_path, text)

    (kept,) = Quarantine.objects.all()
    assert kept.raw == "[" * 20_000 + "]" * 20_000
    assert kept.is_json
    assert "app-deep" in kept.place
    assert out("app-other") == 7


def test_a_store_that_is_named_twice_is_kept_twice(tmp_path):
    text = json.dumps(
        flash_backup({"app-ui": {"state": {"a": 1}, "version": 3}, "HERE": {"state": {"a": 2}, "version": 3}})
    )

    bring_in(tmp_path, text.replace('"HERE"', '"app-ui"'))

    assert out("app-ui") == {"state": {"a": 1}, "version": 3}
    (kept,) = Quarantine.objects.all()
    assert kept.raw == '"app-ui":{"state": {"a": 2}, "version": 3}'


def test_a_store_of_a_version_that_is_not_known_is_kept_as_it_is(tmp_path):
    states = {
        "app-models": {"llms": [{"id": "a"}], "sources": {"new": "shape"}, "modelAssignments": {"x": {"modelId": "y"}}},
        "app-folders": {"folders": [{"id": "f", "conversationIds": ["c"]}]},
        "app-metrics": {"serviceMetrics": {"openai": {"totalCosts": 1.5}}},
        "app-ui": {"enterToSend": False},
    }
    source = {name: {"state": state, "version": 99} for name, state in states.items()}
    text = json.dumps(flash_backup(source))

    progress = bring_in(tmp_path, text)

    for name, value in source.items():
        assert_equal(value, out(name), name)
        assert any(name in note and "99" in note for note in progress.notes)
        with pytest.raises(NothingConverted):
            dump_original(name)


def test_chats_of_a_version_that_is_not_known_are_still_chats(tmp_path):
    value = {"state": {"conversations": [{"id": "c", "messages": []}], "more": 1}, "version": 99}

    progress = bring_in(tmp_path, json.dumps(with_chats(value)))

    assert out("app-chats") == value
    assert progress.outcomes["conversation"]["created"] == 1
    assert any("app-chats" in note and "99" in note for note in progress.notes)


def test_other_databases_of_the_browser_are_kept(tmp_path):
    entries = [{"key": "app-chats-draft", "value": {"state": {}}}, {"key": "app-chats-v3", "value": "{}"}]
    text = json.dumps(
        flash_backup({}, {"keyval-store": {"keyval": entries}, "Other": {"things": [{"key": "k", "value": 1}]}})
    )

    bring_in(tmp_path, text)

    assert out("keyval-store/keyval/app-chats-draft") == {"state": {}}
    assert out("Other/things/k") == 1
    assert Revision.objects.get(uid="app-chats-v3").body == "{}"
    assert out("app-chats-v3") == {}


@pytest.mark.parametrize(
    "entry", [None, 5, [], {}, {"key": "k"}, {"value": 1}, {"key": 5, "value": 1}, {"key": "k", "value": 1, "x": 2}]
)
@pytest.mark.parametrize(
    ("database", "table"), [("keyval-store", "keyval"), ("Big-AGI", "largeAssets"), ("Other", "t")]
)
def test_a_damaged_entry_of_a_database_is_kept_and_the_rest_goes_on(tmp_path, database, table, entry):
    chats_entry = {"key": "app-chats", "value": '{"state":{"conversations":[{"id":"c","messages":[]}]},"version":4}'}
    tables = {database: {table: [entry]}}
    tables.setdefault("keyval-store", {}).setdefault("keyval", []).append(chats_entry)
    text = json.dumps(flash_backup({}, tables))

    bring_in(tmp_path, text)

    assert out("app-chats") == json.loads(chats_entry["value"])
    whole = isinstance(entry, dict) and entry.keys() >= {"key", "value"} and isinstance(entry["key"], str)
    kept = {"key": "k", "x": 2} if whole and database != "Big-AGI" else entry
    raws = Quarantine.objects.filter(is_json=True).values_list("raw", flat=True)
    assert kept in [json.loads(secrets.show_text(raw, secrets.reveal)) for raw in raws]


def test_a_store_that_is_not_here_is_named(db):
    for dump in (dump_store, dump_original):
        with pytest.raises(StoreNotFound):
            dump("app-nothing")
        with pytest.raises(StoreNotFound):
            dump("Big-AGI")
