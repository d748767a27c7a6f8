"""Percentiles of latencies from the log-scale histograms of the rollups. Pure."""

from collections.abc import Sequence

from metrics.models.rollups import LATENCY_BOUNDS

PERCENTILES = (50, 90, 95, 99)

_LOWER = (1, *LATENCY_BOUNDS)
_GROWTH = tuple(upper / lower for lower, upper in zip(_LOWER, (*LATENCY_BOUNDS, LATENCY_BOUNDS[-1] * 2), strict=True))
"""By how much each bucket's upper bound is above its lower one; the last has none, and is taken to be as wide as the
others."""

Percentiles = tuple[int | None, ...]
UNKNOWN: Percentiles = (None,) * len(PERCENTILES)


def find_percentiles(histogram: Sequence[int]) -> Percentiles:
    """Return the percentiles in ms of calls counted by bucket, None where there are none.

    Each lies in the bucket of the true one (the nearest rank's); in a bucket, latencies are taken to be spread evenly
    on the log scale.
    """
    count = sum(histogram)
    if count <= 0:
        return UNKNOWN
    found: list[int] = []
    below = 0
    for bucket, inside in enumerate(histogram):
        if inside <= 0:
            continue
        while len(found) < len(PERCENTILES) and (rank := PERCENTILES[len(found)] * count / 100) <= below + inside:
            found.append(round(_LOWER[bucket] * _GROWTH[bucket] ** ((rank - below) / inside)))
        below += inside
    return tuple(found)
