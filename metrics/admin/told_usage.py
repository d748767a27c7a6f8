"""What a provider told of a call's usage, and what the ledger took of it, side by side."""

from collections.abc import Iterator
from typing import Any

from django.utils.safestring import SafeString

from llms.vendors.usage import ADAPTERS, UsageReading
from metrics.models import UsageEvent
from stores.admin.display import show_table
from stores.records.formatting import NOTHING
from stores.records.units import format_usd

PARTS = {
    "input": "New input",
    "cache_read": "Cache read",
    "cache_write": "Cache write",
    "output": "Output",
    "reasoning": "Reasoning",
}


def show_told_usage(event: UsageEvent) -> SafeString | str:
    """Return the table for a call of a provider that was made here; nothing for one of Demo, which tells no usage, or
    for an imported one, whose counts are big-AGI's."""
    usage, adapter = event.raw_usage, ADAPTERS.get(event.vendor)
    if not isinstance(usage, dict) or event.source == "import" or adapter is None:
        return NOTHING
    # The vendor and its paper, as the adapter's docstring begins.
    paper = " ".join((type(adapter).__doc__ or "").split()).rpartition('"')[0]
    return show_table(
        f'Read after {paper}"', ["", "Reported", "Recorded", "Why they differ"], _rows(event, adapter.read(usage))
    )


def _rows(event: UsageEvent, reading: UsageReading) -> Iterator[tuple[Any, ...]]:
    for part, label in PARTS.items():
        told = reading.told.get(part, [])
        taken, read = getattr(event, f"{part}_tokens"), getattr(reading.tokens, part)
        if told or taken is not None:
            yield label, ", ".join(f"{name} {count:,}" for name, count in told), taken, _why(taken, read, told)
    reported = reading.reported_nano_usd
    if reported is not None:
        yield "Reported cost", format_usd(reported), format_usd(event.cost_reported_nano_usd or 0), ""


def _why(taken: int | None, read: int | None, told: list[tuple[str, int]]) -> str:
    if taken == read:
        return "the others are subtracted" if len(told) > 1 else ""
    if not told:
        return "estimated: it was not reported"
    return "estimated: the reported count is impossible" if read in (0, None) else "beyond the ledger's limits"
