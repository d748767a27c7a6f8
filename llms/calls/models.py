"""The list of models that a provider offers, as it gives it."""

import asyncio
from typing import Any

from llms.calls.client import key_headers, open_client
from llms.calls.events import CallFailed
from llms.calls.failures import describe_error, status_in
from llms.calls.sdk_errors import errors_of_calls, failure_of
from llms.vendors.endpoint import Endpoint
from stores.records.codecs import JSONObject

LIST_SECONDS = 30
"""How long a list may take."""


async def list_models(endpoint: Endpoint) -> list[JSONObject]:
    """Return the provider's models, each an object with an `id`. Raises `CallFailed`."""
    vendor = endpoint.vendor
    if vendor.known_models:
        return [{"id": ref} for ref in vendor.known_models]
    headers = key_headers(endpoint)
    headers |= {name: value.replace("{key}", endpoint.key) for name, value in vendor.models_headers.items()}
    try:
        # The SDK's own types would refuse lists that differ from OpenAI's.
        asked = open_client(endpoint).get(endpoint.url(vendor.models), cast_to=object, options={"headers": headers})
        answer = await asyncio.wait_for(asked, LIST_SECONDS)
    except ValueError:
        raise _no_list(endpoint) from None
    except errors_of_calls() as error:
        raise await failure_of(endpoint, error) from None
    return read_models(answer, endpoint)


def read_models(answer: Any, endpoint: Endpoint) -> list[JSONObject]:
    """Return the models of an answer: OpenAI's `data`, Cohere's `models`, Together's bare list. Raises `CallFailed`."""
    listed = answer
    if isinstance(answer, dict):
        if error := answer.get("error"):
            raise describe_error(status_in(error), error, key=endpoint.key)
        listed = answer.get("data") or answer.get("models")
        if listed is None and ("data" in answer or "models" in answer):
            # LM Studio and others, before a model is there.
            return []
    if not isinstance(listed, list):
        raise _no_list(endpoint)
    found: dict[str, JSONObject] = {}
    for model in listed:
        # Small servers list bare names.
        known = {"id": model} if isinstance(model, str) else model
        ref = (known.get("id") or known.get("name")) if isinstance(known, dict) else None
        if ref and isinstance(ref, str):
            found.setdefault(ref, known | {"id": ref})
    return list(found.values())


def _no_list(endpoint: Endpoint) -> CallFailed:
    detail = f"{endpoint.host} did not return a list of models. Check the host of the service."
    return CallFailed(detail, "malformed")
