"""An import that is broken off after any of its transactions, and resumed, ends as one that nothing disturbed: the same
rows, counts, notes, certificate and journal."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from chats.models import Conversation
from chats.services.conversations import delete_chat, replace_chat
from stores.importers import record_importer, record_writer, store_importer, verifier
from stores.importers.report import run_report
from stores.importers.run import RESUMED
from stores.models import Change, ImportedRecord, MigrationRun
from stores.records.journal.recorder import Origin
from tests import generators
from tests.nightly import by_day
from tests.stores.import_cases import chat, encode, flash, image, message
from tests.stores.imports import import_path, undone

pytestmark = [pytest.mark.django_db, pytest.mark.each_database]

APPS = ("stores", "llms", "metrics", "workspace", "chats")
HERE = Origin(Change.Source.API, "")
KEY = "sk-proj-" + "a1B2" * 10
TIMES = {"created_at", "updated_at", "modified_at", "at", "started_at", "finished_at", "lease_until", "pid", "owner"}
ASIDE = {
    "stores.MigrationRun": {"resumed", "checkpoint", "notes"},
    "stores.Change": {"duration_ms"},
    # The key of a row that is named nowhere else.
    "stores.Quarantine": {"owner"},
    "stores.Secret": {"ciphertext"},
    # Names the run by its key.
    "metrics.UsageEvent": {"change"},
}
"""Columns that tell that a run was resumed, or how long it took, or that differ each time."""


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def small_batches(fast_imports: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (record_importer, store_importer):
        monkeypatch.setattr(module, "BATCH_RECORDS", 3)


# --- the file ---


def make_file(folder: Path, name: str, chats: list[Any], **more: Any) -> Path:
    """Write a backup with services, models, folders, metrics, images, a damaged part and copies of older chats."""
    backup = json.loads(flash(chats, copy=more.get("copy")))
    storage = backup["storage"]
    storage["localStorage"] |= generators.make_stores(1, [one["id"] for one in chats[:9] if one], models=8)
    storage["localStorage"] |= more.get("stores", {})
    assets = [image(f"{name}-{at}", "A picture") for at in range(4)] + [image("both", "One"), {"id": 7}]
    storage["indexedDB"]["Big-AGI"] = {"largeAssets": [{"key": one["id"], "value": one} for one in assets]}
    backup["metadata"]["timestamp"] = more.get("taken_at", generators.TAKEN_AT)
    path = folder / f"{name}.json"
    path.write_bytes(encode(backup))
    return path


def prepare(folder: Path) -> Path:
    """Import a file and go on here; return another file, whose chats meet all that can become of a record."""
    old = [chat(f"c{at}", f"Chat {at}", "one", "two") for at in range(6)]
    import_path(make_file(folder, "first", old))
    for uid in ("c1", "c2"):
        held = Conversation.objects.get(uid=uid)
        value = copy.deepcopy(old[int(uid[1])])
        value["messages"].append(message("said here", f"{uid}-here"))
        replace_chat(HERE, held.uid, value)
    delete_chat(HERE, "c3")
    delete_chat(HERE, "c4")
    new = copy.deepcopy(old)
    for at in (0, 1, 2, 3):
        new[at]["messages"] += [message("said there", f"c{at}-there"), message(f"with {KEY}", f"c{at}-key")]
        new[at]["updated"] += 60_000
    metered = message("priced", "priced", "assistant", created=1_700_000_000_000) | {
        "generator": {
            "mgt": "aix",
            "name": "m",
            "aix": {"vId": "openai", "mId": "openai-gpt-0"},
            "metrics": {"TIn": 10, "TOut": 5, "$c": 1.5},
        }
    }
    more = [chat(f"n{at}", f"New {at}", "three", "four") for at in range(6)]
    more[2]["messages"].append(metered)
    more[4]["messages"].append(metered | {"id": "priced-2", "created": 1_700_000_001_000})
    twin = chat("n0", "Twin", "another")
    damaged = chat("n9", "Damaged", "five")
    damaged["messages"].append(None)
    found = {"id": "v3", "messages": [message("of old", "of-old")], "systemPurposeId": "Generic", "created": 1}
    longer = copy.deepcopy(more[1])
    longer["messages"].append(message("only in the copy", "only-copy"))
    models = generators.make_stores(2, models=16)["app-models"]
    models["state"]["sources"].append(
        {"id": "marked", "label": "Marked", "vId": "openai", "setup": {"oaiKey": "bigagi-secret:abcd"}}
    )
    return make_file(
        folder,
        "second",
        [*new, *more, twin, damaged, None, 5, *more[:1]],
        copy=[found, longer, *old],
        stores={"app-models": models, "app-ux-labs": {"state": {}, "version": 99}, "odd": {"state": {"k": KEY}}},
        taken_at="2027-01-01T00:00:00.000Z",
    )


# --- what came of it ---


def read_tables() -> dict[str, list[dict[str, Any]]]:
    """Return all rows, without times. Their keys are told by their order: PostgreSQL leaves some out."""
    kinds = [model for app in APPS for model in apps.get_app_config(app).get_models()]
    keys = {kind: list(kind._default_manager.order_by("pk").values_list("pk", flat=True)) for kind in kinds}
    ranks = {kind: {key: rank for rank, key in enumerate(keys[kind])} for kind in kinds}
    found = {}
    for kind in kinds:
        aside = TIMES | ASIDE.get(kind._meta.label, set())
        fields = [field for field in kind._meta.concrete_fields if field.attname not in aside]
        rows = kind._default_manager.order_by("pk").values_list(*(field.attname for field in fields))
        found[kind._meta.label] = [
            {field.attname: _comparable(field, value, ranks) for field, value in zip(fields, row, strict=True)}
            for row in rows
        ]
    return found


def _comparable(field: Any, value: Any, ranks: dict[Any, dict[Any, int]]) -> Any:
    if field.primary_key:
        return ranks[field.model][value]
    if field.is_relation and field.related_model in ranks:
        return ranks[field.related_model].get(value)
    if isinstance(value, memoryview):
        return bytes(value)
    is_log = field.attname == "errors" and isinstance(value, list)
    return _without_times(value) if is_log else value


def _without_times(errors: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: text for name, text in error.items() if name != "at"} for error in errors]


def read_report() -> dict[str, Any]:
    run = MigrationRun.objects.latest("pk")
    report = run_report(run)
    for name in ("id", "started_at", "finished_at", "duration"):
        del report[name]
    report["errors"] = _without_times(report["errors"])
    report["notes"] = sorted(note for note in report["notes"] if not note.startswith(RESUMED))
    return report


# --- breaking it off ---


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Let the process end after so many transactions. Yields how many are left, and how many there were."""
    held = [-1, 0]

    def tick() -> None:
        held[1] += 1
        held[0] -= 1
        if held[0] == 0:
            raise Killed

    def ticking(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def work(*args: Any, **kwargs: Any) -> Any:
            found = real(*args, **kwargs)
            tick()
            return found

        monkeypatch.setattr(owner, name, work)

    ticking(record_writer.RecordWriter, "write")
    ticking(record_writer.RecordWriter, "quarantine")
    ticking(record_writer.RecordWriter, "take_order")
    ticking(record_writer.RecordWriter, "place_branches")
    ticking(record_importer, "keep_revisions")
    ticking(verifier.Verification, "run")
    ticking(verifier.Verification, "mark_verified")
    yield held


def compare(path: Path, ticks: list[int], each: int, **options: Any) -> None:
    """Import the file undisturbed, and then from the same beginning again, broken off after other transactions."""
    with undone():
        ticks[:] = [-1, 0]
        import_path(path, **options)
        expected, report, count = read_tables(), read_report(), ticks[1]
    for at in by_day(range(1, count + 1), each=each, start=count % each):
        with undone():
            ticks[0] = at
            with pytest.raises(Killed):
                import_path(path, **options)
            ticks[0] = -1
            progress = import_path(path, **options)
            assert progress.run is not None and progress.run.resumed == 1
            assert read_report() == report, at
            for label, rows in read_tables().items():
                assert rows == expected[label], (at, label)


@pytest.mark.slow
def test_a_run_that_is_resumed_ends_as_if_nothing_had_disturbed_it(tmp_path: Path, ticks: list[int]):
    compare(prepare(tmp_path), ticks, 17, recover=True)


@pytest.mark.slow
def test_so_does_one_that_brings_nothing_new(tmp_path: Path, ticks: list[int]):
    path = make_file(tmp_path, "same", [chat(f"c{at}", f"Chat {at}", "one") for at in range(6)])
    import_path(path)
    compare(path, ticks, 9)
    # No verification has looked at what is here now.
    ImportedRecord.objects.update(is_verified=False)
    compare(path, ticks, 9)


@pytest.mark.slow
@pytest.mark.real_data
def test_so_does_one_of_a_file_of_big_agi(real_data: Path, ticks: list[int]):
    compare(real_data / "exports" / "flash-with-images.json", ticks, 9)
