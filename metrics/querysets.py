"""Totals of usage."""

import math
from collections.abc import Iterable
from typing import Any

from stores.records.json_values import is_number

SUMMED = (
    *("totalCosts", "totalSavings", "totalInputTokens", "totalOutputTokens", "usageCount"),
    *("freeUsages", "noPricingUsages", "noTokenUsages", "partialMessageUsages", "partialPriceUsages"),
)
"""Members of big-AGI's totals of a service that can be added up; costs and savings are USD."""


def sum_baselines(baselines: Iterable[Any]) -> dict[str, int | float | None]:
    """Return the totals over the services' totals in big-AGI's JSON. None: no service knows it."""
    known = [baseline for baseline in baselines if isinstance(baseline, dict)]
    totals: dict[str, int | float | None] = {}
    for name in SUMMED:
        totals[name] = _sum([baseline[name] for baseline in known if _is_finite(baseline.get(name))])
    totals["firstUsageDate"] = min(_numbers(known, "firstUsageDate"), default=None)
    totals["lastUsageDate"] = max(_numbers(known, "lastUsageDate"), default=None)
    return totals


def _numbers(baselines: list[dict[str, Any]], name: str) -> list[int | float]:
    return [baseline[name] for baseline in baselines if _is_finite(baseline.get(name))]


def _sum(values: list[int | float]) -> int | float | None:
    if not values:
        return None
    return sum(values) if all(isinstance(value, int) for value in values) else math.fsum(values)


def _is_finite(value: Any) -> bool:
    # An integer beyond what a double holds is damage, and would break a sum with floats.
    return is_number(value) and abs(value) < 2**1000
