"""What the steps of a stateful test share: who writes, picks among what is here, values that may hold secrets."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from stores.models import Change
from stores.records import secrets
from stores.records.collections import Collection
from stores.records.journal.recorder import Origin
from tests import strategies as big

Write = Callable[[int, int, Any], Any]
"""Takes two picks among what is here, and a value."""
Writes = dict[str, tuple[Write, st.SearchStrategy]]
"""Writes by their names, each with its values."""

NOWHERE = "no such record"
FAKE_KEYS = [f"sk-FAKE{at}undo1234567890abcdefghijklmnop" for at in range(3)]


def origin_of(value: Any) -> Origin:
    return Origin(Change.Source.API, "tester", "request", {"method": "POST", "path": "/api/é", "body": value})


def pick(uids: list[str], at: int) -> str:
    return uids[at % len(uids)] if uids and at % 10 < 9 else NOWHERE


def pick_uid(collection: Collection, at: int) -> str:
    return pick(list(collection.rows().values_list("uid", flat=True)), at)


def load_shown(collection: Collection, at: int) -> Any:
    """Return the record as a client sees it, or an empty one."""
    row = collection.find([pick_uid(collection, at)])
    return secrets.mask(collection.load(list(row.values()))[0]) if row else {}


secret_texts = st.sampled_from([*FAKE_KEYS, f"it is {FAKE_KEYS[0]}!", "bigagi-secret:", "bigagi-secret:mnop", ""])
texts = st.one_of(big.texts, big.texts, secret_texts)
chats = st.one_of(big.conversations, big.odd_conversations, big.old_conversations)
nothing = st.none()
