"""Calls of imported messages that are taken back with their import, by events that reverse theirs, and come back."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db.models import QuerySet

from metrics.ledger.corrections import COPIED, NEGATED
from metrics.models import UsageEvent
from stores.records.iteration import batched
from stores.records.sql import KEYS_A_QUERY, insert_rows

EVENTS_A_BATCH = 500

_NAMES = (*COPIED, *NEGATED, "calls", "corrects", "change")
_RUN = "run "


def name_run(run: int) -> str:
    """Return what an event of this run has as its origin, in `UsageEvent.change`."""
    return f"{_RUN}{run}"


def run_of(change: str) -> int | None:
    """Return the run that made an event with this origin; None where none did."""
    return int(change.removeprefix(_RUN)) if change.startswith(_RUN) else None


def find_taken_back(calls: Sequence[str]) -> dict[str, UsageEvent]:
    """Return for those of the calls, by their digests, that an undo of an import took back the event that did so."""
    found: dict[str, UsageEvent] = {}
    for some in batched(calls, KEYS_A_QUERY):
        events = UsageEvent.objects.filter(corrects__call__in=some).select_related("corrects")
        ends = {str(event.corrects.call): event for event in events if event.corrects is not None}
        found |= ends
        while ends:
            calls_by_key = {event.pk: call for call, event in ends.items()}
            following = UsageEvent.objects.filter(corrects__in=calls_by_key)
            ends = {calls_by_key[event.corrects_id]: event for event in following if event.corrects_id is not None}
            found |= ends
    return {call: event for call, event in found.items() if event.calls < 0 and run_of(event.change) is not None}


def reverse(events: Sequence[UsageEvent], made_by: str) -> None:
    """Write the events that reverse these. Raises IntegrityError where one is already reversed."""
    rows = []
    for event in events:
        negated = (None if (value := getattr(event, name)) is None else -value for name in NEGATED)
        rows.append((*(getattr(event, name) for name in COPIED), *negated, -event.calls, event.pk, made_by))
    insert_rows(UsageEvent, _NAMES, rows)


def take_back_runs(
    runs: Sequence[int], by: int, stand: Callable[[Sequence[tuple[UsageEvent, Any]]], set[int]]
) -> Iterator[None]:
    """Reverse the events that these runs wrote and that nothing has reversed since; yield after each batch.

    `stand` gets events of calls that count, each with the digest of its call, and returns the keys of those that are to
    stay: what tells of them is still here."""
    last = 0
    while events := list(_open_events(runs).filter(pk__gt=last).order_by("pk")[:EVENTS_A_BATCH]):
        last = events[-1].pk
        kept = stand([(event, _digest_of(event)) for event in events])
        reverse([event for event in events if event.pk not in kept], name_run(by))
        yield


def _open_events(runs: Sequence[int]) -> QuerySet[UsageEvent]:
    made = UsageEvent.objects.filter(change__in=[name_run(run) for run in runs])
    return made.filter(usageevent=None)


def _digest_of(event: UsageEvent) -> str | None:
    """Return the digest of the call that an event, or the one at the start of its chain, was written for."""
    while event.corrects is not None:
        event = event.corrects
    return event.call
