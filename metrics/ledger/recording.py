"""Writing the ledger: one event a call."""

from dataclasses import dataclass
from typing import Any

from llms.pricing.price import Priced
from llms.pricing.tokens import Tokens
from metrics.ledger.limits import usable_cost, usable_nano_usd, usable_tokens
from metrics.models import UsageEvent
from stores.records import jsontext
from stores.records.secrets import mask_found
from stores.records.sql import fetch, insert_values


@dataclass(frozen=True, kw_only=True)
class EndedCall:
    """A call of a model that ended, well or not. Times are in ms; `at` is since the epoch.

    `call` is its digest (`digest_call`), `change` the key of the journal's entry of what it wrote.
    """

    at: int
    source: str
    service: str
    vendor: str
    model: str
    outcome: str
    tokens: Tokens
    priced: Priced
    conversation: str = ""
    message: str = ""
    is_estimated: bool = False
    reported_nano_usd: int | None = None
    first_ms: int | None = None
    total_ms: int | None = None
    raw_usage: Any = None
    call: str | None = None
    change: int | None = None

    def columns(self) -> dict[str, Any]:
        """Return the values of the event's columns."""
        tokens, cost = usable_tokens(self.tokens), usable_cost(self.priced.cost)
        return {
            "at": self.at,
            "source": self.source,
            "service": self.service,
            "vendor": self.vendor,
            "model": self.model,
            "conversation": self.conversation,
            "message": self.message,
            "input_tokens": tokens.input,
            "cache_read_tokens": tokens.cache_read,
            "cache_write_tokens": tokens.cache_write,
            "output_tokens": tokens.output,
            "reasoning_tokens": tokens.reasoning,
            "estimated": self.is_estimated,
            "cost_nano_usd": cost.nano_usd,
            "cost_reported_nano_usd": usable_nano_usd(self.reported_nano_usd),
            "cost_code": cost.code,
            "price_source": self.priced.source,
            "ms_to_first_token": self.first_ms,
            "ms_total": self.total_ms,
            "outcome": self.outcome,
            "raw_usage": None if self.raw_usage is None else mask_found(jsontext.encode(self.raw_usage)),
            "calls": 1,
            # Two calls in the same millisecond can look alike; no copy of their messages is counted all the same.
            "call": None if self.call is None or is_recorded(self.call) else self.call,
            "change": "" if self.change is None else str(self.change),
        }


def record_call(call: EndedCall) -> int:
    """Write the event of a call, and return its key; do it in the transaction that stores its answer."""
    columns = call.columns()
    return insert_values(UsageEvent, tuple(columns), tuple(columns.values()))


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
