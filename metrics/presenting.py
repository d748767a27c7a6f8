"""Totals in big-AGI's fields, with exact nano-dollars. Unknown values are None. Pure."""

from collections.abc import Iterable
from typing import Any

from metrics.counting import Total, Totals
from metrics.models import CountingStart
from metrics.querysets import sum_baselines
from metrics.reconciliation import Amounts
from stores.records.units import NANO

NOTHING = Amounts()


def describe_totals(totals: Totals) -> dict[str, Any]:
    """Return what `GET /api/metrics` answers."""
    since = None
    if totals.start is not None and totals.since is not None:
        services = {service: _describe_amounts(total) for service, total in totals.since.items()}
        since = describe_start(totals.start) | {"totals": _add_up(services.values()), "services": services}
    services = {service: _describe_service(total) for service, total in totals.all_time.items()}
    return {"totals": _add_up(services.values()), "services": services, "since": since}


def describe_start(start: CountingStart) -> dict[str, Any]:
    """Return the time of the last reset, and its journal entry, which can be undone."""
    return {"at": start.at, "change": int(start.change) if start.change.isdecimal() else None}


def _describe_service(total: Total) -> dict[str, Any]:
    """Return a service's totals as the newest browser's JSON has them, with what others counted and what was called
    since."""
    newest = total.baselines[0] if total.baselines and isinstance(total.baselines[0], dict) else {}
    sums = sum_baselines(total.baselines)
    added = _known_amounts(total.added, total.unpriced)
    for name, value in added.items():
        if value is not None:
            sums[name] = (sums[name] or 0) + value
    for name, (choose, value) in {"firstUsageDate": (min, total.first), "lastUsageDate": (max, total.last)}.items():
        if value is not None:
            known = sums[name]
            sums[name] = value if known is None else choose(known, value)
    # A damaged member is shown as it is, where no other value is known.
    shown = newest | {name: value for name, value in sums.items() if value is not None}
    if not total.baselines:
        shown = sums
    return shown | {"_server": _describe_exactly(total, is_known=sums["totalCosts"] is not None)}


def _describe_amounts(total: Total) -> dict[str, Any]:
    amounts = _known_amounts(total.amounts, total.unpriced, is_nothing_known=True)
    return amounts | {"_server": _describe_exactly(total, is_known=amounts["totalCosts"] is not None)}


def _known_amounts(amounts: Amounts, unpriced: int, *, is_nothing_known: bool = False) -> dict[str, Any]:
    """Return amounts in big-AGI's fields, None where calls are there and none tells; `is_nothing_known` is whether no
    calls at all are a known 0."""
    if amounts == NOTHING and not is_nothing_known:
        return dict.fromkeys(("totalCosts", "totalInputTokens", "totalOutputTokens", "usageCount"))
    has_tokens = amounts.input_tokens or amounts.output_tokens or not amounts.calls
    return {
        "totalCosts": amounts.cost_nano_usd / NANO if amounts.cost_nano_usd or not unpriced else None,
        "totalInputTokens": amounts.input_tokens if has_tokens else None,
        "totalOutputTokens": amounts.output_tokens if has_tokens else None,
        "usageCount": amounts.calls,
    }


def _describe_exactly(total: Total, *, is_known: bool) -> dict[str, Any]:
    return {"cost_nano_usd": total.amounts.cost_nano_usd if is_known else None, "unpriced": total.unpriced}


def _add_up(services: Iterable[dict[str, Any]]) -> dict[str, Any]:
    services = list(services)
    exact = [service["_server"] for service in services]
    costs = [facts["cost_nano_usd"] for facts in exact if facts["cost_nano_usd"] is not None]
    server = {
        "cost_nano_usd": sum(costs) if costs else None,
        "unpriced": sum(facts["unpriced"] for facts in exact),
    }
    return sum_baselines(services) | {"_server": server}
