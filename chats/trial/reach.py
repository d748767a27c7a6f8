"""Whether the services are configured, and whether their hosts can be reached."""

import asyncio
from urllib.parse import urlsplit

from llms.calls.demo import SERVICE as DEMO
from llms.catalog import env_endpoint, reveal_endpoint, virtual_services
from llms.models import Service
from llms.vendors.endpoint import Endpoint, NotCallable
from stores.codecs import JSONObject

CONNECT_SECONDS = 2.0
"""How long a host may take to accept a connection."""


def list_endpoints() -> list[tuple[JSONObject, Endpoint | None]]:
    """Return each service's facts that need no network, and its endpoint."""
    listed: list[tuple[JSONObject, Endpoint | None]] = []
    for row in Service.objects.all():
        told = {"id": row.uid, "label": row.label, "vendor": row.vendor_id, "virtual": False}
        try:
            listed.append(_configured(told, reveal_endpoint(row)))
        except NotCallable as error:
            listed.append((told | {"configured": False, "reachable": None, "detail": str(error)}, None))
    for service, _ in virtual_services():
        told = {"id": service["id"], "label": service["label"], "vendor": service["vId"], "virtual": True}
        if service["id"] == DEMO:
            listed.append((told | {"configured": True, "reachable": True, "detail": "No network needed."}, None))
            continue
        try:
            listed.append(_configured(told, env_endpoint()))
        except NotCallable as error:
            listed.append((told | {"configured": False, "reachable": None, "detail": str(error)}, None))
    return listed


def _configured(told: JSONObject, endpoint: Endpoint) -> tuple[JSONObject, Endpoint]:
    return told | {"configured": True, "reachable": None, "detail": ""}, endpoint


async def look_at_all(listed: list[tuple[JSONObject, Endpoint | None]]) -> list[JSONObject]:
    """Check all services in parallel, and return the results."""
    return await asyncio.gather(*(look(told, endpoint) for told, endpoint in listed))


async def look(told: JSONObject, endpoint: Endpoint | None) -> JSONObject:
    """Return the facts, and whether the host accepts a connection. No key and no request is sent."""
    if endpoint is None:
        return told
    parts = urlsplit(endpoint.base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        opened = asyncio.open_connection(parts.hostname, port)
        _, writer = await asyncio.wait_for(opened, CONNECT_SECONDS)
    except (OSError, TimeoutError):
        return told | {"reachable": False, "detail": f"{endpoint.host} does not accept connections."}
    writer.close()
    return told | {"reachable": True, "detail": f"{endpoint.host} accepts connections."}
