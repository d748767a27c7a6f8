"""Files put together at random from what can be odd in them: the last sentence is true, `verify_migration` agrees, and
the same file once more changes nothing."""

import copy
import json
import random
from pathlib import Path
from typing import Any

import pytest

from stores.importers.report import proof
from stores.models import MigrationRun, Quarantine, Revision
from tests.api import sign_in
from tests.nightly import IS_NIGHT, by_day
from tests.stores.import_cases import chat, encode, flash, image, lines, message
from tests.stores.imports import undone
from tests.stores.shown import assert_sentence_is_true, getter
from tests.stores.test_import_cases import run_verify
from tests.stores.test_import_command import run_import

pytestmark = pytest.mark.any_database

FILES = 1000 if IS_NIGHT else 40
UPDATED = (1_700_000_000_000, 1_600_000_000_000, None, 4_102_444_800_000)
ODD_MESSAGES = (
    None,
    {"id": "x", "role": "user"},
    message("no id"),
    message("an API key: sk-proj-" + "a1B2" * 10),
    {"id": "o", "sender": "You", "role": "user", "text": "old", "created": 1, "updated": 2},
    message("odd fragments", "f") | {"fragments": [None, {"part": 1}]},
)
FOLDERS = (
    None,
    "odd",
    {"folders": [{"id": "f", "title": "F", "conversationIds": ["a", "b"]}], "enableFolders": True},
    {"folders": [{"id": "f", "conversationIds": ["a", "a", 5]}, {"x": 1}]},
)


def make_chat(rng: random.Random) -> Any:
    texts = [f"t{rng.randrange(12)}" for _ in range(rng.randrange(4))]
    times = {"updated": rng.choice(UPDATED), "created": rng.choice([5, 6, 7])}
    made = chat(rng.choice(["a", "a", "b", "c", None, 7, ""]), f"T{rng.randrange(4)}", *texts, **times)
    messages = made["messages"]
    match rng.randrange(16):
        case 0:
            made["messages"] = None
        case 1:
            return rng.choice([None, 5, "x", []])
        case 2:
            return {key: made[key] for key in reversed(made)}
        case 3 if messages:
            del made["systemPurposeId"]
        case 4 if messages:
            messages.append(message("the same id", messages[0]["id"]))
        case 5 | 6 | 7 | 8:
            messages.insert(rng.randrange(len(messages) + 1), rng.choice(ODD_MESSAGES))
    return made


def make_store(rng: random.Random) -> dict[str, Any]:
    chats = [make_chat(rng) for _ in range(rng.randrange(1, 5))]
    if rng.random() < 0.4:
        chats.append(copy.deepcopy(rng.choice(chats)))
    return {"state": {"conversations": chats}, "version": rng.choice([3, 4, 4, 4, 99])}


def make_file(rng: random.Random) -> bytes:
    held = make_store(rng)
    chats = held["state"]["conversations"]
    kind = rng.randrange(8)
    if kind == 0:
        plain = [one for one in chats if isinstance(one, dict) and isinstance(one.get("messages"), list)]
        return lines(*(one | {"systemPurposeId": "Generic"} for one in [*plain, chat("z", "Z", "z")]))
    if kind == 1:
        return encode({"conversations": chats} | ({"folders": rng.choice(FOLDERS)} if rng.random() < 0.5 else {}))
    backup = json.loads(flash([]))
    storage, text = backup["storage"], json.dumps(held)
    value = rng.choice([text, text, held, text + " x", text[:-3], None, "nonsense"])
    entry = {"value": value, "key": "app-chats"} if rng.random() < 0.15 else {"key": "app-chats", "value": value}
    entries = storage["indexedDB"]["keyval-store"]["keyval"] = [entry] if rng.random() < 0.9 else []
    if rng.random() < 0.3:
        older = make_store(rng)
        copied = rng.choice([json.dumps(older), older, json.dumps(older)[:-2], "", None])
        entries.insert(rng.randrange(2), {"key": "app-chats-v3", "value": copied})
    if rng.random() < 0.3:
        older = make_store(rng)
        name = rng.choice(["app-chats", "app-chats", "app-chats-v3"])
        storage["localStorage"][name] = rng.choice([older, json.dumps(older), None, "odd"])
    if rng.random() < 0.25:
        images = [image(rng.choice("ij"), rng.choice("12")) for _ in range(3)]
        storage["indexedDB"]["Big-AGI"] = {"largeAssets": [{"key": one["id"], "value": one} for one in images]}
    if rng.random() < 0.2:
        rng.choice([storage, backup])["unknown"] = {}
    if rng.random() < 0.1:
        del storage["indexedDB"]
    content = encode(backup)
    return content[: rng.randrange(len(content) // 2, len(content))] if rng.random() < 0.12 else content


@pytest.mark.django_db
@pytest.mark.slow
@pytest.mark.parametrize("part", by_day(range(4), each=2))
def test_what_is_said_of_an_odd_file_is_true(part: int, tmp_path: Path, fast_imports: Path):
    path, statuses = tmp_path / "file.json", set()
    for seed in range(part, FILES, 4):
        rng = random.Random(seed)
        with undone():
            for number in range(rng.choice([1, 1, 2])):
                path.write_bytes(make_file(rng))
                wishes = ["--recover"] if rng.random() < 0.3 else []
                status, _, err = run_import(path, *wishes)
                assert status in (0, 1), (seed, err)
                run = MigrationRun.objects.latest("pk")
                told = proof(run)
                assert "Missing" not in told and "differences" not in told, (seed, told)
                if number == 0:
                    assert_sentence_is_true(getter(sign_in()), run)
                kept = Quarantine.objects.count(), Revision.objects.count()
                if not wishes:
                    assert run_verify(path) == status, (seed, told)
                assert run_import(path, *wishes)[0] == status or wishes, (seed, told)
                assert (Quarantine.objects.count(), Revision.objects.count()) == kept, seed
                statuses.add(status)
    assert statuses == {0, 1}
