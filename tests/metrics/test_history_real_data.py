"""The files that big-AGI wrote become a ledger that equals what stands in them, to the nano-dollar."""

from decimal import Decimal
from pathlib import Path

import pytest

from metrics.ledger.rollups import find_differences
from metrics.models import UsageEvent
from metrics.reconciliation import Amounts, reconcile
from tests.metrics.histories import ledger_rows, raw_calls, raw_messages, raw_services, sum_ledger, sum_raw
from tests.stores.imports import import_path, stores_of

pytestmark = [pytest.mark.django_db]


@pytest.fixture
def flash(real_data: Path) -> Path:
    path = real_data / "exports" / "flash.json"
    import_path(path)
    return path


def test_the_ledger_equals_the_raw_json_exactly(flash: Path) -> None:
    calls = raw_calls(flash)

    assert (len(raw_messages(flash)), len(calls), UsageEvent.objects.count()) == (20, 18, 18)
    assert sum_ledger() == sum_raw(calls, raw_services(flash))
    for message in calls:
        metrics, aix = message["generator"]["metrics"], message["generator"]["aix"]
        event = UsageEvent.objects.get(at=message["created"], model=aix["mId"])
        assert event.cost_nano_usd == Decimal(metrics["$c"]) * 10_000_000
        assert (event.input_tokens, event.cache_read_tokens) == (metrics["TIn"], metrics.get("TCacheRead"))
        assert (event.output_tokens, event.reasoning_tokens) == (
            metrics["TOut"] - metrics.get("TOutR", 0),
            metrics.get("TOutR"),
        )
        assert (event.ms_to_first_token, event.ms_total) == (metrics["dtStart"], metrics["dtAll"])
        assert (event.vendor, event.source, event.outcome, event.calls) == (aix["vId"], "import", "done", 1)
        assert {name: Decimal(str(value)) for name, value in event.raw_usage.items()} == metrics
    assert find_differences() == []


def test_each_service_is_at_most_what_big_agi_counted_and_the_gap_is_told(flash: Path) -> None:
    counted = stores_of(flash)["app-metrics"]["state"]["serviceMetrics"]
    raw = sum_raw(raw_calls(flash), raw_services(flash))
    reports = {report.service: report for report in reconcile()}

    assert reports.keys() == counted.keys() == raw.keys()
    for service, report in reports.items():
        totals, found = counted[service], raw[service]
        assert report.counted == Amounts(
            totals["usageCount"],
            round(Decimal(repr(totals["totalCosts"])) * 10**9),
            totals["totalInputTokens"],
            totals["totalOutputTokens"],
        )
        assert report.explained == Amounts(found["calls"], found["cost"], found["input"], found["output"])
        assert min(vars(report.gap).values()) >= 0 and report.gap.calls > 0
        assert report.later == report.own == Amounts() and report.total == report.counted
        assert report.alarms == () and "deleted chats" in report.explanation
        assert str(report.gap.calls) in report.explanation


@pytest.mark.parametrize(
    "name",
    [
        *("flash.json", "flash-compact.json", "flash-with-images.json", "flash-with-images-no-settings.json"),
        *("all-chats.agi.json", "chat-flags.agi.json", "chat-images.agi.json", "chat-persona.agi.json"),
    ],
)
def test_other_files_of_the_same_chats_add_nothing(flash: Path, name: str) -> None:
    before = ledger_rows()
    progress = import_path(flash.parent / name)

    assert ledger_rows() == before
    assert any("18 calls from imported messages in the ledger, 0 new." in note for note in progress.notes)


def test_exports_alone_become_the_same_calls(real_data: Path) -> None:
    import_path(real_data / "exports" / "all-chats.agi.json")
    first = ledger_rows()
    import_path(real_data / "exports" / "flash.json")

    # The services come after the chats in such a file: what the models' ids name is theirs all the same.
    assert ledger_rows() == first
    assert sum_ledger() == sum_raw(
        raw_calls(real_data / "exports" / "flash.json"), raw_services(real_data / "exports" / "flash.json")
    )


def test_a_dry_run_writes_no_event(real_data: Path) -> None:
    import_path(real_data / "exports" / "flash.json", dry_run=True)

    assert not UsageEvent.objects.exists()
