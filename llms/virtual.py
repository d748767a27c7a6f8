"""Virtual services and their models in the API: never stored, exported or changed."""

from collections.abc import Mapping

from llms.catalog import virtual_services
from llms.effective import effective_values
from stores.api.ids import href
from stores.codecs import JSONObject


def services() -> list[JSONObject]:
    """Return the virtual services, with our facts."""
    return [
        service | {"_server": {"href": href("services", service["id"]), "modelCount": len(models), "virtual": True}}
        for service, models in virtual_services()
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
