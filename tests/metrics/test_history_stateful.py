"""After any sequence of what makes, repeats and takes back calls, the ledger has each once, and its sums equal it."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from chats.models import Conversation
from chats.services.conversations import branch_chat, patch_chat
from chats.services.messages import append_message
from llms.pricing.formula import Cost
from llms.pricing.price import Priced
from llms.pricing.tokens import Tokens
from metrics.counting import start_counting
from metrics.ledger.corrections import correct
from metrics.ledger.keeping import keep_ledger
from metrics.ledger.recording import EndedCall, digest_message, record_call
from metrics.ledger.rollups import find_differences, rebuild_rollups
from metrics.models import UsageDay, UsageEvent, UsageQuarter
from metrics.models.rollups import TOTAL
from stores.importers import importer, record_writer
from stores.importers.importer import import_file
from stores.importers.options import Options
from stores.records.errors import Conflict
from stores.records.undoing import undo
from tests.codecs import read
from tests.metrics.events import make_event
from tests.nightly import settings_for
from tests.stores.imports import dump, undone, write_backup
from tests.stores.picking import origin_of

pytestmark = pytest.mark.django_db

ZONES = [
    *("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"),
    *("America/St_Johns", "Pacific/Apia"),
]
CLOCK_CHANGES = [
    *("2024-03-31T01:00", "2024-10-27T01:00", "2024-03-10T07:00", "2024-11-03T06:00", "2024-04-06T15:00"),
    *("2024-10-05T15:30", "2024-03-10T02:00", "2024-04-14T02:00", "2024-03-10T05:30", "2011-12-30T10:00"),
    *("2024-12-31T18:15", "2024-12-31T23:00", "1970-01-01T00:00"),
]
"""In UTC: when those zones' clocks change, and ends of their days."""

QUARTER = 900_000
CHATS, CALLS = 2, 12

