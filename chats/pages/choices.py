"""The models offered on the chat page."""

from typing import Any

from chats.generations.choice import choose_for
from chats.models import Conversation
from chats.pages.status import describe_key, describe_virtual_key
from llms.bigagi import MODELS
from llms.callable_model import CallableModel
from llms.catalog import find_model, virtual_services
from llms.effective import effective_values
from llms.models import Model, Service
from llms.pricing.formula import REQUEST
from llms.querysets import hidden, visible
from stores.records.json_values import number_or_none, text_or_empty
from stores.records.secrets import mask

VISION = "oai-chat-vision"


def list_choices(*, is_hidden: bool = False) -> list[dict[str, Any]]:
    """Return services with their visible models, or with those that are hidden; of a service that cannot be called
    also why not."""
    chosen = hidden if is_hidden else visible
    rows = list(chosen(Model.objects.exclude(service_uid=None)).order_by("position", "pk"))
    by_service: dict[str, list[Any]] = {}
    for row, record in zip(rows, MODELS.load(rows), strict=True):
        by_service.setdefault(row.service_uid or "", []).append(record)
    services = []
    for service in Service.objects.order_by("position", "pk"):
        models = by_service.get(service.uid, [])
        if models:
            key, why_not = describe_key(service)
            services.append(
                {
                    "id": service.uid,
                    "label": service.label or service.uid,
                    "vendor": service.vendor_id or "",
                    "isVirtual": False,
                    "status": key,
                    "whyNot": why_not,
                    "models": [_choice(model) for model in models],
                }
            )
    for virtual, models in virtual_services() if not is_hidden else ():
        key, why_not = describe_virtual_key(virtual["id"])
        services.append(
            {
                "id": virtual["id"],
                "label": virtual["label"],
                "vendor": virtual["vId"],
                "isVirtual": True,
                "status": key,
                "whyNot": why_not,
                "models": [_choice(model) for model in models],
            }
        )
    masked: list[dict[str, Any]] = mask(services)
    return masked


def count_hidden() -> int:
    """Return how many models `list_choices` leaves out because they are hidden."""
    return hidden(Model.objects.filter(service_uid__in=Service.objects.values("uid"))).count()


def model_of(uid: str, chat: Conversation | None) -> CallableModel:
    """Return the model of this id, or the one that answers next in the chat. Raises `NotCallable` and
    `UnknownModel`."""
    return find_model(uid) if uid else choose_for(chat).model


def _choice(model: dict[str, Any]) -> dict[str, Any]:
    values = effective_values(model)
    chat = values["pricing"].get("chat") if values["pricing"] else None
    chat = chat if isinstance(chat, dict) else {}
    interfaces = model.get("interfaces")
    description = model.get("description")
    return {
        "id": model.get("id"),
        "label": values["label"] or model.get("id"),
        "description": description[:200] if isinstance(description, str) else "",
        "context": values["contextTokens"],
        "input": _price(chat.get("input")),
        "output": _price(chat.get("output")),
        "fee": number_or_none(chat.get(REQUEST)),
        "vision": isinstance(interfaces, list) and VISION in interfaces,
        "starred": values["starred"],
        "hiddenReason": text_or_empty(model.get("hiddenReason")),
    }


def _price(price: Any) -> float | str | None:
    """Return USD per million tokens, `free`, or None if unknown. With tiers, the first applies to usual lengths."""
    if isinstance(price, list) and price and isinstance(price[0], dict):
        price = price[0].get("price")
    if price == "free":
        return "free"
    return number_or_none(price)
