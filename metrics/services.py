"""Writing the ledger: one event a call."""

from typing import Any

from llms.pricing.price import Priced
from llms.pricing.tokens import Tokens
from metrics.models import UsageEvent
from stores.sql import insert_one


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
    total_ms: int,
    outcome: str,
    raw_usage: Any,
) -> UsageEvent:
    """Write the event of a call that ended; call it in the transaction that stores its answer."""
    event = UsageEvent(
        at=at,
        source=source,
        service=service,
        vendor=vendor,
        model=model,
        conversation=conversation,
        message=message,
        input_tokens=tokens.input,
        cache_read_tokens=tokens.cache_read,
        cache_write_tokens=tokens.cache_write,
        output_tokens=tokens.output,
        reasoning_tokens=tokens.reasoning,
        estimated=is_estimated,
        cost_nano_usd=priced.cost.nano_usd,
        cost_reported_nano_usd=reported_nano_usd,
        cost_code=priced.cost.code,
        price_source=priced.source,
        ms_to_first_token=first_ms,
        ms_total=total_ms,
        outcome=outcome,
        raw_usage=raw_usage,
    )
    insert_one(event)
    return event
