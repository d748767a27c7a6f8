"""The README's recipe for a store of one's own, followed to the letter."""

import json
import re
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import connection, models
from hypothesis import given
from hypothesis import strategies as st

from stores.importers.importer import import_file
from stores.importers.options import Options
from stores.models import Record
from stores.records import registry
from stores.records.dump import dump_store
from stores.records.secrets import reveal
from tests.codecs import assert_came_back, read
from tests.generators import write_backup
from tests.servers import REPOSITORY
from tests.strategies import objects, texts
from workspace import models as workspace_models


@pytest.fixture(scope="module")
def recipe() -> Iterator[types.SimpleNamespace]:
    """Run the README's code, with a model as it asks for, which no other test is to see."""
    section = (REPOSITORY / "README.md").read_text().partition("### Add a store")[2]
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert code

    class Note(Record):
        title = models.TextField(null=True)
        content = models.TextField(null=True)
        position = models.BigIntegerField()

        class Meta:
            app_label = "workspace"

    workspace_models.Note = Note
    names: dict[str, object] = {}
    try:
        exec(code[1], names)
        yield types.SimpleNamespace(Note=Note, Notes=names["Notes"], AGI_NOTES=names["AGI_NOTES"])
    finally:
        del workspace_models.Note
        del apps.all_models["workspace"]["note"]
        apps.clear_cache()


@pytest.fixture
def registered(recipe, transactional_db) -> Iterator[registry.StoreSpec]:
    """Register the store, with its table."""
    with connection.schema_editor() as editor:
        editor.create_model(recipe.Note)
    registry.register(recipe.AGI_NOTES)
    try:
        yield recipe.AGI_NOTES
    finally:
        del registry._specs["agi-notes"]
        with connection.schema_editor() as editor:
            editor.delete_model(recipe.Note)


@pytest.fixture(scope="module")
def notes(recipe):
    return recipe.Notes()


@given(record=objects({"title": texts, "body": objects({"text": texts})}, {"id": st.just("n1")}))
def test_any_note_comes_back(notes, record):
    value = read(record)
    rows = notes.to_rows(value, "n1")
    assert_came_back(value, notes.to_json(rows.uid, rows.columns, rows.extra))


def test_a_store_of_ones_own_is_imported_converted_and_dumped(registered, recipe, tmp_path: Path):
    """Old version, damaged member and unknown key included; the counts know the new kind."""
    members = [{"id": "a", "title": "A", "body": {"text": "x", "y": None}}, None, {"id": "b", "title": 7, "z": [1.5]}]
    path = tmp_path / "backup.json"
    write_backup(path, None, stores={"agi-notes": {"state": {"list": members}}})

    progress = import_file(path, Options())

    assert progress.counts["note"]["created"] == 2
    assert progress.counts["note"]["quarantined"] == 1
    assert list(recipe.Note.objects.values_list("uid", "title", "content")) == [("a", "A", "x"), ("b", None, None)]
    dumped = json.loads("".join(dump_store("agi-notes", reveal)))
    assert dumped == {"state": {"notes": members}, "version": 1}
    assert progress.certificate and progress.certificate["differences"] == 0


def test_a_name_can_be_registered_once(registered):
    with pytest.raises(ValueError, match="already registered"):
        registry.register(registered)
