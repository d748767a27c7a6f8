"""The least that a stream can cost: one asynchronous view that parses each event and sends it on. Nothing is kept."""

import json
from collections.abc import AsyncIterator

import aiohttp
from django.http import HttpRequest, StreamingHttpResponse

_sessions: list[aiohttp.ClientSession] = []


async def proxy(request: HttpRequest) -> StreamingHttpResponse:
    """Send the body to the provider at `?url=`, and its pieces on as `delta` events."""
    return StreamingHttpResponse(_stream(request.GET["url"], request.body), content_type="text/event-stream")


async def _stream(url: str, body: bytes) -> AsyncIterator[bytes]:
    if not _sessions:
        _sessions.append(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
    rest = b""
    async with _sessions[0].post(url, data=body, headers={"Content-Type": "application/json"}) as answer:
        async for content in answer.content.iter_any():
            *events, rest = (rest + content).split(b"\n\n")
            for event in events:
                data = event.removeprefix(b"data: ")
                if data == b"[DONE]":
                    yield b"event: done\ndata: {}\n\n"
                elif choices := json.loads(data)["choices"]:
                    text = choices[0]["delta"].get("content", "")
                    yield b"event: delta\ndata: " + json.dumps({"text": text}).encode() + b"\n\n"
