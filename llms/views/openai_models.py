"""`/api/openai-models`: the models of the OpenAI service, as they are known here."""

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from llms import virtual
from llms.bigagi import MODELS, SERVICES
from llms.callable_model import ENV_SERVICE
from llms.catalog import env_key, reveal_endpoint
from llms.effective import effective_values
from llms.models import Model, Service
from llms.pricing.book import book_name, facts_in_book
from llms.vendors.endpoint import NotCallable
from stores.api.filters import check_parameters
from stores.records.clock import now_ms
from stores.records.codecs import JSONObject
from stores.records.ids import href
from stores.records.secrets import mask

VENDOR = "openai"


class OfferedModelSerializer(serializers.Serializer[Any]):
    """A model with its prices and capabilities."""

    id = serializers.CharField(help_text="The model's id here.")
    ref = serializers.CharField(help_text="The provider's name for it.")
    # DRF's fields have an attribute of this name.
    label: Any = serializers.CharField()
    hidden = serializers.BooleanField()
    context_tokens = serializers.IntegerField(allow_null=True)
    max_output_tokens = serializers.IntegerField(allow_null=True)
    pricing = serializers.DictField(
        allow_null=True, help_text="USD per million tokens, in big-AGI's format. null if unpriced."
    )
    price_source = serializers.CharField(help_text="user, model, book with its version, or empty.")
    capabilities = serializers.ListField(child=serializers.CharField(), help_text="Such as oai-chat-vision.")
    href = serializers.CharField()


class OfferingServiceSerializer(serializers.Serializer[Any]):
    """The service that offers them."""

    id = serializers.CharField()
    label: Any = serializers.CharField(allow_null=True)
    virtual = serializers.BooleanField(help_text="Whether it comes from the environment.")
    callable = serializers.BooleanField()
    why_not = serializers.CharField(help_text="Why it cannot be called, or empty.")
    href = serializers.CharField()


class OpenAIModelsSerializer(serializers.Serializer[Any]):
    """The OpenAI service's models."""

    service = OfferingServiceSerializer(allow_null=True, help_text="null if there is none.")
    models = OfferedModelSerializer(many=True)


class OpenAIModelsView(APIView):
    @extend_schema(operation_id="openai_models", responses=OpenAIModelsSerializer)
    def get(self, request: Request) -> Response:
        """The models of the environment's service (OPENAI_API_KEY), or of the first OpenAI service, as last listed.
        No provider is contacted; `POST /api/services/{id}/refresh` updates the list."""
        check_parameters(request, ())
        if env_key():
            service = next(each for each in virtual.services() if each["id"] == ENV_SERVICE)
            models = virtual.find_models({"service": ENV_SERVICE})
            return Response({"service": _describe(service, ""), "models": _present(models)})
        row = Service.objects.filter(vendor_id=VENDOR).order_by("position", "pk").first()
        if row is None:
            return Response({"service": None, "models": []})
        why_not = ""
        try:
            reveal_endpoint(row)
        except NotCallable as error:
            why_not = str(error)
        rows = Model.objects.filter(service_uid=row.uid).order_by("position", "pk")
        [service] = SERVICES.load([row])
        return Response({"service": _describe(service, why_not), "models": _present(mask(MODELS.load(list(rows))))})


def _describe(service: JSONObject, why_not: str) -> JSONObject:
    label = service.get("label")
    return {
        "id": service["id"],
        "label": label if isinstance(label, str) else None,
        "virtual": service["id"] == ENV_SERVICE,
        "callable": not why_not,
        "why_not": why_not,
        "href": href("services", service["id"]),
    }


def _present(models: Iterable[JSONObject]) -> list[JSONObject]:
    now = now_ms()
    return [_present_one(model, now) for model in models]


def _present_one(model: JSONObject, now: int) -> JSONObject:
    values = effective_values(model)
    initial = model.get("initialParameters")
    ref = initial.get("llmRef") if isinstance(initial, dict) else None
    ref = ref if isinstance(ref, str) else str(model["id"]).removeprefix(f"{model.get('sId')}-")
    book = facts_in_book(VENDOR, ref, now)
    source = "user" if isinstance(model.get("userPricing"), dict) else "model" if values["pricing"] else ""
    if not source and book.get("pricing"):
        source = book_name()
    interfaces = model.get("interfaces")
    return {
        "id": model["id"],
        "ref": ref,
        "label": values["label"] or ref,
        "hidden": values["hidden"],
        "context_tokens": values["contextTokens"] or book.get("contextTokens"),
        "max_output_tokens": values["maxOutputTokens"],
        "pricing": values["pricing"] or book.get("pricing"),
        "price_source": source,
        "capabilities": [name for name in interfaces if isinstance(name, str)] if isinstance(interfaces, list) else [],
        "href": href("llms", model["id"]),
    }
