"""`manage.py rebuild_ledger` and `reconcile_metrics`: what is missing is added, once, and the sums are checked."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from chats.bigagi import history
from metrics.ledger.rollups import find_differences
from metrics.models import UsageDay, UsageEvent, UsageQuarter
from tests.api import make_baseline, make_chat, make_message
from tests.metrics.events import NOON, make_event
from tests.metrics.histories import ledger_rows

pytestmark = pytest.mark.django_db


def answer(uid: str, created: Any = NOON, **metrics: Any) -> dict[str, Any]:
    generator = {"mgt": "aix", "name": "gpt", "aix": {"vId": "openai", "mId": "openai-gpt-4o"}}
    metrics = {"TIn": 10, "TOut": 5, "dtAll": 900, "$c": 0.25} | metrics
    return make_message(uid, role="assistant", created=created, generator=generator | {"metrics": metrics})


def run(*options: str) -> str:
    out = StringIO()
    call_command("rebuild_ledger", *options, stdout=out, stderr=out)
    return out.getvalue()


def refuse(*options: str) -> str:
    out = StringIO()
    with pytest.raises(CommandError) as refused:
        call_command("rebuild_ledger", *options, stdout=out, stderr=out)
    return out.getvalue() + str(refused.value)


def test_it_adds_the_calls_of_messages_here_once() -> None:
    make_chat("one", messages=[make_message("q"), answer("a"), answer("b", created=NOON + 1)])
    make_chat("two", position=1, messages=[answer("copy"), answer("c", TIn=11)])
    assert not UsageEvent.objects.exists()

    assert run() == "3 calls added: the ledger has 3 events, and its sums agree with them.\n"
    assert run() == "Nothing was missing: the ledger has 3 events, and its sums agree with them.\n"
    assert sorted(UsageEvent.objects.values_list("conversation", "message", "at", "cost_nano_usd", "service")) == [
        ("one", "a", NOON, 2_500_000, "openai"),
        ("one", "b", NOON + 1, 2_500_000, "openai"),
        ("two", "c", NOON, 2_500_000, "openai"),
    ]


def test_many_messages_come_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MESSAGES_A_BATCH", 3)
    make_chat("one", messages=[answer(f"a{at}", created=NOON + at) for at in range(10)])

    assert run().startswith("10 calls added")
    assert find_differences() == []


def test_a_message_without_a_time_is_dated_by_its_chat() -> None:
    make_chat("one", messages=[answer("a", created=None)], created=5, updated=7)
    run()

    assert UsageEvent.objects.get().at == 7


def test_calls_made_here_are_not_counted_again() -> None:
    make_chat("one", messages=[answer("a"), answer("b", created=NOON + 1)])
    make_event(conversation="one", message="a", call=None)
    # Another chat's message can have the same id, and a call beside the messages has none.
    make_event(conversation="other", message="b", call=None)
    make_event(conversation="one", message="", call=None)
    run()

    assert UsageEvent.objects.filter(source="import").values_list("message", flat=True).get() == "b"


def test_a_sum_that_is_wrong_is_built_anew() -> None:
    make_event()
    UsageDay.objects.filter(dimension="all").update(calls=7)
    UsageQuarter.objects.all().delete()
    told = refuse("--check")
    assert "day all" in told and "quarter-hour" in told and "rebuild_ledger" in told

    assert run().startswith("Nothing was missing: the ledger has 1 event, and its sums agree")
    assert run("--check") == "The ledger has 1 event, and its sums agree with them.\n"


def test_a_check_names_what_is_missing_and_changes_nothing() -> None:
    make_chat("one", messages=[answer("a")])
    told = refuse("--check")

    assert "1 call recorded in messages is missing from the ledger." in told and "rebuild_ledger" in told
    assert not UsageEvent.objects.exists()


def test_sums_that_differ_after_all_are_an_error() -> None:
    make_event()
    differing = "chats.management.commands.rebuild_ledger.find_differences"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(differing, lambda limit: [("day", n) for n in range(limit)])
        assert "More than 10 of the sums differ" in refuse()


def test_damaged_metrics_stop_nothing() -> None:
    metrics = {"TIn": True, "TOut": -5, "TCacheRead": 2**60, "$c": "free", "dtAll": 1e300, "$code": ["x"]}
    make_chat("one", messages=[answer(f"a{at}", created=at * 10**15, **metrics) for at in range(-2, 3)])
    run()

    assert set(UsageEvent.objects.values_list("at", "cost_nano_usd", "input_tokens")) == {(2, None, None)}
    assert find_differences() == []


def test_reconcile_metrics_prints_what_is_known() -> None:
    out = StringIO()
    call_command("reconcile_metrics", stdout=out)
    assert "There are no counts and no calls yet" in out.getvalue()

    make_baseline(totalCosts=0.01, usageCount=3, lastUsageDate=NOON)
    make_event(source="import", cost_nano_usd=4_000_000)
    make_event(service="", cost_nano_usd=1)
    out = StringIO()
    call_command("reconcile_metrics", stdout=out)
    for words in ("$0.01", "$0.006", "$0.004", "2 calls for $0.006 without a message here", "no service"):
        assert words in out.getvalue()

    out = StringIO()
    call_command("reconcile_metrics", "--json", stdout=out)
    reports = json.loads(out.getvalue())
    assert [(one["service"], one["gap"]["cost_nano_usd"]) for one in reports] == [("", 0), ("openai", 6_000_000)]


def test_reconcile_metrics_fails_where_messages_tell_of_more_than_was_counted() -> None:
    make_baseline(totalCosts=0.01, usageCount=1, lastUsageDate=NOON)
    make_event(source="import", cost_nano_usd=10_000_002)
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("reconcile_metrics", stdout=out)
    assert "! Messages account for $0.010000002" in out.getvalue()


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time")
def test_a_call_that_another_writes_meanwhile_is_written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from metrics.history import recording

    make_chat("one", messages=[answer("a"), answer("b", created=NOON + 1)])
    find_new, looked = recording.find_new, []

    def find_too_early(found: Any) -> Any:
        # The first look is as of before the other's commit.
        looked.append(find_new(found))
        return found if len(looked) == 1 else looked[-1]

    [(_, calls)] = list(history.calls_here())
    recording.record_history(calls[:1])
    monkeypatch.setattr(recording, "find_new", find_too_early)
    assert recording.record_history(calls) == 1
    assert len(ledger_rows()) == 2 and connection.vendor == "postgresql"
