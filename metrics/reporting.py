"""Calls reported by clients: reading, pricing and writing them into the ledger."""

import time
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from llms.catalog import CallableModel, UnknownModel, find_model, price_facts
from llms.pricing.formula import Cost, price_call
from llms.pricing.price import Priced, price_by_book, price_model_call
from llms.pricing.tokens import Tokens
from llms.vendors.endpoint import NotCallable
from metrics.ledger.limits import MOST_NANO_USD, MOST_TOKENS
from metrics.ledger.record import record_call
from metrics.models import UsageEvent
from stores.codecs import JSONObject, is_storable
from stores.journal.recorder import Origin, record_change
from stores.models import Change
from stores.secrets import mask_found
from stores.services.errors import at as error_at
from stores.services.errors import pointer_of

MAX = 2**53
"""The largest time or duration, as JSON's numbers are exact."""
AHEAD_MS = 24 * 60 * 60 * 1000
"""How far a client's clock may be ahead."""

SOURCES = (UsageEvent.Source.API.value, UsageEvent.Source.TEST.value)
TEXTS = {"service": 200, "vendor": 100, "model": 200, "conversation": 200, "message": 200, "outcome": 20}
TOKENS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
NUMBERS = (*TOKENS, "cost_nano_usd", "cost_reported_nano_usd", "ms_to_first_token", "ms_total")
LIMITS = dict.fromkeys(("at", *NUMBERS), MAX) | dict.fromkeys(TOKENS, MOST_TOKENS - 1)
LIMITS |= {"cost_nano_usd": MOST_NANO_USD - 1, "cost_reported_nano_usd": MOST_NANO_USD - 1}
"""The largest number of each."""
MEMBERS = ("at", "source", *TEXTS, *NUMBERS, "estimated")

PRICED_BY_CLIENT = "client"


@dataclass(frozen=True)
class ReportedCall:
    """One call as reported by a client. None means not reported."""

    at: int
    source: str
    texts: dict[str, str]
    numbers: dict[str, int | None]
    estimated: bool

    @property
    def tokens(self) -> Tokens:
        return Tokens(*(self.numbers[name] for name in TOKENS))


def read_call(body: JSONObject, origin: Origin) -> ReportedCall:
    """Return the call described by a body. Raises `Invalid` with a pointer."""
    if unknown := sorted(body.keys() - set(MEMBERS)):
        raise error_at(pointer_of(unknown[0]), f"Unknown field. Allowed: {', '.join(MEMBERS)}.", "unknown")
    now = round(time.time() * 1000)
    default = UsageEvent.Source.TEST if origin.source == Change.Source.TEST else UsageEvent.Source.API
    source = body.get("source", default.value)
    if source not in SOURCES:
        raise error_at("/source", f"source must be one of: {', '.join(SOURCES)}.", "choice")
    if not isinstance(body.get("estimated", False), bool):
        raise error_at("/estimated", "estimated must be true or false.", "type")
    moment = now if "at" not in body else _read_number("at", body["at"], is_needed=True)
    if moment is not None and moment > now + AHEAD_MS:
        raise error_at("/at", "at must not be in the future. It is in milliseconds since 1970.", "range")
    texts = {name: _read_text(name, body.get(name, ""), length) for name, length in TEXTS.items()}
    if not texts["model"]:
        raise error_at("/model", "The model is required: send the id of the model that was called.", "required")
    return ReportedCall(
        at=moment or 0,
        source=source,
        texts=texts | {"outcome": texts["outcome"] or "done"},
        numbers={name: _read_number(name, body.get(name)) for name in NUMBERS},
        estimated=body.get("estimated", False),
    )


def _read_text(name: str, value: Any, length: int) -> str:
    if not isinstance(value, str) or not is_storable(value) or len(value) > length:
        raise error_at(f"/{name}", f"{name} must be a string of at most {length} characters, without NUL.", "type")
    # Events cannot be deleted: a key that slipped into a name must not be stored.
    return mask_found(value)


def _read_number(name: str, value: Any, *, is_needed: bool = False) -> int | None:
    if value is None and not is_needed:
        return None
    # JSON has one kind of number: 5.0 is 5.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LIMITS[name]:
        unknown = "" if is_needed else ", or null if unknown"
        raise error_at(f"/{name}", f"{name} must be a whole number from 0 to {LIMITS[name]}{unknown}.", "range")
    return value


def report_call(origin: Origin, call: ReportedCall) -> tuple[int, Change]:
    """Write the event of a call, priced if no cost was reported; return its key and the journal entry."""
    model = _find_model(call.texts["model"])
    texts = dict(call.texts)
    if model is not None:
        texts["service"] = texts["service"] or model.service_id
        texts["vendor"] = texts["vendor"] or model.vendor_id
    priced = _price(call, model, texts)
    with transaction.atomic():
        with record_change(origin, "record usage", texts["model"], is_kept=True) as entry:
            pass
        assert entry.change is not None
        key = record_call(
            at=call.at,
            source=call.source,
            service=texts["service"],
            vendor=texts["vendor"],
            model=texts["model"],
            conversation=texts["conversation"],
            message=texts["message"],
            tokens=call.tokens,
            is_estimated=call.estimated,
            priced=priced,
            reported_nano_usd=call.numbers["cost_reported_nano_usd"],
            first_ms=call.numbers["ms_to_first_token"],
            total_ms=call.numbers["ms_total"],
            outcome=texts["outcome"],
            raw_usage=None,
            change=entry.change.pk,
        )
    return key, entry.change


def _find_model(model_id: str) -> CallableModel | None:
    # A stored one has its price, callable or not; others come with the program.
    for find in (price_facts, find_model):
        try:
            return find(model_id)
        except (UnknownModel, NotCallable):
            continue
    return None


def _price(call: ReportedCall, model: CallableModel | None, texts: dict[str, str]) -> Priced:
    cost = call.numbers["cost_nano_usd"]
    if cost is not None:
        return Priced(Cost(cost), PRICED_BY_CLIENT)
    if model is not None:
        return price_model_call(model, call.tokens, call.at)
    if not call.tokens.total:
        return Priced(price_call(call.tokens, None))
    return price_by_book(texts["vendor"], texts["model"].removeprefix(f"{texts['service']}-"), call.tokens, call.at)
