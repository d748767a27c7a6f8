"""Merges the models that a provider lists with the stored ones, as big-AGI does."""

import time
from dataclasses import dataclass, field

from llms import catalog
from llms.bigagi import MODELS, SERVICES
from llms.calls.events import CallFailed
from llms.calls.models import list_models
from llms.calls.once import run_call
from llms.catalog import ENV_SERVICE, reveal_endpoint
from llms.models import Model, Service
from llms.offered import as_model, is_for_chat
from llms.services.changes import check
from stores.codecs import JSONObject, is_id
from stores.journal.lists import move
from stores.journal.recorder import Entry, Origin, count_up, record_change
from stores.models import Change
from stores.preconditions import ANY, Precondition
from stores.services import records
from stores.services.errors import Missing

FILLED = ("contextTokens", "maxOutputTokens", "pricing")
"""What a model that is here gets of a list where it has none: other values of big-AGI's know more than a list tells."""


@dataclass
class Refreshed:
    """Ids of models: new, as they were or filled up, and not offered any more (they are kept, and hidden)."""

    added: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)
    change: Change | None = None


def refresh_service(origin: Origin, uid: str, precondition: Precondition = ANY) -> Refreshed:
    """Ask the service's provider for its models, and merge them. Raises `Missing`, `NotCallable`, `CallFailed`."""
    service = Service.objects.filter(uid=uid).first()
    if service is None:
        raise Missing(f"There is no service {uid}.")
    # The network call comes before the transaction, which must be short.
    listed = run_call(list_models(reveal_endpoint(service)))
    return merge_models(origin, uid, listed, precondition)


def merge_models(origin: Origin, uid: str, listed: list[JSONObject], precondition: Precondition = ANY) -> Refreshed:
    """Merge a provider's list into the service's models, in one change. Raises `Missing`, and `CallFailed` for a list
    without models: that hides none."""
    now = int(time.time() * 1000)
    offered = {str(model["id"]): model for model in listed if is_for_chat(model)}
    if not offered:
        raise CallFailed("The provider lists no chat models. Nothing was changed.", "no-models")
    result = Refreshed()
    with record_change(origin, "refresh models") as entry:
        service = records.find_for_write(SERVICES, uid)
        rows = list(Model.objects.select_for_update().filter(service_uid=uid).order_by("position", "pk"))
        check(precondition)
        entry.summary = str(service)
        known = set()
        for row in rows:
            [model] = MODELS.load([row])
            ref = row.llm_ref or row.uid.removeprefix(f"{uid}-")
            known.add(ref)
            if ref in offered:
                _fill(entry, row, model, as_model(uid, service.vendor_id or "", offered[ref], now))
                result.kept.append(row.uid)
            elif model.get("isUserClone") is True:
                result.kept.append(row.uid)
            else:
                result.vanished.append(row.uid)
                records.overwrite(entry, MODELS, row, model, model | {"hidden": True})
        new = [as_model(uid, service.vendor_id or "", model, now) for ref, model in offered.items() if ref not in known]
        result.added = _add(entry, new, rows[-1].position if rows else None)
    result.change = entry.change
    return result


def _fill(entry: Entry, row: Model, ours: JSONObject, offered: JSONObject) -> None:
    missing = {name: offered[name] for name in FILLED if ours.get(name) is None and offered.get(name) is not None}
    if missing:
        records.overwrite(entry, MODELS, row, ours, ours | missing)


def _add(entry: Entry, new: list[JSONObject], last: int | None) -> list[str]:
    """Insert the models behind the last one of their service, at position `last`, or behind all; return their ids."""
    taken = set(MODELS.find(model["id"] for model in new))
    fitting = [model for model in new if model["id"] not in taken and is_id(model["id"])]
    first = MODELS.first_position()
    # Damaged members have places of their own, which do not move.
    if last is not None and not MODELS.quarantined():
        behind = dict(Model.objects.filter(position__gt=last).values_list("uid", "position"))
        move(entry, MODELS, {uid: at + len(fitting) for uid, at in behind.items()})
        first = last + 1
    for at, model in enumerate(fitting):
        value = records.take_in(entry, model, None, model["id"])
        records.insert(entry, MODELS, records.to_rows(MODELS, value, model["id"]), first + at)
    return [model["id"] for model in fitting]


# --- the environment's service, which is no row ----------------------------------------------------------------------


def refresh_environment() -> Refreshed:
    """Ask the environment's provider for its models, and remember them. Raises `NotCallable` and `CallFailed`."""
    listed = run_call(list_models(catalog.env_endpoint()))
    now = int(time.time() * 1000)
    models = [as_model(ENV_SERVICE, "openai", model, now) for model in listed if is_for_chat(model)]
    before = {model["id"] for model in catalog.env_models()}
    after = {model["id"] for model in models}
    catalog.set_env_models(models)
    if before != after:
        # They are in the answer of GET /api/llms, whose ETag is the store's.
        count_up({MODELS.store})
    return Refreshed(sorted(after - before), sorted(after & before), sorted(before - after))
