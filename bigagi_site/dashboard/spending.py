"""Spending: this month compared with the last one, and by model, from the rollups."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.urls import get_script_prefix, reverse

from metrics.days import DAY, month_of, today
from stores.records.sql import fetch

MOST = 8


@dataclass(frozen=True)
class Spending:
    """Sums over calls; money in nano-dollars. `cached_tokens` were read from a cache or written to one."""

    calls: int = 0
    errors: int = 0
    unpriced: int = 0
    nano_usd: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0

    @property
    def tokens(self) -> int:
        return self.input_tokens + self.cached_tokens + self.output_tokens


SUMS = (
    "COALESCE(SUM(calls), 0), COALESCE(SUM(errors), 0), COALESCE(SUM(unpriced), 0), COALESCE(SUM(cost_nano_usd), 0),"
    " COALESCE(SUM(input_tokens), 0), COALESCE(SUM(cache_read_tokens + cache_write_tokens), 0),"
    " COALESCE(SUM(output_tokens + reasoning_tokens), 0)"
)


@dataclass(frozen=True)
class Month:
    """This month until now, the last one until the same day, and the last one whole."""

    first: date
    same_day: date
    """The first day of the last month that is not in `last_so_far`."""
    now: Spending
    last_so_far: Spending
    last: Spending

    @property
    def change(self) -> int | None:
        """How much more was spent than by this day of last month, in percent; None: nothing was spent then."""
        before = self.last_so_far.nano_usd
        return round(100 * (self.now.nano_usd - before) / before) if before > 0 else None

    @property
    def error_share(self) -> float:
        """Calls that failed, in percent."""
        return 100 * self.now.errors / self.now.calls if self.now.calls > 0 else 0.0


def read_month() -> Month:
    """Return what this month and the last one came to, by days of the owner's zone."""
    now = today()
    first, after = month_of(now)
    last_first, _ = month_of(first - DAY)
    same_day = min(last_first + (now - first) + DAY, first)
    return Month(first, same_day, add_up(first, after), add_up(last_first, same_day), add_up(last_first, first))


def add_up(first: date, after: date) -> Spending:
    """Return the sums of the days from `first` on, before `after`."""
    [row] = fetch(
        f"SELECT {SUMS} FROM {{metrics.UsageDay}} WHERE dimension = 'all' AND day >= %s AND day < %s",
        [first.isoformat(), after.isoformat()],
    )
    return Spending(*map(int, row))


def find_expensive_models(first: date, last: date) -> list[dict[str, Any]]:
    """Return the models that cost most on these days, the last one included, with links to their calls."""
    rows = fetch(
        f"SELECT key, {SUMS} FROM {{metrics.UsageDay}} WHERE dimension = 'model' AND day >= %s AND day <= %s"
        " GROUP BY key HAVING SUM(calls) > 0 ORDER BY SUM(cost_nano_usd) DESC, SUM(calls) DESC, key LIMIT %s",
        [first.isoformat(), last.isoformat(), MOST],
    )
    return [
        {"model": model, "amounts": Spending(*map(int, sums)), "url": link_to_calls(first, last, model=model)}
        for model, *sums in rows
    ]


def link_to_calls(first: date, last: date, **filters: str) -> str:
    """Return the address of the list of the calls of these days, the last one included."""
    return link_to_list_of_calls(when=f"{first}..{last}", **filters)


def link_to_list_of_calls(**filters: str) -> str:
    """Return the address of the list of the calls that the filters of `metrics.admin.filters` let through, without
    those that were taken back: they are in no sum."""
    return f"{_address_of_calls(get_script_prefix())}?{urlencode(filters | {'taken-back': 'stands'})}"


@cache
def _address_of_calls(_prefix: str) -> str:
    # A page has a hundred links to it, and to find it takes longer than to write the rest.
    return reverse("admin:metrics_usageevent_changelist")
