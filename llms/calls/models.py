"""The list of models that a provider offers, as it gives it."""

import asyncio
from typing import Any
from urllib.parse import urljoin

from llms.calls.events import CallFailed
from llms.calls.upstream import failure_of, open_client
from llms.vendors.endpoint import Endpoint
from stores.codecs import JSONObject

LIST_SECONDS = 30
"""How long a list may take."""


async def list_models(endpoint: Endpoint) -> list[JSONObject]:
    """Return the provider's models, each an object with an `id`. Raises `CallFailed`."""
    import openai

    vendor = endpoint.vendor
    if vendor.known_models:
        return [{"id": ref} for ref in vendor.known_models]
    url = urljoin(f"{endpoint.base_url.rstrip('/')}/", vendor.models)
    headers = {name: value.replace("{key}", endpoint.key) for name, value in vendor.models_headers.items()}
    try:
        # The SDK's own types would refuse lists that differ from OpenAI's.
        asked = open_client(endpoint).get(url, cast_to=object, options={"headers": headers})
        answer = await asyncio.wait_for(asked, LIST_SECONDS)
    except (openai.APIError, TimeoutError) as error:
        raise await failure_of(endpoint, error) from None
    except ValueError:
        raise _no_list(endpoint) from None
    return read_models(answer, endpoint)


def read_models(answer: Any, endpoint: Endpoint) -> list[JSONObject]:
    """Return the models of an answer: OpenAI's `data`, Cohere's `models`, Together's bare list. Raises `CallFailed`."""
    listed = answer
    if isinstance(answer, dict):
        listed = answer.get("data") if "data" in answer else answer.get("models")
    if not isinstance(listed, list):
        raise _no_list(endpoint)
    found: dict[str, JSONObject] = {}
    for model in listed:
        if isinstance(model, dict):
            ref = model.get("id") or model.get("name")
            if isinstance(ref, str) and 0 < len(ref) <= 150 and ref.isprintable():
                found.setdefault(ref, model | {"id": ref})
    return list(found.values())


def _no_list(endpoint: Endpoint) -> CallFailed:
    detail = f"{endpoint.host} did not return a list of models. Check the host of the service."
    return CallFailed(detail, "malformed")
