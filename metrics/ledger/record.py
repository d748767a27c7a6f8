"""Writing the ledger: one event a call."""

from typing import Any

from llms.pricing.price import Priced
from llms.pricing.tokens import Tokens
from metrics.ledger.limits import usable_cost, usable_nano_usd, usable_tokens
from metrics.models import UsageEvent
from stores import jsontext
from stores.secrets import mask_found
from stores.sql import fetch, insert_values

COLUMNS = (
    *("at", "source", "service", "vendor", "model", "conversation", "message"),
    *("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "estimated"),
    *("cost_nano_usd", "cost_reported_nano_usd", "cost_code", "price_source"),
    *("ms_to_first_token", "ms_total", "outcome", "raw_usage", "calls", "call", "change"),
)


def record_call(
    *,
    at: int,
    source: str,
    service: str,
    vendor: str,
    model: str,
    conversation: str,
    message: str,
    tokens: Tokens,
    is_estimated: bool,
    priced: Priced,
    reported_nano_usd: int | None,
    first_ms: int | None,
    total_ms: int | None,
    outcome: str,
    raw_usage: Any,
    call: str | None = None,
    change: int | None = None,
) -> int:
    """Write the event of a call that ended, and return its key; call it in the transaction that stores its answer.
    `call` is its digest (`digest_call`), `change` the journal's entry of what it wrote."""
    # Two calls in the same millisecond can look alike; no copy of their messages is counted all the same.
    digest = None if call is None or is_recorded(call) else call
    tokens, cost, reported_nano_usd = (
        usable_tokens(tokens),
        usable_cost(priced.cost),
        usable_nano_usd(reported_nano_usd),
    )
    values = (
        *(at, source, service, vendor, model, conversation, message),
        *(tokens.input, tokens.cache_read, tokens.cache_write, tokens.output, tokens.reasoning, is_estimated),
        *(cost.nano_usd, reported_nano_usd, cost.code, priced.source),
        *(first_ms, total_ms, outcome, None if raw_usage is None else mask_found(jsontext.encode(raw_usage))),
        *(1, digest, "" if change is None else str(change)),
    )
    return insert_values(UsageEvent, COLUMNS, values)


def digest_call(model: Any, created: Any, metrics: Any) -> str:
    """Return what copies of one call's message have in common: the model, the time, the metrics
    (`bigagi-format.md` § 6)."""
    return jsontext.content_hash([model, created, metrics])


def digest_message(message: Any) -> str | None:
    """Return the digest of the call that wrote a message of big-AGI's JSON; None where it has no metrics."""
    generator = message.get("generator") if isinstance(message, dict) else None
    if not isinstance(generator, dict):
        return None
    metrics, aix = generator.get("metrics"), generator.get("aix")
    if not isinstance(metrics, dict) or not metrics:
        return None
    return digest_call(aix.get("mId") if isinstance(aix, dict) else None, message.get("created"), metrics)


def is_recorded(call: str) -> bool:
    """Tell whether an event of the call is in the ledger."""
    return bool(fetch("SELECT 1 FROM {metrics.UsageEvent} WHERE call = %s", [call]))
