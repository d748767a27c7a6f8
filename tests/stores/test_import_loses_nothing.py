"""Two browsers and this server write in the same chats, with clocks that are wrong, and files come in any order: each
text that any side ever had can be found here afterwards, and what the last sentence counts as here is shown."""

import copy
import json
import random
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings
from hypothesis import Phase, example, given
from hypothesis import strategies as st

from chats.models import Conversation
from stores.importers import importer, record_writer
from stores.importers.report import proof, verdict_of
from stores.models import ChangedRecord, Revision
from tests.api import sign_in
from tests.nightly import by_day, settings_for
from tests.stores.import_cases import chat, encode, message
from tests.stores.imports import chats_here, dump, import_path
from tests.stores.shown import getter, read_pages, texts_of

NOW = 1_795_000_000_000
CLOCKS = (NOW, NOW - 10**9, 1, 4_102_444_800_000, None)
TAKEN = ("2026-11-20T00:00:00.000Z", "2026-11-27T00:00:00.000Z", "2099-01-01T00:00:00.000Z", "soon")
SIDES = 2
DEEDS = ("append", "append", "edit", "delete", "rename", "drop", "reason", "label", "clear")
HERE = ("append", "edit", "delete", "rename", "delete chat", "label")


class Sides:
    """The same chats on two browsers and here. Each text is written once, and so tells where it went."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="bigagi-sides-"))
        self._overridden = override_settings(
            DATA_DIR=self._folder, ASSETS_DIR=self._folder / "assets", KEY_FILE=self._folder / "secrets.key"
        )
        self._overridden.enable()
        self._patched = pytest.MonkeyPatch()
        self._patched.setattr(importer, "create_backup", lambda reason: SimpleNamespace(path=reason))
        self._patched.setattr(record_writer, "PAUSE", 0)
        self._transaction = transaction.atomic()
        self._transaction.__enter__()
        self.client = sign_in()
        self.get = getter(self.client)
        self._count = 0
        self.had: set[str] = set()
        first = [chat(uid, self._text("title"), self._text(), self._text()) for uid in ("c0", "c1")]
        self.sides: list[dict[str, Any]] = [
            {"chats": copy.deepcopy(first), "label": self._text("label"), "ui": self._text("ui")} for _ in range(SIDES)
        ]
        self.files: list[tuple[Path, dict[str, Any]]] = []

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self._transaction.__exit__(None, None, None)
        self._patched.undo()
        self._overridden.disable()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _text(self, what: str = "text") -> str:
        self._count += 1
        return f"{what} no. {self._count};"

    # --- in a browser ---

    def write_there(self, side: int, at: int, deed: str, clock: int) -> None:
        state = self.sides[side % SIDES]
        if deed in ("label", "clear") or not state["chats"]:
            state["label"], state["ui"] = self._text("label"), self._text("ui")
            return
        one = state["chats"][at % len(state["chats"])]
        messages = one["messages"]
        if deed == "append":
            messages += [message(self._text(), f"m{self._count}") for _ in range(2)]
        elif deed == "edit" and messages:
            messages[at % len(messages)] = message(self._text(), messages[at % len(messages)]["id"])
        elif deed == "delete" and messages:
            del messages[at % len(messages)]
        elif deed == "rename":
            one["userTitle"] = self._text("title")
        elif deed == "reason" and messages:
            part = {"pt": "ma", "aType": "reasoning", "aText": self._text("thought")}
            messages[-1] = messages[-1] | {"fragments": [{"ft": "void", "part": part}, *messages[-1]["fragments"]]}
        elif deed == "drop":
            for at, held in enumerate(messages[:-1]):
                messages[at] = held | {"fragments": [one for one in held["fragments"] if one["ft"] != "void"]}
        one["updated"] = CLOCKS[clock % len(CLOCKS)]

    def export(self, side: int, kind: str, taken: int) -> None:
        state = copy.deepcopy(self.sides[side % SIDES])
        path = self._folder / f"{len(self.files)}.json"
        if kind == "one-chat" and state["chats"]:
            state = {"chats": state["chats"][:1]}
            path.write_bytes(encode(state["chats"][0]))
        else:
            source = {"id": "openai", "label": state["label"], "vId": "openai", "setup": {}}
            models = {"llms": [], "sources": [source], "modelAssignments": {}}
            stores = {
                "app-models": {"state": models, "version": 5},
                "app-ui": {"state": {"centerMode": state["ui"]}, "version": 3},
            }
            text = json.dumps({"state": {"conversations": state["chats"]}, "version": 4})
            storage = {
                "localStorage": stores,
                "indexedDB": {"keyval-store": {"keyval": [{"key": "app-chats", "value": text}]}},
            }
            metadata = {"version": "1.2", "timestamp": TAKEN[taken % len(TAKEN)], "application": "Big-AGI"}
            path.write_bytes(encode({"schema": "vnd.agi.flash-backup", "metadata": metadata, "storage": storage}))
        self.files.append((path, state))

    # --- here ---

    def write_here(self, at: int, deed: str) -> None:
        uids = list(Conversation.objects.order_by("uid").values_list("uid", flat=True))
        if not uids:
            return
        address = f"/api/chats/{uids[at % len(uids)]}"
        held = self.get(address)
        text = self._text()
        if deed == "label":
            if self.client.get("/api/services/openai").status_code == 200:
                self._send("patch", "/api/services/openai", {"label": self._text("label")})
            return
        if deed == "rename":
            self._send("patch", address, {"userTitle": text})
        elif deed == "append":
            self._send("post", f"{address}/messages", message(text))
        elif deed == "delete chat":
            self._send("delete", address)
        elif held["messages"]:
            one = held["messages"][at % len(held["messages"])]
            place = f"{address}/messages/{one['id']}"
            if deed == "edit":
                self._send("put", place, message(text, one["id"]))
            else:
                self._send("delete", place)

    def _send(self, method: str, address: str, body: Any = None) -> None:
        kind = "application/merge-patch+json" if method == "patch" else "application/json"
        data = {} if body is None else {"data": json.dumps(body), "content_type": kind}
        answer = getattr(self.client, method)(address, **data)
        assert answer.status_code in (200, 201, 204), answer.content
        if body is not None:
            self.had |= texts_in(body)

    # --- importing ---

    def import_one(self, at: int) -> None:
        if not self.files:
            return
        path, state = self.files[at % len(self.files)]
        self.had |= texts_in(state)
        progress = import_path(path)
        self.check()
        self._check_sentence(progress.run, state["chats"])
        if progress.run is not None:
            before = everything()
            import_path(path)
            assert everything() == before, "the same file once more changed something"

    def _check_sentence(self, run: Any, chats: list[Any]) -> None:
        """Hold what is counted as here against what the API shows of each chat and its branches."""
        verdict = verdict_of(run)
        assert verdict is not None
        readable: dict[str, Counter[str]] = {}
        for one in read_pages(self.get, "/api/chats"):
            here = Counter(texts_of(held) for held in read_pages(self.get, f"{one['_server']['href']}/messages"))
            root = one["_server"]["branchOf"] or one["id"]
            readable[root] = readable.get(root, Counter()) | here
        shown = 0
        for one in chats:
            if Conversation.objects.filter(uid=one["id"]).exists():
                shown += (Counter(map(texts_of, one["messages"])) & readable[one["id"]]).total()
        total = sum(len(one["messages"]) for one in chats)
        assert verdict.here.get("message", 0) == shown, proof(run)
        assert verdict.aside.get("message", 0) == total - shown, proof(run)
        assert not verdict.missing and not verdict.damaged
        assert ("all here" in proof(run)) == (verdict.is_all_here or "not all here" in proof(run))

    def check(self) -> None:
        lost = self.had - texts_in(everything())
        assert not lost, f"nowhere any more: {lost}"


def texts_in(value: Any) -> set[str]:
    """Return the texts of ours that stand in a value."""
    import re

    return set(re.findall(r"[a-z]+ no\. \d+;", json.dumps(value)))


def everything() -> list[Any]:
    """Return all that can be found here: chats, stores, revisions and what the journal keeps."""
    found: list[Any] = [chats_here() if Conversation.objects.exists() else []]
    for name in ("app-models", "app-ui"):
        try:
            found.append(dump(name))
        except LookupError:
            continue
    found += sorted(Revision.objects.values_list("uid", "reason", "body"))
    return [*found, *ChangedRecord.objects.exclude(body=None).values_list("body", flat=True)]


def walk(steps: list[tuple[Any, ...]]) -> None:
    sides = Sides()
    try:
        for name, *values in steps:
            getattr(sides, name)(*values)
        for at in range(len(sides.files)):
            sides.import_one(at)
    finally:
        sides.teardown()


picks = st.integers(0, 5)
kinds = st.sampled_from(("flash", "flash", "one-chat"))
STEPS = st.one_of(
    st.tuples(st.just("write_there"), picks, picks, st.sampled_from(DEEDS), picks),
    st.tuples(st.just("export"), picks, kinds, picks),
    st.tuples(st.just("import_one"), picks),
    st.tuples(st.just("write_here"), picks, st.sampled_from(HERE)),
)
FROM_BOTH = [("export", 0, "flash", 0), ("import_one", 0)]
LATER = ("write_there", 0, 0, "append", 0)


@settings_for(seconds=0.8, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(steps=st.lists(STEPS, min_size=4, max_size=14))
@example(steps=[*FROM_BOTH, ("write_here", 0, "rename"), LATER, ("export", 0, "flash", 1), ("import_one", 1)])
@example(steps=[*FROM_BOTH, ("write_there", 0, 0, "append", 3), ("export", 0, "flash", 0), LATER])
@example(steps=[*FROM_BOTH, ("write_here", 0, "delete chat"), LATER, ("export", 0, "one-chat", 0), ("import_one", 1)])
@example(steps=[LATER, ("write_there", 1, 0, "append", 1), ("export", 0, "flash", 1), ("export", 1, "flash", 0)])
def test_no_text_is_lost_whatever_comes_in_which_order(db: None, steps: list[tuple[Any, ...]]):
    walk(steps)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", by_day(range(8), each=2))
def test_no_text_is_lost_on_a_long_way(seed: int):
    rng = random.Random(seed)
    steps: list[tuple[Any, ...]] = []
    for _ in range(25):
        name = rng.choice(("write_there", "write_there", "export", "import_one", "write_here"))
        one, other = rng.randrange(6), rng.randrange(6)
        steps.append(
            {
                "write_there": (name, one, other, rng.choice(DEEDS), rng.randrange(6)),
                "export": (name, one, rng.choice(("flash", "flash", "one-chat")), other),
                "import_one": (name, one),
                "write_here": (name, one, rng.choice(HERE)),
            }[name]
        )
    walk(steps)
