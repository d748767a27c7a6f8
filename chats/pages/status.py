"""The status line of the chat page: whether the service has a key, and the result of its last check."""

from collections.abc import Sequence
from typing import Any

from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from llms.callable_model import ENV_SERVICE
from llms.catalog import env_endpoint, reveal_endpoint, virtual_services
from llms.models import Service
from llms.vendors.endpoint import NotCallable
from metrics.models import UsageEvent
from stores.records.secrets import mask

_FAILED = {
    "wrong-key": "the API key was rejected",
    "no-credit": "the account had no credit left",
    "rate-limited": "the provider's rate limit was reached",
    "model-gone": "the provider did not know the model",
    "redirected": "the provider redirected to another address",
    "unreachable": "the provider could not be reached",
    "timeout": "the provider did not answer in time",
    "stalled": "the answer stalled",
    "dropped": "the answer was interrupted",
    "endless": "the answer exceeded the limits",
    "malformed": "the provider sent an invalid response",
}
"""Words for the outcomes of calls; the ledger keeps only their kinds."""


@require_safe
@never_cache
def status(request: HttpRequest) -> JsonResponse:
    """Whether the service `?service=` has a key, and its last check."""
    text = describe_service(request.GET.get("service", ""))
    if text is None:
        raise Http404("There is no such service.")
    return JsonResponse(text)


def describe_service(uid: str) -> dict[str, Any] | None:
    """Return what is told of a service; None where there is none. `whyNot` is empty where it can be called."""
    virtual = next((service for service, _ in virtual_services() if service["id"] == uid), None)
    if virtual is not None:
        label = virtual["label"]
        key, why_not = describe_virtual_key(uid)
    elif (row := Service.objects.filter(uid=uid).first()) is not None:
        label = row.label or row.uid
        key, why_not = describe_key(row)
    else:
        return None
    described: dict[str, Any] = mask(
        {"id": uid, "label": label, "status": key, "whyNot": why_not, "lastCheck": read_last_check(uid)}
    )
    return described


def name_services(uids: Sequence[str]) -> dict[str, str]:
    """Return the names of the services that are known here, by their ids."""
    rows = Service.objects.filter(uid__in=uids).values_list("uid", "label")
    names = {uid: label or uid for uid, label in rows}
    named: dict[str, str] = mask(names | {service["id"]: service["label"] for service, _ in virtual_services()})
    return named


def describe_key(service: Service) -> tuple[str, str]:
    """Return whether the service has its key, and why it cannot be called; one of the two is empty."""
    try:
        return "key saved" if reveal_endpoint(service).key else "no key needed", ""
    except NotCallable as error:
        return "", str(error)


def describe_virtual_key(uid: str) -> tuple[str, str]:
    """Return the same of a virtual service."""
    if uid != ENV_SERVICE:
        return "no key needed", ""
    try:
        env_endpoint()
    except NotCallable as error:
        return "", str(error)
    return "key from the environment", ""


def read_last_check(uid: str) -> dict[str, Any] | None:
    """Return when the service was tested last, and how that went; None where it never was."""
    events = UsageEvent.objects.filter(service=uid, source=UsageEvent.Source.TEST, corrects=None)
    event = events.order_by("-at", "-pk").first()
    if event is None:
        return None
    is_good = event.outcome == "done"
    words = f"responded in {(event.ms_total or 0) / 1000:.1f} s"
    if not is_good:
        words = _FAILED.get(event.outcome, "the call to the provider failed")
    return {"at": event.at, "isGood": is_good, "words": words}
