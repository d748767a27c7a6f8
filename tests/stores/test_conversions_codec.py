"""Old versions of stores, brought to the newest; the originals are kept, and come out on wish."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command

from stores.models import Revision
from stores.records import registry, secrets
from stores.records.conversions import APP_UI, APP_UX_LABS
from stores.records.dump import NothingConverted, dump_original
from tests.stores.imports import dump, import_path
from tests.strategies import equal_json, first_difference

UI = {"preferredLanguage": "de-DE", "unknown": [1]}


@pytest.mark.parametrize("version", [0, None])
@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ({"enterToSend": False}, True),
        ({"enterToSend": True}, False),
        ({}, False),
        ({"enterToSend": None}, False),
        ({"enterToSend": 0}, False),
        ({"enterToSend": "false"}, False),
    ],
)
def test_only_an_explicit_false_makes_enter_a_new_line(before, expected, version):
    state, reached = registry.convert(APP_UI, UI | before, version)

    assert reached == 3
    assert state == UI | {
        "enterIsNewline": expected,
        "contentScaling": "sm",
        "doubleClickToEdit": False,
        "centerMode": "full",
    }


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (1, {"enterToSend": False, "contentScaling": "sm", "doubleClickToEdit": False, "centerMode": "full"}),
        (2, {"enterToSend": False, "contentScaling": "md", "doubleClickToEdit": True, "centerMode": "full"}),
        (3, {"enterToSend": False, "contentScaling": "md", "doubleClickToEdit": True, "centerMode": "narrow"}),
        (4, {"enterToSend": False, "contentScaling": "md", "doubleClickToEdit": True, "centerMode": "narrow"}),
    ],
)
def test_a_version_gets_only_the_steps_that_it_lacks(version, expected):
    before = {"enterToSend": False, "contentScaling": "md", "doubleClickToEdit": True, "centerMode": "narrow"}

    state, reached = registry.convert(APP_UI, before, version)

    assert state == expected
    assert reached == max(3, version)
    assert before["contentScaling"] == "md"


def test_labs_keep_their_shape():
    assert registry.convert(APP_UX_LABS, {"labsScreenWakeLock": True}, 0) == ({"labsScreenWakeLock": True}, 1)


def test_old_stores_are_registered():
    assert registry.get("app-ui") is APP_UI
    assert registry.get("app-ux-labs") is APP_UX_LABS


# --- through an import ---

OLD_MESSAGES = [
    {"id": "m1", "role": "user", "text": "Hello", "sender": "You", "avatar": None, "typing": False, "created": 1},
    {"role": "assistant", "text": "Hi", "sender": "Bot", "originLLM": "gpt-4", "metadata": {"inReplyToText": "Hello"}},
    {"id": "m3", "role": "user", "fragments": [{"ft": "content", "fId": "f", "part": {"pt": "text", "text": "new"}}]},
    {"id": "m1", "role": "user", "text": "the same id again"},
    {"id": None, "role": "user", "text": "no id"},
    {"id": "m6/x", "role": "user", "text": "my key is sk-proj-aB3dE5fG7hI9jK1lM3nO5pQ7"},
    None,
]
STORES = {
    "app-ui": {"state": {"enterToSend": False}, "version": 0},
    "app-ux-labs": {"state": {"labsHighPerformance": True}},
    "app-models": {
        "state": {
            "llms": [{"id": "openai-gpt-4", "contextTokens": 8192, "options": {"llmRef": "gpt-4"}}, None],
            "sources": [{"id": "openai", "vId": "openai", "setup": {"oaiKey": "sk-of-an-old-time-1234567890"}}],
            "chatLLMId": "openai-gpt-4",
        },
        "version": 2,
    },
}
CHATS = {
    "state": {
        "conversations": [
            {"id": "c1", "messages": OLD_MESSAGES, "created": 1},
            {"id": "c2", "messages": [OLD_MESSAGES[2]], "created": 2},
            {"id": "c1", "messages": [OLD_MESSAGES[0]]},
            {"id": "c1/m6", "messages": [{"id": "x", "text": "joins to the same place"}]},
        ],
        "more": 1,
    },
    "version": 3,
}


@pytest.fixture
def imported(tmp_path: Path, fast_imports: Path, db: None) -> Path:
    entries = [{"key": "app-chats", "value": json.dumps(CHATS)}]
    storage = {"localStorage": STORES, "indexedDB": {"keyval-store": {"keyval": entries}}}
    path = tmp_path / "old.agi.json"
    metadata = {"version": "1.2", "timestamp": "2024-01-01", "application": "Big-AGI"}
    path.write_text(json.dumps({"schema": "vnd.agi.flash-backup", "metadata": metadata, "storage": storage}))
    import_path(path)
    return path


def original(name: str):
    return json.loads("".join(dump_original(name, secrets.reveal)))


@pytest.mark.parametrize("name", [*STORES, "app-chats"])
def test_the_original_comes_out_on_wish(imported: Path, name: str):
    source = CHATS if name == "app-chats" else STORES[name]

    assert equal_json(source, original(name)), first_difference(source, original(name))


def test_the_newest_version_comes_out_otherwise(imported: Path):
    assert dump("app-ui")["version"] == 3
    assert dump("app-ui")["state"]["enterIsNewline"] is True
    assert dump("app-ux-labs") == {"state": {"labsHighPerformance": True}, "version": 1}
    models = dump("app-models")
    assert (models["version"], models["state"]["modelAssignments"]) == (5, {})
    assert models["state"]["llms"][0]["initialParameters"] == {"llmRef": "gpt-4"}
    chats = dump("app-chats")
    assert (chats["version"], chats["state"]["more"]) == (4, 1)
    first = chats["state"]["conversations"][0]["messages"]
    assert [message and message.keys() >= {"fragments"} for message in first] == [
        True,
        True,
        True,
        True,
        True,
        True,
        None,
    ]


def test_originals_hold_references_in_the_place_of_keys(imported: Path):
    bodies = list(Revision.objects.filter(reason="original").values_list("body", flat=True))

    assert len(bodies) == 3 + 1 + 7
    assert not any("sk-" in body for body in bodies)
    assert "sk-" not in "".join(dump_original("app-models")) + "".join(dump_original("app-chats"))


def test_a_second_import_keeps_nothing_twice(imported: Path):
    before = Revision.objects.count()

    progress = import_path(imported)

    assert progress.outcome("created") == progress.outcome("updated") == 0
    assert Revision.objects.count() == before
    assert equal_json(CHATS, original("app-chats"))


def test_converting_again_gives_the_same_ids(imported: Path):
    before = dump("app-chats")
    path = imported.with_name("again.agi.json")
    path.write_text(imported.read_text().replace('"timestamp": "2024-01-01"', '"timestamp": "2024-01-02"'))

    import_path(path)

    assert dump("app-chats") == before


def test_what_was_not_converted_has_no_original(tmp_path: Path, fast_imports: Path, db: None):
    path = tmp_path / "new.agi.json"
    store = {"state": {"enterIsNewline": True}, "version": 3}
    path.write_text(json.dumps({"schema": "vnd.agi.flash-backup", "storage": {"localStorage": {"app-ui": store}}}))
    import_path(path)

    with pytest.raises(NothingConverted):
        dump_original("app-ui")
    assert dump("app-ui") == store


def test_originals_are_streamed(imported: Path, django_assert_max_num_queries):
    pieces = dump_original("app-chats")

    assert len(next(pieces)) < 100
    with django_assert_max_num_queries(30):
        assert len(list(pieces)) > 4


def test_the_command_gives_the_original(imported: Path, capsys):
    call_command("export_store", "app-ui", "--original")

    assert json.loads(capsys.readouterr().out) == STORES["app-ui"]
