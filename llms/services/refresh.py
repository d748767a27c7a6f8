"""Merges the models that a provider lists with the stored ones, as big-AGI does."""

from dataclasses import dataclass, field

from llms import catalog
from llms.bigagi import MODELS, SERVICES
from llms.callable_model import ENV_SERVICE
from llms.calls.events import CallFailed
from llms.calls.models import list_models
from llms.calls.synchronous import run_call
from llms.catalog import reveal_endpoint
from llms.effective import effective_values
from llms.left_out import GONE, why_left_out, why_unusable
from llms.models import Model, Service
from llms.offered import as_model
from llms.services.changes import check
from stores.models import Change
from stores.records import editing
from stores.records.clock import now_ms
from stores.records.codecs import JSONObject
from stores.records.errors import Missing
from stores.records.journal.lists import move
from stores.records.journal.recorder import Entry, Origin, count_up, record_change
from stores.records.json_values import text_or_empty
from stores.records.preconditions import ANY, Precondition
from stores.records.quarantine import quarantined_members

FILLED = ("contextTokens", "maxOutputTokens", "pricing")
"""What a model that is here gets of a list where it has none: other values of big-AGI's know more than a list tells."""
NO_MODELS = "The provider has no models here yet. Load one there, and refresh again."


@dataclass(frozen=True)
class LeftOut:
    """A listed model that is not offered: `ref` is the provider's name, `id` that of its hidden model here, if any."""

    ref: str
    reason: str
    id: str | None = None


@dataclass
class Refreshed:
    """Ids of models: new, as they were or filled up, and not offered any more (they are kept, and hidden)."""

    added: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    vanished: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
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
    now = now_ms()
    offered, result = _usable(listed)
    if not offered:
        raise CallFailed(f"{NO_MODELS} Nothing was changed.", "no-models")
    with record_change(origin, "refresh models") as entry:
        service = editing.find_for_write(SERVICES, uid)
        rows = list(Model.objects.select_for_update().filter(service_uid=uid).order_by("position", "pk"))
        check(precondition)
        entry.summary = str(service)
        vendor = service.vendor_id or ""
        for row, model in zip(rows, MODELS.load(rows), strict=True):
            ref = row.llm_ref or row.uid.removeprefix(f"{uid}-")
            if ref in offered:
                result.kept.append(row.uid)
                value = _updated(model, vendor, offered[ref], now)
            elif model.get("isUserClone") is True:
                result.kept.append(row.uid)
                value = model
            else:
                result.vanished.append(row.uid)
                value = _gone(model)
            editing.overwrite(entry, MODELS, row, model, value)
            if ref in offered and (reason := _why_hidden(value)):
                result.left_out.append(LeftOut(ref, reason, row.uid))
        known = {row.llm_ref or row.uid.removeprefix(f"{uid}-") for row in rows}
        new = [as_model(uid, vendor, model, now) for ref, model in offered.items() if ref not in known]
        _add(entry, new, rows[-1].position if rows else None, result)
    result.change = entry.change
    return result


def _usable(listed: list[JSONObject]) -> tuple[dict[str, JSONObject], Refreshed]:
    """Return the listed models by the provider's name, and a result that tells of those that cannot be kept."""
    why_not = {str(model["id"]): why_unusable(str(model["id"])) for model in listed}
    result = Refreshed(left_out=[LeftOut(ref, reason) for ref, reason in why_not.items() if reason])
    return {ref: model for model in listed if not why_not[ref := str(model["id"])]}, result


def _updated(stored: JSONObject, vendor_id: str, listed: JSONObject, at: int) -> JSONObject:
    """Return the stored model, filled up; one that a refresh has hidden is shown where its reason is gone."""
    value = stored
    if any(stored.get(name) is None for name in FILLED):
        offered = as_model("", vendor_id, listed, at)
        missing = {name: offered[name] for name in FILLED if stored.get(name) is None and offered.get(name) is not None}
        value = value | missing
    if stored.get("hiddenReason") is not None:
        value = {name: member for name, member in value.items() if name != "hiddenReason"}
        reason = why_left_out(listed)
        value |= {"hidden": True, "hiddenReason": reason} if reason else {"hidden": False}
    return value


def _gone(stored: JSONObject) -> JSONObject:
    # What was hidden before has a reason of its own, and stays hidden when it is listed again.
    return stored if stored.get("hidden") is True else stored | {"hidden": True, "hiddenReason": GONE}


def _why_hidden(model: JSONObject) -> str:
    return text_or_empty(model.get("hiddenReason")) if effective_values(model)["hidden"] else ""


def _add(entry: Entry, new: list[JSONObject], last: int | None, result: Refreshed) -> None:
    """Insert the models behind the last one of their service, at position `last`, or behind all, and tell of them."""
    taken = set(MODELS.find(model["id"] for model in new))
    fitting = [model for model in new if model["id"] not in taken]
    first = MODELS.first_position()
    # Damaged members have places of their own, which do not move.
    if last is not None and not quarantined_members(MODELS.store, MODELS.key, None):
        behind = dict(Model.objects.filter(position__gt=last).values_list("uid", "position"))
        move(entry, MODELS, {uid: at + len(fitting) for uid, at in behind.items()})
        first = last + 1
    values = [(model["id"], editing.take_in(entry, model, None, model["id"])) for model in fitting]
    if values:
        batch = [(editing.to_rows(MODELS, value, uid), first + at) for at, (uid, value) in enumerate(values)]
        editing.insert_all(entry, MODELS, batch)
    result.added = [uid for uid, _ in values]
    for model in new:
        uid, ref = model["id"], model["initialParameters"]["llmRef"]
        if uid in taken:
            result.left_out.append(LeftOut(ref, f"Another model already has its id, {uid}."))
        elif reason := _why_hidden(model):
            result.left_out.append(LeftOut(ref, reason, uid))


# --- the environment's service, which is no row ----------------------------------------------------------------------


def refresh_environment() -> Refreshed:
    """Ask the environment's provider for its models, and remember them. Raises `NotCallable` and `CallFailed`."""
    offered, result = _usable(run_call(list_models(catalog.env_endpoint())))
    now = now_ms()
    found = [as_model(ENV_SERVICE, "openai", model, now) for model in offered.values()]
    models = [model for model in found if not model["hidden"]]
    before = {model["id"] for model in catalog.env_models()}
    after = {model["id"] for model in models}
    catalog.set_env_models(models)
    if before != after:
        # They are in the answer of GET /api/llms, whose ETag is the store's.
        count_up({MODELS.store})
    result.added, result.kept, result.vanished = sorted(after - before), sorted(after & before), sorted(before - after)
    refs = [(model["initialParameters"]["llmRef"], _why_hidden(model)) for model in found]
    result.left_out += [LeftOut(ref, reason) for ref, reason in refs if reason]
    return result
