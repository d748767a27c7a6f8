"""Any sequence of imports, edits and deletions: nothing that is newer here is lost, shortened or doubled."""

import copy
import json
import shutil
import tempfile
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
from stores.importers.file_facts import OMITTED_FIELDS
from stores.models import ImportedRecord, Revision
from stores.records.registry import collection_of
from tests import generators
from tests.nightly import settings_for
from tests.stores.imports import (
    JSONObject,
    chats_here,
    continued,
    everything_here,
    import_path,
    make_chats,
    typed,
    write_backup,
)
from tests.stores.test_import_decisions import change_here

CHATS = 4
DEEDS = ("continue", "continue", "start", "delete")
KINDS = ("flash", "flash", "settings", "all-chats", "one-chat")
picks = st.integers(0, CHATS + 2)


class ImportsAndEdits:
    """big-AGI goes on in a browser, exports are made of it, and come here in any order, while it is used here too.

    The model knows of each chat here what was last seen: an import may make it what a file has if that is not older,
    and only if nobody changed it here since it was imported. Then what the file has beyond it is in a branch.
    """

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="bigagi-stateful-"))
        self._overridden = override_settings(
            DATA_DIR=self._folder, ASSETS_DIR=self._folder / "assets", KEY_FILE=self._folder / "secrets.key"
        )
        self._overridden.enable()
        self._patched = pytest.MonkeyPatch()
        self._patched.setattr(importer, "create_backup", lambda reason: SimpleNamespace(path=reason))
        self._patched.setattr(record_writer, "PAUSE", 0)
        self._transaction = transaction.atomic()
        self._transaction.__enter__()
        self.minute = 0
        self.there: list[JSONObject] = make_chats(CHATS, messages=3)
        stores = generators.make_stores(1, [], models=2)
        self.stores = {name: stores[name] for name in ("app-models", "app-folders", "app-ui")}
        self.files: list[tuple[Path, list[JSONObject]]] = []
        self.mine: dict[str, str] = {}
        self.deleted: set[str] = set()
        self._export("flash", 0)
        self.import_one(0, restore=False)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self._transaction.__exit__(None, None, None)
        self._patched.undo()
        self._overridden.disable()
        shutil.rmtree(self._folder, ignore_errors=True)

    # --- in the browser ---

    def go_on_there(self, at: int, deed: str, kind: str, is_imported: bool) -> None:
        self.minute += 1
        at %= len(self.there)
        if deed == "start":
            chat = make_chats(1, messages=2, seed=100 + self.minute)[0]
            self.there.insert(0, chat | {"updated": generators.BASE_TIME + 10**11 + self.minute})
        elif deed == "delete" and len(self.there) > 1:
            del self.there[at]
        else:
            self.there[at] = continued(self.there[at], f"there {self.minute}", minutes=self.minute)
        self._export(kind, at)
        if is_imported:
            self.import_one(-1, restore=False)

    def _export(self, kind: str, at: int) -> None:
        path = self._folder / f"{len(self.files)}-{kind}.json"
        taken_at = f"2027-01-01T{self.minute // 60:02}:{self.minute % 60:02}:00.000Z"
        chats = copy.deepcopy(self.there)
        if kind == "flash":
            write_backup(path, chats, stores=self.stores, taken_at=taken_at)
        elif kind == "settings":
            write_backup(path, None, stores=self.stores, taken_at=taken_at)
            chats = []
        elif kind == "all-chats":
            generators.write_all_chats(path, chats, self.stores)
        else:
            chats = [chats[at % len(chats)]]
            generators.write_one_chat(path, chats[0])
        self.files.append((path, chats))

    # --- here ---

    def import_one(self, at: int, restore: bool) -> None:
        path, chats = self.files[at % len(self.files)]
        before = {chat["id"]: chat for chat in chats_or_none()}
        progress = import_path(path, restore_deleted=restore)
        for kind, outcomes in progress.outcomes.items():
            assert sum(outcomes.values()) == progress.read[kind]
        after = {chat["id"]: chat for chat in chats_or_none()}
        given = {chat["id"]: chat for chat in chats}
        assert after.keys() >= before.keys()
        roots = dict(ImportedRecord.objects.filter(kind="conversation").values_list("uid", "branch_of"))
        for uid, chat in before.items():
            # A branch grows with the chat that it is a branch of.
            self._check_change(uid, chat, after[uid], given.get(roots.get(uid) or uid))
        for uid in after.keys() - before.keys():
            root = roots[uid]
            assert root in self.mine if root else uid in given
            assert uid not in self.deleted or restore
            if uid in given or root in given:
                assert messages_of(after[uid]) == messages_of(given[root or uid])
            self.deleted.discard(uid)
            self.mine.pop(uid, None)

        here = everything_here()
        again = import_path(path, restore_deleted=restore)
        assert everything_here() == here
        assert not again.outcome("created") and not again.outcome("updated")

    def _check_change(self, uid: str, before: JSONObject, after: JSONObject, given: JSONObject | None) -> None:
        if typed(before) == typed(after):
            return
        assert given is not None, "a chat that the file does not have was changed"
        if uid in self.mine:
            # An export of chats had left out what a backup has.
            added = after.keys() - before.keys()
            assert added and added <= OMITTED_FIELDS["one-chat"], "a chat that was changed here was overwritten"
            assert typed({key: after[key] for key in before}) == typed(before)
            self.mine[uid] = typed(after)
            return
        assert given["updated"] >= before["updated"], "an older chat replaced a newer one"
        assert messages_of(after) == messages_of(given)
        kept = [
            json.loads(body.body) for body in Revision.objects.filter(uid=uid, kind="conversation", reason="replaced")
        ]
        assert typed(before) in map(typed, kept), "what was replaced is gone"

    def continue_here(self, at: int) -> None:
        chats = chats_or_none()
        if not chats:
            return
        chat = chats[at % len(chats)]
        self.minute += 1
        changed = continued(chat, f"here {self.minute}", minutes=self.minute)
        change_here(collection_of("conversation"), chat["id"], changed)
        self.mine[chat["id"]] = typed(changed)

    def delete_here(self, at: int) -> None:
        chats = chats_or_none()
        if not chats:
            return
        uid = chats[at % len(chats)]["id"]
        Conversation.objects.filter(uid=uid).delete()
        self.deleted.add(uid)
        self.mine.pop(uid, None)

    def check(self) -> None:
        self._check_written()
        assert not Conversation.objects.filter(uid__in=self.deleted).exists()

    def _check_written(self) -> None:
        here = {chat["id"]: typed(chat) for chat in chats_or_none()}
        assert {uid: here.get(uid) for uid in self.mine} == self.mine


