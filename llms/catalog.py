"""The models that can be called: those of the database, and those of virtual services, which are never rows."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from llms.bigagi import ASSIGNMENTS, MODELS, SERVICES
from llms.callable_model import ENV_SERVICE, VISION, CallableModel, UnknownModel
from llms.calls.demo import LABEL, SERVICE
from llms.calls.demo import MODELS as DEMO_MODELS
from llms.effective import effective_values
from llms.models import Assignment, Model, Service
from llms.parameters import names_of_specs
from llms.querysets import visible
from llms.refused import find_refused_by
from llms.vendors import vendor_of
from llms.vendors.endpoint import Endpoint, NotCallable, base_url, endpoint_of, path_of
from stores.records.codecs import JSONObject
from stores.records.json_values import object_or_empty
from stores.records.keyfile import key_file_version
from stores.records.keys import why_unreadable
from stores.records.secrets import UnreadableSecret, reveal
from stores.records.sql import fetch

MAX_CACHED = 100
CACHE: "dict[str, tuple[Any, CallableModel]]" = {}
"""Models by id, each with the revision of the store, and the version of the key file, that it was read from."""


def find_model(model_id: str) -> CallableModel:
    """Return the model of this id. Raises `UnknownModel`, and `NotCallable` with the reason."""
    if model_id.startswith(f"{SERVICE}-"):
        return _demo_model(model_id.removeprefix(f"{SERVICE}-"))
    if model_id.startswith(f"{ENV_SERVICE}-"):
        return _env_model(model_id.removeprefix(f"{ENV_SERVICE}-"))
    # Building a model takes as long as the rest of starting a run, and it changes only with its store and its key.
    [[revision]] = fetch("SELECT MAX(revision) FROM {stores.StoreCounter} WHERE name = %s", [MODELS.store])
    kept, version = CACHE.get(model_id), (revision or 0, key_file_version())
    if kept is not None and revision is not None and kept[0] == version:
        return kept[1]
    row = Model.objects.filter(uid=model_id).first()
    if row is None:
        raise UnknownModel(f"There is no model {model_id}.")
    model = _from_row(row)
    if len(CACHE) >= MAX_CACHED:
        CACHE.clear()
    CACHE[model_id] = (version, model)
    return model


def choose_model(fits: Callable[[CallableModel], bool] = lambda model: True) -> CallableModel:
    """Return the model for a chat that has none: the assigned one, else the newest visible one that can be called and
    fits, else Demo."""
    return next(filter(fits, _candidates()), _demo_model("echo"))


def _candidates() -> Iterator[CallableModel]:
    """Yield the models that can be called, the assigned one first, then the newest."""
    if (assigned := assigned_model("primaryChat")) and (found := _try(assigned)):
        yield found
    for row in visible(Model.objects.exclude(service_uid=None)).order_by("-created", "position"):
        if found := _try_row(row):
            yield found
    if env_key():
        yield _env_model(_first_env_ref())


def assigned_model(domain: str) -> str | None:
    """Return the id of the model that serves a domain; None where it is automatic."""
    row = Assignment.objects.filter(uid=domain).first()
    return row.model_uid if row else None


def assignments() -> dict[str, Any]:
    """Return the assignments in big-AGI's shape."""
    return {row.uid: ASSIGNMENTS.load([row])[0] for row in Assignment.objects.all()}


def _first_env_ref() -> str:
    """Return the newest model of the environment's service; before the list is known, a long-standing OpenAI model."""
    newest = max(_env_models, key=lambda model: model["created"], default=None)
    return str(newest["initialParameters"]["llmRef"]) if newest else "gpt-4o-mini"


def _try(model_id: str) -> CallableModel | None:
    try:
        return find_model(model_id)
    except (UnknownModel, NotCallable):
        return None


def _try_row(row: Model) -> CallableModel | None:
    try:
        return _from_row(row)
    except NotCallable:
        return None


def price_facts(model_id: str) -> CallableModel:
    """Return a stored model with what its price needs, callable or not. Raises `UnknownModel`."""
    row = Model.objects.filter(uid=model_id).first()
    if row is None:
        raise UnknownModel(f"There is no model {model_id}.")
    return _described(row, row.service_uid or "", row.vendor_id or "", None)


def _from_row(row: Model) -> CallableModel:
    service = service_of(row)
    model = _described(row, service.uid, service.vendor_id or "", reveal_endpoint(service))
    return replace(model, refusals=find_refused_by(service.uid, model.ref, address_of_service(service)))


def _described(row: Model, service_id: str, vendor_id: str, endpoint: Endpoint | None) -> CallableModel:
    [model] = MODELS.load([row])
    values = effective_values(model)
    interfaces = model.get("interfaces")
    return CallableModel(
        id=row.uid,
        ref=row.llm_ref or row.uid.removeprefix(f"{service_id}-"),
        label=values["label"] or row.uid,
        service_id=service_id,
        vendor_id=vendor_id,
        endpoint=endpoint,
        context_tokens=values["contextTokens"],
        max_output_tokens=values["maxOutputTokens"],
        pricing=values["pricing"],
        has_user_price=isinstance(model.get("userPricing"), dict),
        interfaces=tuple(name for name in interfaces if isinstance(name, str)) if isinstance(interfaces, list) else (),
        parameters=object_or_empty(model.get("initialParameters")) | object_or_empty(model.get("userParameters")),
        specs=names_of_specs(model),
    )


