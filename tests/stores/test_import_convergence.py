"""Copies of one person's chats go their own ways on several browsers, with clocks that are wrong. Their files come here
in any order, and more than once: the same chats come of it, and each text is in a chat, in a branch of it, or kept.

Two things depend on what comes first, and are left out. What a branch has before its first own message is as the chat
was then. And where a browser deletes the very message behind which another one goes on, that is a continuation of its
own or not.
"""

import copy
import json
import random
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import Phase, example, given
from hypothesis import strategies as st

from chats.bigagi.states import VOLATILE
from chats.models import Conversation
from chats.services.conversations import delete_chat, replace_chat
from stores.importers import importer, record_writer
from stores.models import Change, ChangedRecord, ImportedRecord, Revision
from stores.records.journal.recorder import Origin
from tests import generators
from tests.nightly import by_day, settings_for
from tests.stores.import_cases import chat, message
from tests.stores.imports import chats_here, decided_in, dump, import_path, preview_path, typed, undone

JSONObject = dict[str, Any]
NOW = 1_795_000_000_000
WRONG_CLOCKS = (1, 4_102_444_800_000, None)
"""Before its own messages, far in the future, and none."""
DEEDS = (
    *("append", "append", "insert", "edit", "delete", "rename", "archive", "reason", "drop"),
    *("start", "branch", "delete chat", "move", "relabel", "reorder"),
)
HERE = ("append", "edit", "delete", "rename", "delete chat")
HERE_BY = Origin(Change.Source.API, "")
BROWSERS = 3
NOTE = re.compile(r"[a-z]+ no\. \d+;")


