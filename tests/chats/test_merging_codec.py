"""Two states of a chat made one: by the rules alone, without a database."""

import copy
import itertools
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chats.bigagi.merging.chats import base_of_chat, merge_chats
from stores.records.merging.rules import Merged, Rule, Sides
from tests.nightly import settings_for
from tests.stores.import_cases import chat, message
from tests.stores.imports import typed

JSONObject = dict[str, Any]
NOW = 1_795_000_000_000
CLOCKS = (NOW, NOW + 1, NOW - 10**9, 1, 4_102_444_800_000, None)
"""Among them one before its own messages, and one that is far in the future."""


class Database:
    """Chats by their ids with their bases, as the importer keeps them."""

    def __init__(self) -> None:
        self.chats: dict[str, JSONObject] = {}
        self.bases: dict[str, Any] = {}
        self.versions: set[tuple[str, str, str]] = set()
        self.rules: list[Rule] = []

    def bring(self, incoming: JSONObject, uid: str = "c", root: str = "c") -> Merged | None:
        if uid not in self.chats:
            self.chats[uid], self.bases[uid] = incoming, base_of_chat(incoming)
            return None
        if typed(self.chats[uid]) == typed(incoming):
            return None
        states = self.chats[uid], copy.deepcopy(incoming), self.bases[uid]
        merged = merge_chats(Sides(uid, *states, root, is_as_imported=True))
        self.chats[uid], self.bases[uid] = merged.record, merged.base
        self.versions |= {(uid, key, typed(one)) for key, one in merged.versions}
        self.rules += merged.rules.elements()
        if merged.branch is not None:
            self.bring(merged.branch.record, merged.branch.uid, root)
        return merged

    @property
    def texts(self) -> dict[str, list[str]]:
        return {
            one.get("userTitle") or one["autoTitle"]: list(map(text_of, one["messages"])) for one in self.chats.values()
        }

    def state(self) -> str:
        return typed([self.chats, sorted(self.versions)])


def text_of(one: JSONObject) -> str:
    return "".join(part["part"].get("text", "") for part in one["fragments"])


def with_more(one: JSONObject, *messages: JSONObject, **members: Any) -> JSONObject:
    return one | {"messages": [*one["messages"], *messages]} | members


def bring_all(*copies: JSONObject) -> Database:
    database = Database()
    for one in copies:
        database.bring(one)
    return database


SOUP = chat("c", "Soup", "one", "two", updated=NOW)
A = with_more(SOUP, message("from A", "a1", created=10), message("more A", "a2", created=11), updated=NOW + 5)
B = with_more(SOUP, message("from B", "b1", created=20), updated=NOW + 9)


@pytest.mark.parametrize("copies", list(itertools.permutations((A, B, SOUP))))
def test_two_continuations_are_a_chat_and_a_branch_of_it(copies: Any):
    database = bring_all(*copies, *copies)
    assert database.texts == {"Soup": ["one", "two", "from B"], "(1) Soup": ["one", "two", "from A", "more A"]}
    longer = with_more(A, message("even more A", "a3", created=90), updated=NOW + 99)
    database.bring(longer)
    assert database.texts["(1) Soup"] == ["one", "two", "from A", "more A", "even more A"]
    assert len(database.chats) == 2


def test_what_was_written_here_goes_on_in_its_chat():
    database = bring_all(SOUP)
    database.chats["c"] = with_more(SOUP, message("mine", "m1", created=1))
    database.bring(B)
    assert database.texts == {"Soup": ["one", "two", "mine"], "(1) Soup": ["one", "two", "from B"]}


def test_messages_of_both_are_in_order():
    first, second = SOUP["messages"]
    one = SOUP | {"messages": [first, message("x", "x", created=7), second]}
    other = SOUP | {"messages": [first, message("y", "y", created=6), second, message("z", "z", created=8)]}
    for copies in ((one, other), (other, one)):
        assert bring_all(*copies).texts == {"Soup": ["one", "y", "x", "two", "z"]}


def test_of_two_edits_the_newer_is_shown_and_the_other_kept():
    edits = [
        SOUP | {"messages": [SOUP["messages"][0], message(text, "c-1", updated=at)]}
        for text, at in (("early edit", 100), ("late edit", 200))
    ]
    for copies in itertools.permutations((SOUP, *edits)):
        database = bring_all(*copies)
        assert database.texts == {"Soup": ["one", "late edit"]}
        assert {text.count("early edit") + text.count('"two"') for _, _, text in database.versions} == {1}


def test_an_edit_wins_over_none_whatever_its_clock_says():
    edited = SOUP | {"messages": [SOUP["messages"][0], message("edited", "c-1", updated=1)]}
    for copies in ((SOUP, edited), (edited, SOUP)):
        assert bring_all(*copies).texts == {"Soup": ["one", "edited"]}


def test_reasoning_that_one_side_dropped_stays_where_it_was():
    thoughts = [{"ft": "void", "fId": f"v{at}", "part": {"pt": "ma", "aText": f"hmm {at}"}} for at in range(3)]
    full = copy.deepcopy(SOUP)
    visible = full["messages"][1]["fragments"][0]
    full["messages"][1]["fragments"] = [thoughts[0], visible, thoughts[1], thoughts[2]]
    dropped = with_more(SOUP, message("three", "three"), updated=NOW + 1)
    for copies in ((full, dropped), (dropped, full)):
        database = bring_all(*copies)
        assert database.texts == {"Soup": ["one", "two", "three"]}
        assert database.chats["c"]["messages"][1]["fragments"] == full["messages"][1]["fragments"]
        assert Rule.REASONING in database.rules and not database.versions


