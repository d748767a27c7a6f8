"""Reversing events with an event of the opposite amounts and the same date, so that their days add up to zero."""

from metrics.models import Budget, CountingStart, UsageEvent
from stores.models import Change
from stores.records.sql import insert_one

NEGATED = (
    *("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens"),
    *("cost_nano_usd", "cost_reported_nano_usd"),
)
COPIED = (
    *("at", "source", "service", "vendor", "model", "conversation", "message", "estimated", "cost_code"),
    *("price_source", "ms_to_first_token", "ms_total", "outcome"),
)


def correct(event: UsageEvent, change: int | None = None) -> UsageEvent:
    """Write the event that reverses this one. Raises IntegrityError if it is already reversed."""
    correction = UsageEvent(
        **{name: getattr(event, name) for name in COPIED},
        **{name: None if (value := getattr(event, name)) is None else -value for name in NEGATED},
        calls=-event.calls,
        corrects=event,
        change="" if change is None else str(change),
    )
    insert_one(correction)
    return correction


def take_back(undone: Change, by: Change) -> bool:
    """Undo the effects of a change on the ledger, count resets and budgets. If the change is an undo
    itself, its effects are restored. Return whether there was anything to do."""
    made_by, stand = undone, False
    while made_by.undoes is not None:
        made_by, stand = made_by.undoes, not stand
    count = 0
    for event in UsageEvent.objects.filter(change=str(made_by.pk)).order_by("pk"):
        last = _last_correction(event)
        # Each correction has the opposite sign of what it reverses.
        if (last.calls == event.calls) is not stand:
            correct(last, by.pk)
            count += 1
    for model in (CountingStart, Budget):
        wishes = model.objects.filter(change=str(made_by.pk))
        if stand:
            count += wishes.exclude(taken_back_by="").update(taken_back_by="")
        else:
            count += wishes.filter(taken_back_by="").update(taken_back_by=str(by.pk))
            # An undo of what the journal has forgotten since.
            count += model.objects.filter(taken_back_by=str(made_by.pk)).update(taken_back_by="")
    return count > 0


def _last_correction(event: UsageEvent) -> UsageEvent:
    """Return the end of the chain of events that take back the one before; the event itself where none does."""
    while (correction := UsageEvent.objects.filter(corrects=event).first()) is not None:
        event = correction
    return event