def service_of(row: Model) -> Service:
    """Return the service of a model. Raises `NotCallable` where it is gone."""
    service = Service.objects.filter(uid=row.service_uid or "").first()
    if service is None:
        raise NotCallable(f"The service {row.service_uid} of this model no longer exists.")
    return service


def address_of_service(service: Service) -> str:
    """Return scheme, host, port and path of a stored service (`path_of`)."""
    return path_of(SERVICES.load([service])[0])


def reveal_endpoint(service: Service) -> Endpoint:
    """Return where the service is called, with its key. Raises `NotCallable`."""
    [record] = SERVICES.load([service])
    try:
        return endpoint_of(reveal(record))
    except UnreadableSecret as error:
        how = why_unreadable() or f"{error} Or enter the key of the service again."
        raise NotCallable(f"The key of {service} cannot be read. {how}", "secrets-unreadable") from error


# --- virtual services ------------------------------------------------------------------------------------------------

VIRTUAL = (SERVICE, ENV_SERVICE)
"""Services that are never rows; the ids of their models begin with theirs."""

_env_models: list[JSONObject] = []


def is_virtual(uid: str) -> bool:
    """Tell whether the id is that of a virtual service or one of their models."""
    return uid in VIRTUAL or uid.startswith(tuple(f"{service}-" for service in VIRTUAL))


def env_key() -> str:
    """Return the key of the environment's service, or nothing."""
    return os.environ.get("OPENAI_API_KEY", "").strip()


def env_endpoint() -> Endpoint:
    """Return where the environment's service is called. Raises `NotCallable`."""
    vendor = vendor_of("openai")
    if not env_key():
        raise NotCallable("OPENAI_API_KEY is not set. Set it and restart the server, or add a service.")
    host = os.environ.get("OPENAI_BASE_URL", "").strip()
    return Endpoint(vendor, base_url(vendor, host, "OPENAI_BASE_URL"), env_key(), is_environments=True)


def env_address() -> str:
    """Return scheme, host, port and path of the environment's service (`path_of`)."""
    return path_of({"vId": "openai", "setup": {"oaiHost": os.environ.get("OPENAI_BASE_URL", "").strip()}})


def env_models() -> list[JSONObject]:
    """Return the models that the environment's service offers, in big-AGI's shape, as they were last fetched."""
    return list(_env_models)


def set_env_models(models: list[JSONObject]) -> None:
    """Remember the models that the environment's service offers."""
    _env_models[:] = models


def _env_model(ref: str) -> CallableModel:
    uid = f"{ENV_SERVICE}-{ref}"
    # One that the list does not name, or before there is a list: the provider says whether it knows it.
    listed: JSONObject = next((model for model in _env_models if model["id"] == uid), {})
    interfaces = tuple(listed.get("interfaces") or (VISION,))
    return CallableModel(
        id=uid,
        ref=ref,
        label=listed.get("label") or ref,
        service_id=ENV_SERVICE,
        vendor_id="openai",
        endpoint=env_endpoint(),
        context_tokens=listed.get("contextTokens"),
        max_output_tokens=listed.get("maxOutputTokens"),
        # The book prices it at the date of each call.
        interfaces=interfaces,
        refusals=find_refused_by(ENV_SERVICE, ref, env_address()),
    )


def _demo_model(ref: str) -> CallableModel:
    if ref not in DEMO_MODELS:
        raise UnknownModel(f"There is no Demo model {ref}.")
    free = {"chat": {"input": "free", "output": "free"}}
    label = DEMO_MODELS[ref][0]
    return CallableModel(f"{SERVICE}-{ref}", ref, label, SERVICE, "bigagi", None, 128_000, 8_192, free)


def virtual_services() -> Iterator[tuple[JSONObject, list[JSONObject]]]:
    """Yield the virtual services with their models, in big-AGI's shapes."""
    if env_key():
        service = {"id": ENV_SERVICE, "label": "OpenAI (environment)", "vId": "openai", "setup": {}}
        yield service, env_models()
    yield (
        {"id": SERVICE, "label": LABEL, "vId": "bigagi", "setup": {}},
        [_as_demo(ref, label, text) for ref, (label, text) in DEMO_MODELS.items()],
    )


def _as_demo(ref: str, label: str, description: str) -> JSONObject:
    return {
        "id": f"{SERVICE}-{ref}",
        "label": label,
        "created": 0,
        "description": description,
        "hidden": False,
        "contextTokens": 128_000,
        "maxOutputTokens": 8_192,
        "interfaces": ["oai-chat", VISION],
        "parameterSpecs": [],
        "initialParameters": {"llmRef": ref},
        "sId": SERVICE,
        "vId": "bigagi",
        "pricing": {"chat": {"input": "free", "output": "free"}},
    }
