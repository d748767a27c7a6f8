"""The parameters of a stored model: read with what its provider refused, and set."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from llms.bigagi import MODELS
from llms.catalog import address_of_service
from llms.effective import effective_values
from llms.models import Model, RefusedParameter, Service
from llms.parameters import ModelParameters, Parameter, describe_parameters, find_parameters
from llms.refused import KEPT, find_refused_by, forget_refusals
from llms.services.changes import change_record
from stores.records import editing
from stores.records.codecs import JSONObject
from stores.records.errors import Invalid, pointer_of
from stores.records.journal.recorder import Entry, Origin
from stores.records.json_values import object_in
from stores.records.preconditions import ANY, Precondition
from stores.records.written import Written


@dataclass(frozen=True)
class Refused:
    """When a provider refused a parameter, and when it is sent again."""

    at: datetime
    until: datetime


def read_parameters(model: JSONObject) -> ModelParameters:
    """Return what can be set of a model's JSON."""
    return describe_parameters(model, effective_values(model)["maxOutputTokens"])


def find_refused(row: Model) -> dict[str, Refused]:
    """Return what the model's provider refused lately, by the names of OpenAI's protocol."""
    service = Service.objects.filter(uid=row.service_uid or "").first()
    if service is None:
        return {}
    refusals = find_refused_by(service.uid, _ref_of(row), address_of_service(service))
    current = refusals.current()
    return {name: Refused(at, at + KEPT) for name, at in refusals.found if name in current}


def refused_of(parameter: Parameter, refused: Mapping[str, Refused]) -> Refused | None:
    """Return when a parameter was refused. A limit that is refused under one of its names is sent under the other."""
    found = [refused[name] for name in parameter.sent_as if name in refused]
    return found[0] if len(found) == len(parameter.sent_as) else None


def set_parameters(origin: Origin, uid: str, values: Mapping[str, Any], precondition: Precondition = ANY) -> Written:
    """Set parameters of the model by big-AGI's ids; None: the model's default. It is for all chats with the model.

    What the provider refused of them is sent again. Raises `Missing`, `Stale` and `Invalid`."""

    def change(entry: Entry, row: Model) -> JSONObject:
        [stored] = MODELS.load([row])
        known = {each.id: each for each in find_parameters(stored, effective_values(stored)["maxOutputTokens"])}
        _check(known, values)
        held = object_in(stored, "userParameters")
        chosen = {name: value for name, value in {**held, **values}.items() if name not in values or value is not None}
        value = {name: item for name, item in stored.items() if name != "userParameters"}
        value |= {"userParameters": chosen} if chosen else {}
        if editing.overwrite(entry, MODELS, row, stored, value):
            names = {name for parameter in values for name in known[parameter].sent_as}
            refused = RefusedParameter.objects.filter(service_uid=row.service_uid, model_ref=_ref_of(row))
            forget_refusals(refused.filter(parameter__in=names))
        return value

    return change_record(origin, "set parameters", MODELS, uid, change, precondition)


def _check(known: Mapping[str, Parameter], values: Mapping[str, Any]) -> None:
    errors = []
    for name, value in values.items():
        if name not in known:
            detail, code = f"This model does not take this parameter. It takes: {', '.join(known)}.", "unknown"
        elif value is not None and not known[name].fits(value):
            detail, code = f"{known[name].label} must be {known[name].range}.", "invalid"
        else:
            continue
        errors.append({"pointer": pointer_of(name), "detail": detail, "code": code})
    if errors:
        raise Invalid(str(errors[0]["detail"]), errors)


def _ref_of(row: Model) -> str:
    """Return the name by which the model is asked for, as in `llms.catalog`."""
    return row.llm_ref or row.uid.removeprefix(f"{row.service_uid}-")
