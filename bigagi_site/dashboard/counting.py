"""Total spending: browser counts plus the calls made since."""

from dataclasses import dataclass
from datetime import datetime

from bigagi_site.dashboard.spending import link_to_list_of_calls
from metrics.counting import Total, read_totals
from metrics.days import zone


@dataclass(frozen=True)
class Counting:
    """Totals since the last reset, or of all time if there was none; money in nano-dollars."""

    since: datetime | None
    nano_usd: int
    calls: int
    all_nano_usd: int
    all_calls: int
    url: str
    all_url: str


def read_counting() -> Counting:
    """Return the totals of all services together."""
    totals = read_totals()
    all_nano_usd, all_calls = _add_up(totals.all_time)
    all_url = link_to_list_of_calls()
    if totals.start is None or totals.since is None:
        return Counting(None, all_nano_usd, all_calls, all_nano_usd, all_calls, all_url, all_url)
    since = datetime.fromtimestamp(totals.start.at / 1000, zone())
    url = link_to_list_of_calls(when=f"{totals.start.at}..")
    return Counting(since, *_add_up(totals.since), all_nano_usd, all_calls, url, all_url)


def _add_up(services: dict[str, Total]) -> tuple[int, int]:
    return (
        sum(total.amounts.cost_nano_usd for total in services.values()),
        sum(total.amounts.calls for total in services.values()),
    )
