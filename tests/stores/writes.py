"""The steps of a stateful test: any write, and the file with which it begins."""

from typing import Any

from hypothesis import strategies as st

from stores.records.jsontext import decode
from tests import strategies as big
from tests.api import make_message
from tests.stores.chat_writes import CHAT_WRITES
from tests.stores.picking import FAKE_KEYS
from tests.stores.store_writes import STORE_WRITES, STORES, envelopes
from tests.strategies import to_text

WRITES = CHAT_WRITES | STORE_WRITES

picks = st.integers(0, 40)


@st.composite
def steps(draw: st.DrawFn) -> tuple[str, int, int, Any]:
    """Make a write's name, two picks among what is here, and its value as a client would send it."""
    name = draw(st.sampled_from(list(WRITES)))
    value = draw(WRITES[name][1])
    return name, draw(picks), draw(picks), decode(to_text([*value] if isinstance(value, tuple) else value))


_MESSAGES = [
    make_message("a", "Hello 😀 " * 9, fragments=[None, {"ft": None}, *make_message()["fragments"], "x"]),
    None,
    make_message("b", FAKE_KEYS[0], userFlags=["starred"]),
    make_message("a", "twice"),
    {"id": "é", "text": "old", "role": "user"},
]
_CHATS = [
    {"id": uid, "systemPurposeId": "Generic", "messages": messages, "created": "odd", "updated": None}
    for uid, messages in (("a", _MESSAGES), ("with/slash", []), ("é", _MESSAGES[2:]))
]
HERE: dict[str, dict[str, Any]] = {
    "app-chats": {"conversations": [_CHATS[0], _CHATS[0] | {"userTitle": "twice"}, 5, *_CHATS[1:]]},
    "app-folders": {
        "folders": [
            {"id": "a", "title": "A", "conversationIds": ["a", "gone", "a", None]},
            {"id": None},
            {"id": "b", "title": FAKE_KEYS[1], "conversationIds": ["é", "with/slash", "a"]},
        ]
    },
    "app-models": {
        "llms": [{"id": "a", "sId": "openai"}, {"id": "b", "sId": "b", "pricing": {"chat": {"input": 1.0}}}, {}],
        "sources": [{"id": "openai", "vId": "openai", "setup": {"oaiKey": FAKE_KEYS[0]}}, None, {"id": "b"}],
        "modelAssignments": {"primaryChat": {"modelId": "a"}, "": {"modelId": "b"}, "codeApply": 5},
    },
    "agi-client-workspace": {"liveFilesByWorkspace": {"a": ["a", "gone", "a", 5], "é": []}},
    "agi-live-file": {"liveFiles": {"a": {"id": "a", "name": "a.txt", "content": "text \ud800"}, "b": 7}},
    "app-module-unknown": {"apiKey": FAKE_KEYS[2], "note": f"it is {FAKE_KEYS[2]}"},
}
"""What is always here: whatever is picked at random then mostly exists."""
_ASSET = {"id": "a", "assetType": "image", "data": {"mimeType": "image/png", "base64": "iVBORw0KGgo="}}


@st.composite
def backups(draw: st.DrawFn) -> str:
    """Make the text of a flash backup: stores of good and odd shapes, damaged records, assets, secrets."""
    names = draw(st.lists(st.sampled_from(STORES), unique=True, max_size=4))
    drawn: dict[str, Any] = {name: draw(envelopes(name)) for name in names}
    local = {name: _with_those_here(name, drawn.get(name, _nothing_drawn(name))) for name in {**HERE, **drawn}}
    app_chats = local.pop("app-chats")
    images = [_ASSET, *draw(big.members(big.assets, 2))]
    entries = [{"key": image.get("id", "") if isinstance(image, dict) else "", "value": image} for image in images]
    tables = {
        "keyval-store": {"keyval": [{"key": "app-chats", "value": to_text(app_chats)}]},
        "Big-AGI": {"largeAssets": entries},
    }
    head = {
        "schema": "vnd.agi.flash-backup",
        "schemaVersion": 102000,
        "metadata": {"version": "1.2", "timestamp": "2026-08-01T10:00:00.000Z", "application": "Big-AGI"},
    }
    return to_text(head | {"storage": {"localStorage": local, "indexedDB": tables}})


def _nothing_drawn(name: str) -> Any:
    return {"state": {}, "version": {"app-chats": 4, "app-models": 5}.get(name, 0)}


def _with_those_here(name: str, drawn: Any) -> Any:
    """Return a store of what was drawn beside what is always here, or of what was drawn alone where that is odd."""
    state = drawn.get("state") if isinstance(drawn, dict) else None
    if name not in HERE or not isinstance(state, dict):
        return drawn
    joined = dict(state)
    for key, here in HERE[name].items():
        held = state.get(key, type(here)())
        if type(held) is type(here) and not isinstance(held, str):
            joined[key] = here + held if isinstance(held, list) else here | held
    return drawn | {"state": joined}
