"""Whether the services are configured, and whether they answer: each is asked once, for its list of models."""

import asyncio
import time
from urllib.parse import urlsplit

from llms.calls.client import is_proxied
from llms.calls.demo import SERVICE as DEMO
from llms.calls.events import CallFailed
from llms.calls.models import list_models
from llms.catalog import env_endpoint, reveal_endpoint, virtual_services
from llms.models import Service
from llms.vendors.endpoint import Endpoint, NotCallable
from stores.records.codecs import JSONObject

CONNECT_SECONDS = 2.0
"""How long a host may take to accept a connection."""
LIST_SECONDS = 10.0
"""How long a host may take to list its models."""
NOT_ASKED: JSONObject = {"check": "none", "reachable": None, "working": None, "models": None, "ms": None, "detail": ""}
_SILENT = ("unreachable", "timeout", "proxy")


def list_endpoints(only: str | None = None) -> list[tuple[JSONObject, Endpoint | None]]:
    """Return the facts that need no network of each service, or of one, and its endpoint."""
    listed: list[tuple[JSONObject, Endpoint | None]] = []
    rows = Service.objects.all() if only is None else Service.objects.filter(uid=only)
    for row in rows:
        facts = {"id": row.uid, "label": row.label, "vendor": row.vendor_id, "virtual": False, "configured": True}
        try:
            listed.append((facts | NOT_ASKED, reveal_endpoint(row)))
        except NotCallable as error:
            listed.append((facts | NOT_ASKED | {"configured": False, "detail": str(error)}, None))
    for service, _ in virtual_services():
        if only not in (None, service["id"]):
            continue
        facts = {"id": service["id"], "label": service["label"], "vendor": service["vId"], "virtual": True}
        facts |= {"configured": True} | NOT_ASKED
        if service["id"] == DEMO:
            listed.append((facts | {"reachable": True, "working": True, "detail": "No network needed."}, None))
            continue
        try:
            listed.append((facts, env_endpoint()))
        except NotCallable as error:
            listed.append((facts | {"configured": False, "detail": str(error)}, None))
    return listed


async def look_at_all(listed: list[tuple[JSONObject, Endpoint | None]]) -> list[JSONObject]:
    """Check all services in parallel, and return the results."""
    return await asyncio.gather(*(look(facts, endpoint) for facts, endpoint in listed))


async def look(facts: JSONObject, endpoint: Endpoint | None) -> JSONObject:
    """Return the facts, and what became of one request for the list of models, which no provider charges for.

    A provider that has no such list is only connected to, and sent nothing."""
    if endpoint is None:
        return facts
    if endpoint.vendor.known_models:
        return facts | await _connect(endpoint)
    began = time.perf_counter()
    asked = {"check": "models"}
    try:
        models = await asyncio.wait_for(list_models(endpoint), LIST_SECONDS)
    except CallFailed as error:
        is_there = error.kind not in _SILENT
        return facts | asked | {"reachable": is_there, "working": False, "detail": str(error)}
    except TimeoutError:
        detail = f"{endpoint.host} did not list its models within {LIST_SECONDS:.0f} s."
        return facts | asked | {"reachable": False, "working": False, "detail": detail}
    ms = round((time.perf_counter() - began) * 1000)
    many = "1 model" if len(models) == 1 else f"{len(models):,} models"
    detail = f"{endpoint.host} listed {many} in {ms:,} ms."
    return facts | asked | {"reachable": True, "working": True, "models": len(models), "ms": ms, "detail": detail}


async def _connect(endpoint: Endpoint) -> JSONObject:
    try:
        if is_proxied(endpoint.base_url):
            detail = f"{endpoint.host} is called through a proxy. Only a call shows whether it answers."
            return {"check": "none", "detail": detail}
    except CallFailed as error:
        return {"check": "none", "reachable": False, "detail": str(error)}
    parts = urlsplit(endpoint.base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        opened = asyncio.open_connection(parts.hostname, port)
        _, writer = await asyncio.wait_for(opened, CONNECT_SECONDS)
    except (OSError, UnicodeError):
        return {"check": "connection", "reachable": False, "detail": f"{endpoint.host} does not accept connections."}
    writer.close()
    detail = f"{endpoint.host} accepts connections. It has no list of models to ask for: test it with a POST."
    return {"check": "connection", "reachable": True, "detail": detail}