near = st.integers(-26 * 4, 26 * 4).map(lambda quarters: quarters * QUARTER)
times = st.builds(
    lambda text, hours, rest: max(0, round(datetime.fromisoformat(text + "+00:00").timestamp() * 1000) + hours + rest),
    st.sampled_from(CLOCK_CHANGES),
    st.one_of(st.just(0), near),
    st.sampled_from([-1, 0, 1, QUARTER - 1, QUARTER // 2]),
)
costs = st.one_of(st.none(), st.integers(0, 10**7))
picks = st.integers(0, 99)
STEPS = st.one_of(
    st.tuples(st.just("call"), times, picks, costs),
    st.tuples(st.just("answer"), times, picks, costs),
    st.tuples(st.just("answer"), times, picks, costs),
    st.tuples(st.just("load"), st.lists(st.tuples(picks, st.lists(picks, max_size=5)), min_size=1, max_size=3)),
    st.tuples(st.just("load"), st.lists(st.tuples(picks, st.lists(picks, max_size=5)), min_size=1, max_size=3)),
    st.tuples(st.just("load_again")),
    st.tuples(st.just("load_own_dump")),
    st.tuples(st.just("branch"), picks),
    st.tuples(st.just("rename"), picks),
    st.tuples(st.just("take_back"), picks),
    st.tuples(st.just("undo"), picks),
    st.tuples(st.just("undo"), st.just(-1)),
    st.tuples(st.just("undo"), st.just(-1)),
    st.tuples(st.just("count_anew"), times),
    st.tuples(st.just("rebuild")),
    st.tuples(st.just("move"), st.sampled_from(ZONES)),
    st.tuples(st.just("move"), st.sampled_from(ZONES)),
)


class World:
    """What should be in the ledger, kept beside what is."""

    def __init__(self, folder: Path, pool: list[tuple[int, int | None]]) -> None:
        self.folder = folder
        self.pool = pool
        self.own = Counter(calls=0, cost=0)
        self.imported: dict[str, int] = {}
        self.changes: list[tuple[int, Counter[str]]] = []
        self.files: list[Path] = []
        self.made = 0

    # --- steps ---

    def call(self, at: int, pick: int, cost: int | None) -> None:
        source = ("chat", "api", "test")[pick % 3]
        self.record(at, pick, cost, source=source)
        if source != "test":
            self.own.update(calls=1, cost=cost or 0)

    def answer(self, at: int, pick: int, cost: int | None) -> None:
        uids = list(Conversation.objects.order_by("pk").values_list("uid", flat=True))
        if not uids:
            return
        self.made += 1
        message = read(make_message(f"own{self.made}", at, self.made, cost))
        with transaction.atomic():
            written = append_message(origin_of(None), uids[pick % len(uids)], message)
            assert written.change is not None
            self.record(at, pick, cost, source="chat", call=digest_message(message), change=written.change.pk)
        self.own.update(calls=1, cost=cost or 0)
        self.changes.append((written.change.pk, Counter(calls=1, cost=cost or 0)))

    def record(self, at: int, pick: int, cost: int | None, **facts: Any) -> None:
        record_call(
            EndedCall(
                at=at,
                service=("openai", "groq", "")[pick % 3],
                vendor=("openai", "groq")[pick % 2],
                model=f"openai-m{pick % 4}",
                conversation="",
                message="",
                tokens=Tokens(pick, None, pick // 2, pick * 3, None),
                is_estimated=pick % 5 == 0,
                priced=Priced(Cost(cost, "free" if pick % 7 == 0 else "")),
                reported_nano_usd=cost if pick % 2 else None,
                first_ms=pick * 7,
                total_ms=None if pick % 4 == 0 else pick * pick * 90,
                outcome=("done", "stopped", "timeout", "issue")[pick % 4],
                raw_usage=None,
                **facts,
            )
        )

    def load(self, chats: list[tuple[int, list[int]]]) -> None:
        found = {}
        for chat, calls in chats:
            uid = f"c{chat % CHATS}"
            # A message that is loaded again in another chat has another id, as big-AGI gives it.
            ids = {call % CALLS: None for call in calls}
            messages = [make_message(f"{uid}-m{call}", self.pool[call][0], call, self.pool[call][1]) for call in ids]
            found[uid] = {"id": uid, "messages": messages, "systemPurposeId": "Generic", "created": 1, "tokenCount": 0}
            found[uid]["updated"] = 10**12 + len(self.files)
        path = self.folder / f"{len(self.files)}.json"
        taken_at = datetime.fromtimestamp(10**9 + len(self.files), UTC).isoformat()
        write_backup(path, list(found.values()), stores={}, taken_at=taken_at)
        self.files.append(path)
        self.import_file(path)

    def load_again(self) -> None:
        if self.files:
            self.import_file(self.files[len(self.files) // 2])

    def load_own_dump(self) -> None:
        path = write_backup(self.folder / "own.json", dump("app-chats")["state"]["conversations"] if self.files else [])
        self.import_file(path)

    def import_file(self, path: Path) -> None:
        before = {uid: list(messages) for uid, messages in messages_here().items()}
        import_file(path, Options())
        for uid, messages in messages_here().items():
            for message in messages:
                if message not in before.get(uid, []) and (facts := message.get("generator", {}).get("metrics")):
                    key = json.dumps([message["generator"]["aix"], message["created"], facts], sort_keys=True)
                    if not message["generator"]["name"].startswith("own"):
                        self.imported[key] = round(facts.get("$c", 0) * 10_000) * 1000

    def branch(self, pick: int) -> None:
        uids = list(Conversation.objects.order_by("pk").values_list("uid", flat=True))
        if uids:
            written = branch_chat(origin_of(None), uids[pick % len(uids)])
            assert written.change is not None
            self.changes.append((written.change.pk, Counter()))

    def rename(self, pick: int) -> None:
        uids = list(Conversation.objects.order_by("pk").values_list("uid", flat=True))
        if uids:
            self.made += 1
            patch_chat(origin_of(None), uids[pick % len(uids)], {"userTitle": f"named {self.made}"})

    def take_back(self, pick: int) -> None:
        events = list(UsageEvent.objects.filter(usageevent=None, change="").exclude(source="import").order_by("pk"))
        if events:
            event = events[pick % len(events)]
            correct(event)
            if event.source != "test":
                self.own.update(calls=-event.calls, cost=-(event.cost_nano_usd or 0))

    def undo(self, pick: int) -> None:
        if not self.changes:
            return
        at = pick if pick < 0 else pick % len(self.changes)
        pk, effect = self.changes[at]
        try:
            with transaction.atomic():
                change = undo(origin_of(None), pk)
        except Conflict:
            return
        assert change is not None
        opposite = Counter({name: -value for name, value in effect.items()})
        self.own.update(opposite)
        self.changes.append((change.pk, opposite))

    def count_anew(self, at: int) -> None:
        _, change = start_counting(origin_of(None), at)
        self.changes.append((change.pk, Counter()))

    def rebuild(self) -> None:
        call_command("rebuild_ledger", stdout=SimpleNamespace(write=lambda text: None))

    def move(self, zone: str) -> None:
        settings.OWNER_TIME_ZONE = zone
        keep_ledger()

    # --- what must hold ---

    def check(self) -> None:
        events = list(UsageEvent.objects.exclude(source="test"))
        own = [event for event in events if event.source != "import"]
        assert sum(event.calls for event in own) == self.own["calls"]
        assert sum(event.cost_nano_usd or 0 for event in own) == self.own["cost"]
        imported = [event for event in events if event.source == "import"]
        assert len(imported) == len(self.imported)
        assert sum(event.cost_nano_usd or 0 for event in imported) == sum(self.imported.values())
        assert find_differences() == []
        check_rollups(events)


def make_message(uid: str, at: int, number: int, cost: int | None) -> dict[str, Any]:
    metrics: dict[str, Any] = {"TIn": number, "TOut": 5, "dtAll": number * 100}
    if cost is not None:
        metrics["$c"] = (cost // 1000) / 10_000
    generator = {"mgt": "aix", "name": uid, "aix": {"vId": "openai", "mId": f"openai-m{number % 3}"}}
    fragments = [{"ft": "content", "fId": "f", "part": {"pt": "text", "text": uid}}]
    return {
        **{"id": uid, "role": "assistant", "fragments": fragments, "tokenCount": 1, "created": at, "updated": None},
        "generator": generator | {"metrics": metrics},
    }


def messages_here() -> dict[str, list[Any]]:
    chats = dump("app-chats")["state"]["conversations"] if Conversation.objects.exists() else []
    return {chat["id"]: chat["messages"] for chat in chats}


def facts_of(event: UsageEvent) -> tuple[int, ...]:
    failed = event.outcome not in ("", "done", "stopped", "out-of-tokens", "filter")
    unpriced = event.cost_nano_usd is None and event.cost_code != "free"
    return (
        event.calls,
        event.calls * failed,
        event.calls * unpriced,
        event.calls * (event.ms_total is not None),
        *(getattr(event, name) or 0 for name in ("cost_nano_usd", "cost_reported_nano_usd", "input_tokens")),
        *((event.output_tokens or 0), (event.cache_write_tokens or 0)),
    )


NAMES = ("calls", "errors", "unpriced", "cost_nano_usd", "cost_reported_nano_usd", "input_tokens", "output_tokens")
NAMES += ("cache_write_tokens",)


def stored_facts(row: Any) -> tuple[int, ...]:
    values = {name: getattr(row, name) for name in NAMES}
    timed = sum(getattr(row, name) for name in TOTAL)
    calls, errors, unpriced, *rest = values.values()
    return (calls, errors, unpriced, timed, *rest)


def check_rollups(events: list[UsageEvent]) -> None:
    """Compare both rollups with the events, row by row, days by zoneinfo's own conversion."""
    zone = ZoneInfo(settings.OWNER_TIME_ZONE)
    quarters: dict[Any, list[Any]] = {}
    days: dict[Any, list[Any]] = {}
    for event in events:
        start = event.at // QUARTER * QUARTER
        quarters.setdefault((start, event.service, event.vendor, event.model, event.source), []).append(event)
        day = datetime.fromtimestamp(event.at // 1000, zone).date()
        divided = {"all": "", "service": event.service, "vendor": event.vendor, "model": event.model}
        for dimension, key in (divided | {"source": event.source}).items():
            days.setdefault((dimension, day, key), []).append(event)
    expected = [{key: add_up(found) for key, found in sums.items()} for sums in (quarters, days)]
    stored = [
        {
            (row.start, row.service, row.vendor, row.model, row.source): stored_facts(row)
            for row in UsageQuarter.objects.all()
        },
        {(row.dimension, row.day, row.key): stored_facts(row) for row in UsageDay.objects.all()},
    ]
    for ours, theirs in zip(expected, stored, strict=True):
        # Calls that were all taken back leave rows of zeros.
        assert {key: sums for key, sums in ours.items() if any(sums)} == {
            key: sums for key, sums in theirs.items() if any(sums)
        }


def add_up(events: list[UsageEvent]) -> tuple[int, ...]:
    return tuple(map(sum, zip(*map(facts_of, events), strict=True)))


def test_an_answer_that_comes_with_a_newer_backup_is_a_new_call(tmp_path: Path) -> None:
    world = World(tmp_path, [(10**12 + number, number * 1000) for number in range(CALLS)])
    world.load([(0, [0, 1])])
    world.load([(0, [0, 1, 2]), (1, [2, 3])])
    world.check()
    assert len(world.imported) == UsageEvent.objects.count() == 4
    # A chat that was renamed here goes on with what the browser wrote after it.
    world.rename(0)
    world.load([(0, [0, 1, 2, 4])])
    world.check()
    assert len(world.imported) == 5


MIDNIGHTS = [
    *(("Pacific/Apia", "2011-12-30T10:00"), ("America/Sao_Paulo", "2018-11-04T03:00")),
    *(
        ("America/Havana", "2024-03-10T05:00"),
        ("America/Havana", "2024-11-03T05:00"),
        ("Africa/Cairo", "2024-04-25T22:00"),
    ),
    *(
        ("Asia/Beirut", "2024-03-30T22:00"),
        ("Asia/Beirut", "2024-10-26T21:00"),
        ("America/Asuncion", "2024-10-06T04:00"),
    ),
    *(("Australia/Lord_Howe", "2024-10-05T15:30"), ("Europe/Berlin", "2024-10-26T22:00")),
    *(("Asia/Kathmandu", "2024-06-30T18:15"), ("America/St_Johns", "2024-06-30T02:30")),
]
"""In UTC: when clocks change at midnight, and when other days begin."""


@pytest.mark.parametrize(("zone", "text"), MIDNIGHTS)
def test_days_are_those_of_the_zones_clocks(zone: str, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "OWNER_TIME_ZONE", zone)
    keep_ledger()
    middle = round(datetime.fromisoformat(text + "+00:00").timestamp() * 1000)
    for quarter in range(-12, 13):
        for rest in (0, QUARTER - 1):
            make_event(at=middle + quarter * QUARTER + rest, source="chat")
    assert len(set(UsageDay.objects.values_list("day", flat=True))) == 2
    check_rollups(list(UsageEvent.objects.all()))
    rebuild_rollups()
    check_rollups(list(UsageEvent.objects.all()))


@settings_for(seconds=0.4)
@given(
    pool=st.lists(st.tuples(times, costs), min_size=CALLS, max_size=CALLS),
    deeds=st.lists(STEPS, min_size=4, max_size=14),
    zone=st.sampled_from(ZONES),
)
def test_the_sums_equal_the_ledger_after_any_sequence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pool: list[Any], deeds: list[Any], zone: str
) -> None:
    monkeypatch.setattr(importer, "create_backup", lambda reason: SimpleNamespace(path=reason))
    monkeypatch.setattr(record_writer, "PAUSE", 0)
    before = settings.OWNER_TIME_ZONE
    try:
        with undone():
            world = World(tmp_path, pool)
            world.move(zone)
            for name, *values in deeds:
                getattr(world, name)(*values)
                world.check()
            world.rebuild()
            world.check()
    finally:
        settings.OWNER_TIME_ZONE = before