def chats_or_none() -> list[JSONObject]:
    return chats_here() if Conversation.objects.exists() else []


def messages_of(chat: JSONObject) -> str:
    return typed(chat["messages"])


STEPS = st.one_of(
    st.tuples(st.just("go_on_there"), picks, st.sampled_from(DEEDS), st.sampled_from(KINDS), st.booleans()),
    st.tuples(st.just("import_one"), st.sampled_from((0, 0, 1, -1, -2)), st.sampled_from((False, False, True))),
    st.tuples(st.sampled_from(("continue_here", "continue_here", "delete_here")), picks),
)


BACKUP = ("go_on_there", 1, "start", "flash", True)


# Taking a failure down to its smallest steps takes minutes, and the steps are told without that.
@settings_for(seconds=1.5, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(steps=st.lists(STEPS, min_size=4, max_size=12))
@example(steps=[("go_on_there", 0, "continue", "flash", True), ("import_one", 0, False)])
@example(steps=[("continue_here", 0), ("go_on_there", 0, "continue", "flash", True), ("import_one", -1, False)])
@example(steps=[("delete_here", 0), ("import_one", 0, False), ("import_one", 0, True)])
@example(steps=[("go_on_there", 0, "start", "all-chats", True), ("continue_here", 0), *[BACKUP] * 2])
def test_nothing_newer_is_lost_whatever_comes_in_which_order(db: None, steps: list[tuple[Any, ...]]):
    state = ImportsAndEdits()
    try:
        for name, *values in steps:
            getattr(state, name)(*values)
            state.check()
    finally:
        state.teardown()
