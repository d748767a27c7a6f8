"""Events of the ledger for tests."""

from typing import Any

from metrics.models import UsageEvent
from stores.records.sql import insert_one

NOON = 1_780_000_200_000
"""A time in ms in the middle of a quarter-hour."""


def make_event(**facts: Any) -> UsageEvent:
    """Write an event of a chat's call."""
    defaults = {
        "at": NOON,
        "source": "chat",
        "service": "openai",
        "vendor": "openai",
        "model": "openai-gpt-4o",
        "input_tokens": 100,
        "output_tokens": 20,
        "cost_nano_usd": 450_000,
        "ms_to_first_token": 300,
        "ms_total": 2000,
        "outcome": "done",
    }
    event = UsageEvent(**(defaults | facts))
    if event.pk is None:
        insert_one(event)
    else:
        event.save(force_insert=True)
    return event
