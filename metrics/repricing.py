"""The cost of calls at three prices: as recorded, at list prices of the day, and today's. Nothing is overwritten.

Calls of one model and day are priced by their sums where that gives the same to the nano-dollar; calls whose price
depends on their own size, as with tiers, are read and priced one by one, in batches. Do not do this for a million
calls in a request.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from llms.callable_model import CallableModel, UnknownModel
from llms.catalog import find_model, price_facts
from llms.pricing.book import is_flat_in_book
from llms.pricing.formula import FREE, Cost, is_flat, price_call
from llms.pricing.price import is_flat_price, price_by_book, price_model_call
from llms.pricing.tokens import Tokens
from llms.vendors.endpoint import NotCallable
from metrics.models import UsageEvent
from stores.records.clock import now_ms
from stores.records.codecs import JSONObject
from stores.records.ids import href
from stores.records.sql import fetch

DAY_MS = 86_400_000
SPAN_MS = 31 * DAY_MS
"""What one statement reads: between two of them others can write."""
ROWS_A_FETCH = 5_000
PAUSE = 0.001
"""Seconds between two statements, for other threads."""

Price = Callable[[Tokens, int], Cost]
"""What tokens cost at a time in ms."""


@dataclass
class View:
    """What calls cost by one price. `unpriced` calls, those whose cost is not known, are not in the sum."""

    cost_nano_usd: int = 0
    unpriced: int = 0

    def add(self, calls: int, cost: Cost, sign: int) -> None:
        """Add calls that cost that much together."""
        if cost.nano_usd is not None:
            self.cost_nano_usd += sign * cost.nano_usd
        elif cost.code != FREE:
            self.unpriced += calls


@dataclass
class Repriced:
    """The calls of one model of a service by the three prices."""

    service: str
    vendor: str
    model: str
    calls: int = 0
    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    recorded: View = field(default_factory=View)
    listed: View = field(default_factory=View)
    """By the price book, as of each call's day."""
    today: View = field(default_factory=View)
    """By the price that the person set, else the model's, else the price book's of today."""
    price_source: str = ""
    """Where today's price comes from: `user`, `model`, the book with its version, or nothing."""
    set_price: str = ""
    """Where a price for the model can be set, as PATCH of `{"userPricing": {"chat": …}}`; empty: the model is not here
    any more, or is virtual."""


@dataclass
class Hypothesis:
    """What the calls of a model would cost at a hypothetical price."""

    calls: int = 0
    recorded: View = field(default_factory=View)
    supposed: View = field(default_factory=View)


def reprice(
    start: int | None = None,
    end: int | None = None,
    *,
    service: str | None = None,
    model: str | None = None,
    now: int | None = None,
) -> list[Repriced]:
    """Return what the calls from `start` until before `end`, in ms since the epoch, cost by the three prices, by
    service and model; the most expensive by today's price first."""
    now = now_ms() if now is None else now
    found: dict[tuple[str, str, str], _Pricing] = {}
    for group in _groups(start, end, service=service, model=model):
        key = (group.service, group.vendor, group.model)
        if key not in found:
            found[key] = _Pricing(*key, now)
        found[key].add(group)
    results = [pricing.result for pricing in found.values()]
    return sorted(results, key=lambda one: (-one.today.cost_nano_usd, -one.calls, one.service, one.model))


def suppose_price(
    model: str, chat: JSONObject, start: int | None = None, end: int | None = None, *, service: str | None = None
) -> Hypothesis:
    """Return what all calls of the model would cost by a price of big-AGI's shape, USD a million tokens:
    `{"input": …, "output": …, "cache": …}` (`bigagi-format.md` § 5)."""
    pricing = {"chat": chat}
    supposed = _Priced(lambda tokens, at: price_call(tokens, pricing), is_flat(pricing))
    result = Hypothesis()
    for group in _groups(start, end, service=service, model=model):
        result.calls += group.calls
        _add_recorded(result.recorded, group)
        supposed.add(result.supposed, group)
    return result


# --- prices ----------------------------------------------------------------------------------------------------------


@dataclass
class _Priced:
    """A price, and whether a sum of calls costs by it what the calls do."""

    price: Price
    is_flat: bool

    def add(self, view: View, group: "_Group") -> None:
        parts = [group] if self.is_flat else _single_calls(group)
        for part in parts:
            view.add(part.calls, self.price(part.tokens, part.at), part.sign)


class _Pricing:
    """The prices of one model, and what its calls cost by them."""

    def __init__(self, service: str, vendor: str, model: str, now: int) -> None:
        self.result = Repriced(service, vendor, model)
        self._facts, is_here = _facts_of(service, vendor, model)
        self._today = _Priced(
            lambda tokens, at: price_model_call(self._facts, tokens, now).cost, is_flat_price(self._facts, now)
        )
        self._flat_day: tuple[int, bool] | None = None
        self.result.price_source = price_model_call(self._facts, Tokens(1, None, None, 1), now).source
        self.result.set_price = href("llms", model) if is_here else ""

    def add(self, group: "_Group") -> None:
        """Add calls of one day."""
        result, tokens, sign = self.result, group.tokens, group.sign
        result.calls += group.calls
        result.input_tokens += sign * (tokens.input or 0)
        result.cache_read_tokens += sign * (tokens.cache_read or 0)
        result.cache_write_tokens += sign * (tokens.cache_write or 0)
        result.output_tokens += sign * (tokens.output or 0)
        result.reasoning_tokens += sign * (tokens.reasoning or 0)
        _add_recorded(result.recorded, group)
        self._today.add(result.today, group)
        listed = View()
        self._list_of(group.day).add(listed, group)
        # No price list has models on the owner's own machines: they were free on that day, too.
        result.listed.cost_nano_usd += listed.cost_nano_usd
        result.listed.unpriced += 0 if group.is_free else listed.unpriced

    def _list_of(self, day: int) -> _Priced:
        vendor, ref = self._facts.vendor_id, self._facts.ref
        if self._flat_day is None or self._flat_day[0] != day:
            self._flat_day = day, is_flat_in_book(vendor, ref, day * DAY_MS)
        return _Priced(partial(_list_price, vendor, ref), self._flat_day[1])


