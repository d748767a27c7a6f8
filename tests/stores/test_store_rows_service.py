"""Stores whose records are rows: what one file brings beside what another one brought, and keys in odd places."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from chats.models import Asset, Folder
from stores.models import Quarantine
from stores.records import secrets
from tests.stores.imports import assets_here, dump, import_path, write_backup

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports")]

KEY = "sk-proj-aB3dE5fG7hI9jK1lM3nO5pQ7"


def bring_stores(path: Path, **stores: Any):
    named = {name.replace("_", "-"): value for name, value in stores.items()}
    return import_path(write_backup(path, None, stores=named))


def bring_assets(path: Path, assets: list[Any]):
    entries = [{"key": asset["id"], "value": asset} for asset in assets]
    storage = {"localStorage": {}, "indexedDB": {"Big-AGI": {"largeAssets": entries}}}
    path.write_text(json.dumps({"schema": "vnd.agi.flash-backup", "storage": storage}))
    return import_path(path)


def test_records_of_a_second_file_stand_behind_those_of_the_first(tmp_path: Path):
    one, two, three = ({"id": name, "conversationIds": []} for name in "abc")
    bring_stores(tmp_path / "first.json", app_folders={"state": {"folders": [one]}, "version": 0})

    bring_stores(tmp_path / "second.json", app_folders={"state": {"folders": [two, three]}, "version": 0})

    assert list(Folder.objects.values_list("uid", "position")) == [("a", 0), ("b", 1), ("c", 2)]
    assert dump("app-folders")["state"]["folders"] == [one, two, three]


def test_a_file_of_chats_takes_nothing_from_a_store_of_which_it_has_a_part(tmp_path: Path):
    state = {
        "sources": [{"id": "openai"}],
        "llms": [],
        "modelAssignments": {"odd": 5, "fast": {"modelId": "a"}},
        "x": 1,
    }
    bring_stores(tmp_path / "full.json", app_models={"state": state, "version": 5})
    path = tmp_path / "chats.agi.json"
    path.write_text(json.dumps({"conversations": [], "models": {"sources": [{"id": "openai"}, {"id": "groq"}]}}))

    import_path(path)

    expected = state | {"sources": [{"id": "openai"}, {"id": "groq"}]}
    assert dump("app-models") == {"state": expected, "version": 5}


def test_a_file_of_chats_alone_makes_no_part_of_a_store_that_it_does_not_have(tmp_path: Path):
    path = tmp_path / "chats.agi.json"
    path.write_text(json.dumps({"conversations": [], "models": {"sources": [{"id": "openai"}]}}))

    import_path(path)

    assert dump("app-models") == {"state": {"sources": [{"id": "openai"}]}, "version": 5}


def test_text_that_only_should_have_been_base64_is_sealed(tmp_path: Path):
    asset = {"id": "a", "data": {"base64": f"{KEY} is no base64", "mimeType": "image/png"}}

    bring_assets(tmp_path / "assets.json", [asset])

    row = Asset.objects.get()
    assert KEY not in json.dumps(row.extra)
    assert secrets.references_in(row.extra)
    assert assets_here() == [asset]


def test_bytes_whose_base64_looks_like_a_key_stay_bytes(tmp_path: Path):
    text = "AKIAIOSFODNN7EXAMPLE/AIzaSyD1234567890abcdefghijklmnopqrstu/sk=="
    text = base64.b64encode(base64.b64decode(text)).decode()
    asset = {"id": "a", "data": {"base64": text}}

    bring_assets(tmp_path / "assets.json", [asset, asset | {"label": "twice"}])

    row = Asset.objects.get()
    assert row.size == len(base64.b64decode(text))
    assert assets_here() == [asset]
    assert not secrets.references_in(row.extra)
    (kept,) = Quarantine.objects.all()
    assert f"sha256:{row.sha256}" in kept.raw


def test_keys_with_quotes_in_damaged_members_come_back(tmp_path: Path):
    odd = {"apiKey": 'a"b\\c\n\ud800', "id": None}

    bring_stores(tmp_path / "backup.json", app_models={"state": {"sources": [odd]}, "version": 5})

    assert dump("app-models")["state"]["sources"] == [odd]
    assert not Quarantine.objects.filter(raw__contains='a\\"b').exists()
