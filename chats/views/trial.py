"""`/api/test-ai`: which services can be used, and the whole way once."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from rest_framework.request import Request

from chats.generations.frames import frame
from chats.trial.reach import list_endpoints, look
from chats.trial.walk import Walk
from stores.api.asynchronous import api_view, in_thread, json_response
from stores.api.filters import check_parameters
from stores.api.origin import origin_of
from stores.api.problems import Problem, bad_parameter
from stores.codecs import JSONObject
from stores.services.errors import at

_walks: set[asyncio.Task[None]] = set()
"""Walks under way: each goes on to its end and cleans up, also when its reader has gone."""


@api_view("GET", "POST")
async def test_ai(request: Request) -> HttpResponseBase:
    """GET tells of each service whether it is configured and reachable; POST walks the whole way."""
    return await (_status(request) if request.method == "GET" else _walk(request))


async def _status(request: Request) -> HttpResponseBase:
    check_parameters(request, ("reach",))
    listed = await in_thread(list_endpoints)
    if _flag(request, "reach"):
        services = await asyncio.gather(*(look(told, endpoint) for told, endpoint in listed))
    else:
        services = [told for told, _ in listed]
    return json_response({"services": services})


async def _walk(request: Request) -> HttpResponseBase:
    check_parameters(request, ("stream",))
    body = request.data
    if not isinstance(body, dict):
        raise Problem(400, "The body is a JSON object.")
    if unknown := sorted(set(body) - {"modelId"}):
        raise at(f"/{unknown[0]}", "Unknown member. Allowed are: modelId.", "unknown")
    if not isinstance(body.get("modelId", ""), str):
        raise at("/modelId", "This is a text.", "type")
    origin = replace(await in_thread(origin_of, request), source="test")
    queue: asyncio.Queue[JSONObject | None] = asyncio.Queue()
    task = asyncio.get_running_loop().create_task(_run(Walk(origin, body.get("modelId")), queue))
    _walks.add(task)
    task.add_done_callback(_walks.discard)
    if _flag(request, "stream"):
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingHttpResponse(_frames(queue), content_type="text/event-stream; charset=utf-8", headers=headers)
    steps = [step async for step in _read(queue)]
    return json_response(steps[-1] | {"steps": steps[:-1]})


async def _run(walk: Walk, queue: "asyncio.Queue[JSONObject | None]") -> None:
    try:
        async for step in walk.steps():
            queue.put_nowait(step)
    finally:
        queue.put_nowait(None)


async def _read(queue: "asyncio.Queue[JSONObject | None]") -> AsyncGenerator[JSONObject, None]:
    while (step := await queue.get()) is not None:
        yield step


async def _frames(queue: "asyncio.Queue[JSONObject | None]") -> AsyncGenerator[bytes, None]:
    number = 0
    async for step in _read(queue):
        number += 1
        yield frame(number, "step" if "number" in step else "done", step)


def _flag(request: Any, name: str) -> bool:
    """Return a flag of the query that is set unless it is turned off. Raises `Problem`."""
    word = request.query_params.get(name, "1")
    if word not in ("0", "1", "false", "true"):
        raise bad_parameter(name, f"{name} is one of: true, false.")
    return word in ("1", "true")


# pytest takes functions of this name for tests.
test_ai.__test__ = False