def test_a_message_that_was_deleted_here_stays_deleted():
    database = bring_all(SOUP)
    database.chats["c"] = SOUP | {"messages": SOUP["messages"][1:]}
    for copies in (B, with_more(B, message("last", "b2", created=30))):
        merged = database.bring(copies)
        assert merged is not None and merged.left_out == {"c-0"} and not merged.is_whole
    assert database.texts == {"Soup": ["two", "from B", "last"]}


def test_fields_are_taken_from_the_side_that_changed_them():
    database = bring_all(SOUP)
    database.chats["c"] = SOUP | {"userTitle": "Mine", "updated": NOW + 50}
    database.bring(SOUP | {"userTitle": "Theirs", "isArchived": True, "updated": NOW + 20})
    assert (database.chats["c"]["userTitle"], database.chats["c"]["isArchived"]) == ("Mine", True)
    database.bring(SOUP | {"userTitle": "Theirs", "userSymbol": "x", "updated": NOW + 10})
    assert "userSymbol" not in database.chats["c"], "an older file changed a field"


@pytest.mark.parametrize("clock", [4_102_444_800_000, 1, "soon"])
def test_a_clock_that_lies_counts_for_nothing(clock: Any):
    lying = SOUP | {"autoTitle": "Nonsense, and long", "updated": clock}
    for copies in ((SOUP, lying), (lying, SOUP)):
        assert list(bring_all(*copies).texts) == ["Soup"]


def test_messages_without_ids_are_known_by_what_they_say():
    nameless = SOUP | {"messages": [message("one"), message("two")]}
    longer = SOUP | {"messages": [message("one"), message("two"), message("three")]}
    for copies in ((nameless, longer), (longer, nameless), (SOUP, longer)):
        assert bring_all(*copies).texts == {"Soup": ["one", "two", "three"]}


# --- any copies ---


class Browser:
    """A copy of a chat that somebody goes on with; each text is written once."""

    def __init__(self, side: int) -> None:
        self.side = side
        self.count = 0
        self.chat = copy.deepcopy(SOUP)
        self.had = set(map(text_of, self.chat["messages"]))

    def do(self, deed: str, at: int, clock: int) -> None:
        messages = self.chat["messages"]
        self.count += 1
        text, uid = f"{self.side}-{self.count}", f"s{self.side}n{self.count}"
        new = message(text, uid, created=10 + clock * 3 + self.count)
        at %= max(len(messages), 1)
        if deed == "append":
            messages.append(new)
        elif deed == "insert":
            messages.insert(at, new)
        elif deed == "edit" and messages:
            messages[at] = message(text, messages[at]["id"], updated=CLOCKS[clock % len(CLOCKS)])
        elif deed == "delete" and messages:
            del messages[at]
        elif deed == "retry" and messages:
            messages[-1:] = [new]
        elif deed == "rename":
            self.chat["userTitle"] = text
        elif deed == "star" and messages:
            messages[at] = messages[at] | {"userFlags": [f"flag {text}"]}
        self.chat["updated"] = CLOCKS[clock % len(CLOCKS)]
        self.had |= set(map(text_of, messages))


DEEDS = ("append", "append", "insert", "edit", "delete", "retry", "rename", "star")
deeds = st.lists(st.tuples(st.integers(0, 1), st.sampled_from(DEEDS), st.integers(0, 5), st.integers(0, 5)), max_size=9)


@pytest.mark.property
@settings_for(seconds=0.04)
@given(deeds=deeds)
def test_two_copies_end_the_same_in_either_order_and_lose_no_text(deeds: Any):
    browsers = [Browser(0), Browser(1)]
    for side, *deed in deeds:
        browsers[side].do(*deed)
    one, other = (browser.chat for browser in browsers)
    database = bring_all(one, other)
    assert bring_all(other, one).state() == database.state()
    state = database.state()
    for again in (one, other, other, one):
        database.bring(again)
        assert database.state() == state
    found = {text_of(held) for held in itertools.chain(*(held["messages"] for held in database.chats.values()))}
    kept = " ".join(text for *_, text in database.versions)
    here = {text_of(held) for held in (*one["messages"], *other["messages"])}
    assert all(text in found or f'"{text}"' in kept for text in here)


@pytest.mark.property
@settings_for(seconds=0.06)
@given(seed=st.integers(0, 10**6))
def test_three_copies_that_go_on_end_in_the_same_tree(seed: int):
    """Copies of one trunk, each left at some place and continued there, at times of their own."""
    rng = random.Random(seed)
    copies = [SOUP]
    for number in range(1, 5):
        trunk = rng.choice(copies)
        kept = trunk["messages"][: rng.randint(1, len(trunk["messages"]))]
        more = [
            message(f"{number}-{at}", f"m{number}-{at}", created=rng.randrange(50)) for at in range(rng.randint(0, 2))
        ]
        copies.append(trunk | {"messages": [*kept, *more]})
    states = []
    for order in rng.sample(list(itertools.permutations(copies)), 4):
        database = bring_all(*order)
        states.append(typed({uid: list(map(text_of, one["messages"])) for uid, one in database.chats.items()}))
    assert len(set(states)) == 1
