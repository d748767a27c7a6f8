"""Totals of several browsers are kept apart, verbatim: a dump gives the last one loaded, and all of them count."""

from pathlib import Path
from typing import Any

import pytest

from metrics.models import OtherBaseline, UsageBaseline
from metrics.reconciliation import reconcile
from stores.models import Change
from stores.records.undoing import undo
from stores.services.stores import delete_store, patch_store, replace_store
from tests.stores.imports import JSONObject, dump, import_path, typed, write_backup
from tests.stores.picking import origin_of

pytestmark = pytest.mark.django_db

DAYS = [f"2026-11-{day:02}T12:00:00.000Z" for day in range(1, 29)]


def totals(calls: int, first: int = 1000, **members: Any) -> JSONObject:
    counted = {"totalCosts": calls / 10, "totalInputTokens": 5 * calls, "totalOutputTokens": calls, "usageCount": calls}
    return counted | {"firstUsageDate": first, "lastUsageDate": first + calls, "unknown": [None, 1.5]} | members


@pytest.fixture
def load(tmp_path: Path):
    """Load the totals of one service from a backup of a browser; None: the backup does not name it."""

    def load(
        device: str | None, baseline: Any, day: int = 1, first_in_file: str = "app-metrics", **options: Any
    ) -> None:
        stores: JSONObject = {"app-metrics": {"state": {"serviceMetrics": {"openai": baseline}}, "version": 0}}
        if device is not None:
            stores["app-device"] = {"state": {"localDeviceId": device}, "version": 1}
        stores = {name: stores[name] for name in sorted(stores, key=lambda name: name != first_in_file)}
        path = write_backup(tmp_path / f"{device}-{day}.json", None, stores=stores, taken_at=DAYS[day])
        import_path(path)

    return load


def here() -> Any:
    return dump("app-metrics")["state"]["serviceMetrics"].get("openai")


def devices() -> dict[str, int]:
    """Return the calls that count, by browser, the last one loaded first."""
    return {device.device: device.counted.calls for report in reconcile() for device in report.devices}


@pytest.mark.parametrize("first", ["app-device", "app-metrics"])
def test_a_file_names_its_browser_wherever_that_stands_in_it(load, first: str) -> None:
    load("phone", totals(3), first_in_file=first)

    assert UsageBaseline.objects.get().device == "phone" and devices() == {"phone": 3}


def test_another_browser_takes_the_place_and_both_count(load) -> None:
    load("phone", totals(3), 1)
    load("laptop", totals(5, first=9), 2)

    assert typed(here()) == typed(totals(5, first=9))
    assert list(devices().items()) == [("laptop", 5), ("phone", 3)]
    assert typed(OtherBaseline.objects.get().data) == typed(totals(3))
    [report] = reconcile()
    assert (report.counted.calls, report.counted.cost_nano_usd, report.counted.input_tokens) == (8, 800_000_000, 40)


def test_a_browser_that_is_loaded_again_stands_once(load) -> None:
    load("phone", totals(3), 1)
    load("laptop", totals(5, first=9), 2)
    load("phone", totals(4), 3)

    assert typed(here()) == typed(totals(4))
    assert list(devices().items()) == [("phone", 4), ("laptop", 5)]


def test_an_older_backup_of_another_browser_is_kept_beside(load) -> None:
    load("laptop", totals(5, first=9), 5)
    load("phone", totals(3), 2)

    assert typed(here()) == typed(totals(5, first=9))
    assert devices() == {"laptop": 5, "phone": 3}
    # Of one browser the newest counts, in whatever order they come.
    load("phone", totals(2), 1)
    assert devices() == {"laptop": 5, "phone": 3}
    load("phone", totals(4), 3)
    assert devices() == {"laptop": 5, "phone": 4}
    load("phone", totals(6), 6)
    assert list(devices().items()) == [("phone", 6), ("laptop", 5)]


def test_an_older_backup_of_the_same_browser_changes_nothing(load) -> None:
    load("phone", totals(5), 5)
    load("phone", totals(3), 2)

    assert typed(here()) == typed(totals(5)) and devices() == {"phone": 5}


