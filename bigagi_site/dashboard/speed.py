"""Latency and error rate of services, from the rollups."""

from dataclasses import dataclass
from datetime import date

from bigagi_site.dashboard.spending import link_to_calls
from metrics.latency import PERCENTILES, find_percentiles
from metrics.models.rollups import FIRST_TOKEN, TOTAL
from stores.records.sql import fetch

_SUMS = ", ".join(f"SUM({name})" for name in ("calls", "errors", *FIRST_TOKEN, *TOTAL))


@dataclass(frozen=True)
class Speed:
    """A service over some days: latencies in ms, None where no call told any."""

    service: str
    calls: int
    errors: int
    first_p50: int | None
    first_p95: int | None
    total_p95: int | None
    url: str
    failed_url: str

    @property
    def error_share(self) -> float | None:
        """Calls that failed, in percent."""
        return 100 * self.errors / self.calls if self.calls > 0 else None


def read_speeds(first: date, last: date) -> list[Speed]:
    """Return the services that were called on these days, the last one included, busiest first."""
    rows = fetch(
        f"SELECT key, {_SUMS} FROM {{metrics.UsageDay}} WHERE dimension = 'service' AND day >= %s AND day <= %s"
        " GROUP BY key HAVING SUM(calls) > 0 ORDER BY SUM(calls) DESC, key",
        [first.isoformat(), last.isoformat()],
    )
    speeds = []
    for service, calls, errors, *buckets in rows:
        to_first, to_end = (
            dict(zip(PERCENTILES, find_percentiles([int(count) for count in some]), strict=True))
            for some in (buckets[: len(FIRST_TOKEN)], buckets[len(FIRST_TOKEN) :])
        )
        url = link_to_calls(first, last, service=service)
        failed_url = link_to_calls(first, last, service=service, outcome="failed")
        speeds.append(Speed(service, int(calls), int(errors), to_first[50], to_first[95], to_end[95], url, failed_url))
    return speeds
