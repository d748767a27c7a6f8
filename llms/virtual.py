"""Virtual services and their models in the API: never stored, exported or changed."""

from collections.abc import Mapping

from llms.callable_model import ENV_SERVICE
from llms.catalog import env_address, virtual_services
from llms.effective import effective_values
from llms.refused import tell_refusals
from stores.records.codecs import JSONObject
from stores.records.ids import href


def services() -> list[JSONObject]:
    """Return the virtual services, with our facts."""
    found = list(virtual_services())
    refused = tell_refusals({service["id"]: env_address() for service, _ in found if service["id"] == ENV_SERVICE})
    facts = {"hiddenCount": 0, "virtual": True}
    return [
        service
        | {
            "_server": {"href": href("services", service["id"]), "modelCount": len(models), **facts}
            | refused.get(service["id"], {})
        }
        for service, models in found
    ]


def models() -> list[JSONObject]:
    """Return the models of all virtual services, with our facts."""
    return [
        model
        | {
            "_server": {
                "href": href("llms", model["id"]),
                "serviceHref": href("services", service["id"]),
                "effective": effective_values(model),
                "virtual": True,
            }
        }
        for service, offered in virtual_services()
        for model in offered
    ]


def find_models(query: Mapping[str, str]) -> list[JSONObject]:
    """Return those of the models that the filters of `llms.filters` find; virtual ones are neither hidden nor starred.

    `query` was checked by them."""
    if any(query.get(name) in ("1", "true") for name in ("hidden", "starred")):
        return []
    wanted = {"sId": query.get("service"), "vId": query.get("vendor")}
    return [model for model in models() if all(value in (None, "", model[name]) for name, value in wanted.items())]
