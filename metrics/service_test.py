"""The test of a service: one tiny call, with its event in the ledger."""

from typing import Any

from llms.callable_model import CallableModel, UnknownModel
from llms.calls.events import CallFailed
from llms.catalog import find_model
from llms.pricing.formula import Cost
from llms.pricing.price import Priced, price_model_call
from llms.pricing.tokens import Tokens
from llms.services.service_test import Checked, call_once, choose_test_model
from metrics.ledger.recording import EndedCall, record_call
from metrics.models import UsageEvent
from stores.records.clock import now_ms


def test_service(uid: str, model_id: str | None = None) -> tuple[Checked, UsageEvent]:
    """Make one small call to the service, with this model or a default one, and write its event, even if
    the provider rejects the call. Raises `Missing`, `UnknownModel`, `NotCallable` and `CallFailed`."""
    model = find_model(model_id or choose_test_model(uid))
    if model.service_id != uid:
        raise UnknownModel(f"The service {uid} has no model {model_id}.")
    at = now_ms()
    try:
        checked = call_once(model)
    except CallFailed as error:
        _record(model, at, tokens=Tokens(), outcome=error.kind, priced=Priced(Cost()))
        raise
    priced = price_model_call(model, checked.tokens, at)
    event = _record(
        model,
        at,
        tokens=checked.tokens,
        outcome="done",
        priced=priced,
        reported_nano_usd=checked.reported_nano_usd,
        first_ms=checked.first_ms,
        total_ms=checked.total_ms,
        raw_usage=checked.raw_usage,
    )
    return checked, event


# pytest takes functions of this name for tests.
test_service.__test__ = False  # type: ignore[attr-defined]


def _record(model: CallableModel, at: int, **facts: Any) -> UsageEvent:
    key = record_call(
        EndedCall(
            at=at,
            source=UsageEvent.Source.TEST,
            service=model.service_id,
            vendor=model.vendor_id,
            model=model.id,
            **({"total_ms": now_ms() - at} | facts),
        )
    )
    return UsageEvent.objects.get(pk=key)