def test_the_same_file_again_changes_nothing(load) -> None:
    load("phone", totals(3), 1)
    load("laptop", totals(5, first=9), 2)
    before = [*UsageBaseline.objects.values(), *OtherBaseline.objects.values()]
    load("laptop", totals(5, first=9), 2)
    load("phone", totals(3), 1)

    assert [*UsageBaseline.objects.values(), *OtherBaseline.objects.values()] == before


def test_a_browser_without_a_name_is_known_by_when_it_began(load) -> None:
    load(None, totals(3), 1)
    load("phone", totals(4), 2)

    assert devices() == {"phone": 4}
    load(None, totals(5), 3)
    assert devices() == {"phone": 5}
    # This one began at another time.
    load(None, totals(7, first=50), 4)
    assert list(devices().items()) == [("", 7), ("phone", 5)]


def test_the_name_is_learned_also_where_nothing_changes(load) -> None:
    load(None, totals(3), 1)
    load("phone", totals(3), 2)

    assert devices() == {"phone": 3}


def test_a_write_through_the_api_leaves_the_browser(load) -> None:
    load("phone", totals(3), 1)
    load("laptop", totals(5, first=9), 2)
    patch_store(origin_of(None), "app-metrics", {"state": {"serviceMetrics": {"openai": {"usageCount": 6}}}})

    assert list(devices().items()) == [("laptop", 6), ("phone", 3)]


def test_deleted_totals_count_no_more_and_an_undo_brings_all_back(load) -> None:
    load("phone", totals(3), 1)
    load("laptop", totals(5, first=9), 2)
    replace_store(origin_of(None), "app-metrics", {"state": {"serviceMetrics": {}}, "version": 0})
    assert devices() == {}

    deleted = Change.objects.order_by("-pk").first()
    assert deleted is not None
    undo(origin_of(None), deleted.pk)

    assert list(devices().items()) == [("laptop", 5), ("phone", 3)] and typed(here()) == typed(totals(5, first=9))


@pytest.mark.django_db(transaction=True)
def test_totals_deleted_for_good_are_forgotten_of_all_browsers(load) -> None:
    load("phone", totals(3), 1)
    load("laptop", totals(5, first=9), 2)
    delete_store(origin_of(None), "app-metrics", confirmed=True, purge=True)

    assert not UsageBaseline.objects.exists() and not OtherBaseline.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_totals_that_an_undo_can_bring_back_are_not_forgotten_with_others(load) -> None:
    load("phone", totals(3), 1)
    load("laptop", totals(5, first=9), 2)
    replace_store(origin_of(None), "app-metrics", {"state": {"serviceMetrics": {"groq": totals(1)}}, "version": 0})
    deleted = Change.objects.order_by("-pk").first()
    assert deleted is not None
    delete_store(origin_of(None), "app-metrics", confirmed=True, purge=True)

    assert OtherBaseline.objects.get().service == "openai"


@pytest.mark.parametrize("cost", [0, 3, 3.0, 2**53, 1e-300, -1, None, "1", True, 10**400])
def test_any_cost_is_kept_verbatim_of_every_browser(load, cost: Any) -> None:
    load("phone", totals(3, totalCosts=cost, totalSavings=cost), 1)
    load("laptop", totals(5, first=9, totalCosts=cost), 2)
    load("tablet", totals(4, first=8, totalCosts=cost), 1)

    assert typed(here()) == typed(totals(5, first=9, totalCosts=cost))
    kept = {other.device: other.data for other in OtherBaseline.objects.all()}
    assert typed(kept["phone"]) == typed(totals(3, totalCosts=cost, totalSavings=cost))
    assert typed(kept["tablet"]) == typed(totals(4, first=8, totalCosts=cost))


@pytest.mark.parametrize("device", [5, "", None, "x" * 201, {"a": 1}, "\x00"])
def test_a_name_that_cannot_be_used_is_none(load, tmp_path: Path, device: Any) -> None:
    stores = {
        "app-device": {"state": {"localDeviceId": device}, "version": 1},
        "app-metrics": {"state": {"serviceMetrics": {"openai": totals(3)}}, "version": 0},
    }
    import_path(write_backup(tmp_path / "odd.json", None, stores=stores))

    assert devices() == {"": 3}