class Browsers:
    """Browsers that began with the same chats, and the files written from them. Each text is written once, so it tells
    where it went."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0
        first = [
            chat(uid, self._text("title"), self._text(), self._text(), updated=NOW, tokenCount=9)
            for uid in ("c0", "c1")
        ]
        folders = [{"id": uid, "title": self._text("title"), "conversationIds": []} for uid in ("f0", "f1")]
        folders[0]["conversationIds"] = ["c0", "c1"]
        self.browsers = [copy.deepcopy({"chats": first, "folders": folders}) for _ in range(BROWSERS)]
        self.files: list[Path] = []
        self.texts: set[str] = set()
        self.export(0, "flash")

    def _text(self, what: str = "text") -> str:
        self._count += 1
        return f"{what} no. {self._count};"

    def _message(self) -> JSONObject:
        text = self._text()
        return message(text, f"m{self._count}", created=NOW + self._count)

    def write(self, browser: int, at: int, deed: str, has_wrong_clock: bool) -> None:
        state = self.browsers[browser % BROWSERS]
        if deed == "start" or not state["chats"]:
            new = chat(f"c-{self._count}", self._text("title"), updated=NOW + self._count, tokenCount=9)
            state["chats"].insert(0, new | {"messages": [self._message()]})
            return
        one = state["chats"][at % len(state["chats"])]
        if deed == "delete chat":
            state["chats"].remove(one)
        elif deed == "branch":
            state["chats"].insert(0, self._branch(one))
        elif deed == "reorder":
            state["folders"].reverse()
        elif deed in ("move", "relabel"):
            self._write_folders(state["folders"], one["id"], at, deed)
        else:
            self._write_chat(one, at, deed)
            one["updated"] = WRONG_CLOCKS[at % len(WRONG_CLOCKS)] if has_wrong_clock else NOW + self._count

    def _branch(self, one: JSONObject) -> JSONObject:
        messages = [held | {"id": f"{held['id']}-{self._count}"} for held in one["messages"]]
        return one | {"id": f"b-{self._count}", "autoTitle": self._text("title"), "messages": messages}

    def _write_folders(self, folders: list[JSONObject], uid: str, at: int, deed: str) -> None:
        chosen = folders[at % len(folders)]
        if deed == "relabel":
            chosen["title"] = self._text("title")
            return
        for one in folders:
            one["conversationIds"] = [held for held in one["conversationIds"] if held != uid]
        chosen["conversationIds"].append(uid)

    def _write_chat(self, one: JSONObject, at: int, deed: str) -> None:
        messages = one["messages"]
        self._count += 1
        if deed == "rename":
            one["userTitle"] = self._text("title")
        elif deed == "archive":
            one["isArchived"] = not one.get("isArchived", False)
        elif deed == "append" or not messages:
            messages += [self._message(), self._message()]
        elif deed == "insert" or (deed == "delete" and messages[0]["id"].endswith("-0")):
            write_message(messages, 0, deed, self._message())
        elif deed != "delete":
            write_message(messages, at % len(messages), deed, self._message())

    def export(self, browser: int, kind: str) -> None:
        self._count += 1
        chats = self.browsers[browser % BROWSERS]["chats"]
        if kind == "all-chats" and chats:
            # Such a file does not say when it was written, but is at least as new as its newest chat.
            chats[0]["updated"] = NOW + self._count
        state = copy.deepcopy(self.browsers[browser % BROWSERS])
        path = self._folder / f"{len(self.files)}-{kind}.json"
        if kind == "one-chat" and state["chats"]:
            state = {"chats": state["chats"][:1]}
            generators.write_one_chat(path, state["chats"][0])
        elif kind == "all-chats":
            folders = state["folders"] if state["chats"] else []
            stores = {"app-models": {"state": {"sources": []}}, "app-folders": {"state": {"folders": folders}}}
            generators.write_all_chats(path, state["chats"], stores)
        else:
            stores = {"app-folders": {"state": {"folders": state["folders"], "enableFolders": True}, "version": 0}}
            taken_at = datetime.fromtimestamp((NOW + self._count) / 1000, UTC).isoformat()
            generators.write_backup(path, state["chats"], stores=stores, taken_at=taken_at)
        self.files.append(path)
        self.texts |= texts_in(state)


def write_message(messages: list[JSONObject], at: int, deed: str, new: JSONObject) -> None:
    """Do one deed to the message at this place; `new` has the text to use."""
    one = messages[at]
    if deed == "insert":
        messages.insert(at, new)
    elif deed == "edit":
        messages[at] = one | {"fragments": new["fragments"], "updated": new["created"]}
    elif deed == "delete":
        del messages[at]
    elif deed == "reason":
        part = {"pt": "ma", "aType": "reasoning", "aText": new["fragments"][0]["part"]["text"]}
        messages[at] = one | {"fragments": [{"ft": "void", "fId": new["id"], "part": part}, *one["fragments"]]}
    elif deed == "drop":
        for place, held in enumerate(messages[:-1]):
            messages[place] = held | {"fragments": [part for part in held["fragments"] if part["ft"] != "void"]}


def texts_in(value: Any) -> set[str]:
    return set(NOTE.findall(json.dumps(value)))


# --- here ---


def write_here(at: int, deed: str, number: int) -> None:
    """Do one deed to a chat here, the same one whatever comes later."""
    if not Conversation.objects.exists():
        return
    chats = chats_here()
    one = chats[at % len(chats)]
    new = message(f"here no. {number};", f"h{number}", created=NOW + 10_000 + number)
    if deed == "delete chat":
        delete_chat(HERE_BY, one["id"])
        return
    if deed == "rename":
        one["userTitle"] = f"here no. {number};"
    elif deed == "append" or not one["messages"]:
        one["messages"].append(new)
    else:
        write_message(one["messages"], at % len(one["messages"]), deed, new)
    replace_chat(HERE_BY, one["id"], one | {"updated": NOW + 10_000 + number})


def shown_here() -> dict[str, Any]:
    """Return what a person sees: chats by their ids, and what is in which folder."""
    listed = chats_here() if Conversation.objects.exists() else []
    chats: dict[str, Any] = {one["id"]: {key: one[key] for key in one.keys() - VOLATILE} for one in listed}
    roots = dict(ImportedRecord.objects.exclude(branch_of="").values_list("uid", "branch_of"))
    for uid, root in roots.items():
        if uid in chats and root in chats:
            chats[uid] = continuation_of(chats[uid], chats[root])
    held = dump("app-folders")["state"]["folders"]
    folders = {one["id"]: one | {"conversationIds": sorted(one["conversationIds"])} for one in held}
    return {
        "chats": chats,
        "folders": folders,
        "order": {"": [one["id"] for one in held]},
        "branches": {uid: roots[uid] for uid in roots.keys() & chats.keys()},
    }


def continuation_of(branch: JSONObject, root: JSONObject) -> list[JSONObject]:
    """Return what a branch has of its own: before that, it is as its chat was in one of the files."""
    known = {one["id"] for one in root["messages"]}
    return [one for one in branch["messages"] if one["id"] not in known]


def kept_here() -> list[str]:
    """Return what is not shown: other versions, and what was deleted or changed here."""
    bodies = ChangedRecord.objects.exclude(body=None).values_list("body", flat=True)
    return [*Revision.objects.values_list("body", flat=True), *map(str, bodies)]


def import_all(world: Browsers, here: list[tuple[int, str]], order: list[int]) -> dict[str, Any]:
    """Return what is shown after what these browsers began with, these deeds here, and all files in this order. Where
    that is the files' own, a preview tells the numbers and the lists of each import."""
    with undone():
        import_path(world.files[0])
        for number, (at, deed) in enumerate(here):
            write_here(at, deed, number)
        for at in order:
            previewed = preview_path(world.files[at]) if order == sorted(order) else None
            progress = import_path(world.files[at])
            if previewed is not None:
                assert progress.counts == previewed.counts
                assert decided_in(progress.run) == decided_in(previewed.run)
        shown = shown_here()
        lost = world.texts - texts_in(shown) - texts_in(kept_here())
        assert not lost, f"nowhere any more: {lost}"
        for at in random.Random(len(order)).sample(order, len(order)):
            import_path(world.files[at])
        assert_same(shown_here(), shown, "the same files once more changed something")
        return shown


