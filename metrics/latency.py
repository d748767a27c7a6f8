"""Percentiles of latencies from the log-scale histograms of the rollups. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from metrics.models.rollups import LATENCY_BOUNDS

PERCENTILES = (50, 90, 95, 99)

_LOWER = (1, *LATENCY_BOUNDS)
_GROWTH = tuple(upper / lower for lower, upper in zip(_LOWER, (*LATENCY_BOUNDS, LATENCY_BOUNDS[-1] * 2), strict=True))
"""By how much each bucket's upper bound is above its lower one; the last has none, and is taken to be as wide as the
others."""

Percentiles = tuple[int | None, ...]
UNKNOWN: Percentiles = (None,) * len(PERCENTILES)


def find_percentiles(histogram: Sequence[int]) -> Percentiles:
    """Return the percentiles in ms of calls counted by bucket (never below 0), None where there are none.

    Each lies in the bucket of the true one (the nearest rank's); in a bucket, latencies are taken to be spread evenly
    on the log scale.
    """
    reached = list(accumulate(histogram))
    count = reached[-1]
    if count <= 0:
        return UNKNOWN
    found = []
    for percent in PERCENTILES:
        rank = percent * count / 100
        bucket = bisect_left(reached, rank)
        share = 1 - (reached[bucket] - rank) / histogram[bucket]
        found.append(round(_LOWER[bucket] * _GROWTH[bucket] ** share))
    return tuple(found)
