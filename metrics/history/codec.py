"""Converts a message in big-AGI's JSON to the facts of its call (`bigagi-format.md` § 6). Pure; no value of a
wrong type or size makes it fail: unusable values count as unknown."""

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from llms.pricing.formula import NANO_A_CENT
from llms.pricing.tokens import Tokens, tokens_of_metrics
from metrics.ledger.limits import MOST_NANO_USD, usable_tokens
from metrics.ledger.recording import digest_call
from stores.records.codecs import JSONObject, is_storable, storable
from stores.records.json_values import is_number

PRICE_SOURCE = "big-AGI"

LATEST = 10**14
"""Times from here on, in ms since the epoch (the year 5138), are invalid: databases do not support them."""
MOST_CENTS = MOST_NANO_USD // NANO_A_CENT
MOST_MS = 10**12
"""What no call takes."""

_REASONS = {"client-abort": "stopped", "out-of-tokens": "out-of-tokens", "filter": "filter", "issue": "issue"}
"""`tokenStopReason` in the terms of outcomes."""


class MessageCall(NamedTuple):
    """The facts of a call, in the ledger's terms; `call` is its digest."""

    call: str
    at: int
    vendor: str
    model: str
    message: str
    tokens: Tokens
    cost_nano_usd: int | None
    cost_reported_nano_usd: int | None
    cost_code: str
    ms_to_first_token: int | None
    ms_total: int | None
    outcome: str
    raw_usage: JSONObject


def call_of_message(message: Any, chat_times: tuple[Any, ...] = ()) -> MessageCall | None:
    """Return the call that wrote a message; None where it has no metrics. It is dated by the message's own times, else
    by the first of the chat's that can be used, else by 0."""
    generator = message.get("generator") if isinstance(message, dict) else None
    if not isinstance(generator, dict):
        return None
    aix = generator.get("aix")
    vendor, model = (aix.get("vId"), aix.get("mId")) if isinstance(aix, dict) else (None, None)
    times = (message.get("created"), message.get("updated"), *chat_times)
    reason, metrics = generator.get("tokenStopReason"), generator.get("metrics")
    return call_of_facts(message.get("id"), times, vendor, model, reason, metrics)


def call_of_facts(
    uid: Any, times: tuple[Any, ...], vendor: Any, model: Any, reason: Any, metrics: Any
) -> MessageCall | None:
    """Return the call that a message's parts tell of: its id, its times (`created` first) and its chat's, and `vId`,
    `mId`, `tokenStopReason` and `metrics` of its generator."""
    if not isinstance(metrics, dict) or not metrics:
        return None
    return MessageCall(
        call=digest_call(model, times[0], metrics),
        at=_first_time(times),
        vendor=_text(vendor, 100),
        model=_text(model, 200),
        message=_text(uid, 200),
        tokens=usable_tokens(tokens_of_metrics(metrics)),
        cost_nano_usd=nano_of_cents(metrics.get("$c")),
        cost_reported_nano_usd=nano_of_cents(metrics.get("$cReported")),
        cost_code=_text(metrics.get("$code"), 20),
        ms_to_first_token=_milliseconds(metrics.get("dtStart")),
        ms_total=_milliseconds(metrics.get("dtAll")),
        outcome=_outcome(reason, metrics.get("TsR")),
        raw_usage=metrics,
    )


def nano_of_cents(cents: Any) -> int | None:
    """Return the nano-dollars of a JSON number of cents, by its digits."""
    if cents is None or not is_number(cents) or not 0 <= cents < MOST_CENTS:
        return None
    return int((Decimal(str(cents)) * NANO_A_CENT).to_integral_value(ROUND_HALF_UP))


def service_in_model_id(model: str, vendor: str, services: Iterable[str]) -> str:
    """Return the service that a model's id, `<service id>-<ref>`, names: the longest of those that are here, else the
    one that big-AGI names by the vendor, as `openai` or `openai-1`, else nothing."""
    found = max((service for service in services if model.startswith(f"{service}-")), key=len, default="")
    if found or not vendor or not model.startswith(f"{vendor}-"):
        return found
    number, separator, ref = model[len(vendor) + 1 :].partition("-")
    is_numbered = separator and ref and number.isascii() and number.isdigit() and not number.startswith("0")
    return f"{vendor}-{number}" if is_numbered else vendor


def _first_time(times: Iterable[Any]) -> int:
    for time in times:
        if is_number(time) and 1 <= time < LATEST:
            return int(time)
    return 0


def _outcome(reason: Any, state: Any) -> str:
    if isinstance(reason, str) and reason in _REASONS:
        return _REASONS[reason]
    return "stopped" if state in ("aborted", "pending") else "done"


def _milliseconds(value: Any) -> int | None:
    return round(value) if is_number(value) and 0 <= value < MOST_MS else None


def _text(value: Any, longest: int) -> str:
    if not isinstance(value, str):
        return ""
    return value[:longest] if is_storable(value) else storable(value)[:longest]