def assert_same(one: dict[str, Any], other: dict[str, Any], words: str) -> None:
    for name in one:
        assert one[name].keys() == other[name].keys(), f"{words}: {name}"
        for uid in one[name]:
            assert typed(one[name][uid]) == typed(other[name][uid]), f"{words}: {uid}"


@contextmanager
def quiet_importer() -> Iterator[Path]:
    """Import into a folder of its own, without backups and pauses."""
    folder = Path(tempfile.mkdtemp(prefix="bigagi-convergence-"))
    paths = {"DATA_DIR": folder, "ASSETS_DIR": folder / "assets", "KEY_FILE": folder / "secrets.key"}
    with override_settings(**paths), pytest.MonkeyPatch.context() as patched:
        patched.setattr(importer, "create_backup", lambda reason: SimpleNamespace(path=reason))
        patched.setattr(record_writer, "PAUSE", 0)
        yield folder
    shutil.rmtree(folder, ignore_errors=True)


def check_convergence(steps: list[tuple[Any, ...]], here: list[tuple[int, str]], seed: int) -> None:
    with quiet_importer() as folder:
        world = Browsers(folder)
        for name, *values in steps:
            getattr(world, name)(*values)
        for browser in range(BROWSERS):
            world.export(browser, "flash")
        order = list(range(1, len(world.files)))
        shown = import_all(world, here, order)
        for turn in by_day(range(3), each=3):
            random.Random(seed + turn).shuffle(order)
            assert_same(import_all(world, here, order), shown, f"in the order {order} something else came of it")


picks = st.integers(0, 5)
LATER = ("write", 0, 0, "append", False)
STEPS = st.one_of(
    st.tuples(st.just("write"), picks, picks, st.sampled_from(DEEDS), st.sampled_from((False, False, True))),
    st.tuples(st.just("export"), picks, st.sampled_from(("flash", "flash", "all-chats", "one-chat"))),
)


# Taking a failure down to its smallest steps takes minutes, and the steps are told without that.
@settings_for(seconds=1.5, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    steps=st.lists(STEPS, min_size=4, max_size=10),
    here=st.lists(st.tuples(picks, st.sampled_from(HERE)), max_size=2),
    seed=st.integers(0, 99),
)
@example(steps=[LATER, ("write", 1, 0, "append", True)], here=[(0, "append")], seed=0)
def test_files_in_any_order_end_in_the_same_chats(
    db: None, steps: list[tuple[Any, ...]], here: list[tuple[int, str]], seed: int
):
    check_convergence(steps, here, seed)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", by_day(range(8), each=4))
def test_long_ways_end_in_the_same_chats(seed: int):
    check_convergence(*random_ways(seed), seed)


def random_ways(seed: int) -> tuple[list[tuple[Any, ...]], list[tuple[int, str]]]:
    rng = random.Random(seed)
    steps: list[tuple[Any, ...]] = []
    for _ in range(rng.randrange(4, 25)):
        if rng.random() < 0.25:
            steps.append(("export", rng.randrange(3), rng.choice(("flash", "flash", "all-chats", "one-chat"))))
        else:
            steps.append(("write", rng.randrange(3), rng.randrange(6), rng.choice(DEEDS), rng.random() < 0.3))
    return steps, [(rng.randrange(6), rng.choice(HERE)) for _ in range(rng.randrange(3))]