def _list_price(vendor: str, ref: str, tokens: Tokens, at: int) -> Cost:
    return price_by_book(vendor, ref, tokens, at).cost if tokens.total else price_call(tokens, None)


def _add_recorded(view: View, group: "_Group") -> None:
    view.cost_nano_usd += group.cost_nano_usd
    view.unpriced += group.unpriced


def _facts_of(service: str, vendor: str, model: str) -> tuple[CallableModel, bool]:
    """Return what a price needs of a model, and whether it is here."""
    try:
        return price_facts(model), True
    except UnknownModel:
        pass
    try:
        return find_model(model), False
    except (UnknownModel, NotCallable):
        return CallableModel(model, model.removeprefix(f"{service}-"), model, service, vendor), False


# --- the ledger ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Group:
    """Calls of one model on one day (UTC) with the same kinds of tokens; or one of them. `tokens` are positive: of
    calls that were taken back, `sign` is -1 and `calls` below zero. `span` are the times between which they are."""

    service: str
    vendor: str
    model: str
    span: tuple[int, int]
    at: int
    sign: int
    is_free: bool
    calls: int
    tokens: Tokens
    cost_nano_usd: int = 0
    unpriced: int = 0

    @property
    def day(self) -> int:
        return self.at // DAY_MS


_COUNTS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
_KINDS = tuple(f"CASE WHEN COALESCE({name}, 0) = 0 THEN 0 ELSE 1 END" for name in _COUNTS)
_FREE = "CASE WHEN cost_nano_usd IS NULL AND cost_code = 'free' THEN 1 ELSE 0 END"
_UNPRICED = "CASE WHEN cost_nano_usd IS NULL AND cost_code <> 'free' THEN calls ELSE 0 END"
_DAY = f"at / {DAY_MS}"


def _groups(
    start: int | None, end: int | None, *, service: str | None = None, model: str | None = None
) -> Iterator[_Group]:
    """Yield all calls that count, in groups."""
    where, wanted = "source <> 'test' AND at >= %s AND at < %s", []
    for name, value in (("service", service), ("model", model)):
        if value is not None:
            where += f" AND {name} = %s"
            wanted.append(value)
    sums = ", ".join(f"SUM(COALESCE({name}, 0))" for name in (*_COUNTS, "cost_nano_usd"))
    by = ", ".join(("service", "vendor", "model", _DAY, "calls", _FREE, *_KINDS))
    statement = (
        f"SELECT service, vendor, model, MIN(at), calls, {_FREE}, SUM(calls), {sums}, SUM({_UNPRICED})"
        f" FROM {{metrics.UsageEvent}} WHERE {where} GROUP BY {by} ORDER BY service, vendor, model, MIN(at)"
    )
    for span in _spans(start, end):
        for row in fetch(statement, [*span, *wanted]):
            name, vendor, uid, at, sign, is_free, *rest = row
            calls, *counts, cost, unpriced = (int(value) for value in rest)
            tokens = Tokens(*(sign * count for count in counts))
            yield _Group(name, vendor, uid, span, at, sign, bool(is_free), calls, tokens, cost, unpriced)
        time.sleep(PAUSE)


def _spans(start: int | None, end: int | None) -> Iterator[tuple[int, int]]:
    """Yield spans of time, of whole days but for the ends, that hold all calls between the times."""
    while True:
        later = UsageEvent.objects.filter(at__gte=start or 0).order_by("at").values_list("at", flat=True).first()
        if later is None or (end is not None and later >= end):
            return
        last = later - later % DAY_MS + SPAN_MS
        start = last if end is None else min(last, end)
        yield later, start


def _single_calls(group: _Group) -> Iterator[_Group]:
    """Yield the calls of a group one by one; memory does not grow with them."""
    first, last = group.span
    day = group.day * DAY_MS
    kinds = " AND ".join(f"{kind} = %s" for kind in _KINDS)
    statement = (
        f"SELECT id, at, {', '.join(f'COALESCE({name}, 0)' for name in _COUNTS)} FROM {{metrics.UsageEvent}}"
        " WHERE source <> 'test' AND at >= %s AND at < %s AND model = %s AND service = %s AND vendor = %s"
        f" AND calls = %s AND {_FREE} = %s AND {kinds} AND id > %s ORDER BY id LIMIT %s"
    )
    counted = (getattr(group.tokens, name) for name in ("input", "cache_read", "cache_write", "output", "reasoning"))
    values = [max(first, day), min(last, day + DAY_MS), group.model, group.service, group.vendor, group.sign]
    values += [int(group.is_free), *(int(count != 0) for count in counted)]
    key = 0
    while rows := fetch(statement, [*values, key, ROWS_A_FETCH]):
        for key, at, *counts in rows:  # noqa: B007  # The last one is where the next statement begins.
            tokens = Tokens(*(group.sign * count for count in counts))
            yield replace(group, at=at, calls=group.sign, tokens=tokens)
        time.sleep(PAUSE)
