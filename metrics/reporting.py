"""Calls reported by clients: pricing and writing them into the ledger."""

from dataclasses import dataclass

from django.db import transaction

from llms.callable_model import CallableModel, UnknownModel
from llms.catalog import find_model, price_facts
from llms.pricing.formula import Cost, price_call
from llms.pricing.price import Priced, price_by_book, price_model_call
from llms.pricing.tokens import Tokens
from llms.vendors.endpoint import NotCallable
from metrics.ledger.recording import EndedCall, record_call
from metrics.models import UsageEvent
from stores.models import Change
from stores.records.clock import now_ms
from stores.records.codecs import JSONObject
from stores.records.journal.recorder import Origin, record_change
from stores.records.secrets import mask_found

SOURCES = (UsageEvent.Source.API.value, UsageEvent.Source.TEST.value)
TEXTS = ("service", "vendor", "model", "conversation", "message", "outcome")
TOKENS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")
NUMBERS = (*TOKENS, "cost_nano_usd", "cost_reported_nano_usd", "ms_to_first_token", "ms_total")

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


def read_call(values: JSONObject, origin: Origin) -> ReportedCall:
    """Return the call that a client reported by these values."""
    default = UsageEvent.Source.TEST if origin.source == Change.Source.TEST else UsageEvent.Source.API
    # Events cannot be deleted: a key that slipped into a name must not be stored.
    texts = {name: mask_found(values.get(name, "")) for name in TEXTS}
    return ReportedCall(
        at=values.get("at", now_ms()),
        source=values.get("source", default.value),
        texts=texts | {"outcome": texts["outcome"] or "done"},
        numbers={name: values.get(name) for name in NUMBERS},
        estimated=values.get("estimated", False),
    )


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
            EndedCall(
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
                change=entry.change.pk,
            )
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
