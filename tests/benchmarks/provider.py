"""A provider on loopback that streams tokens evenly: `python -m tests.benchmarks.provider` prints its port."""

import asyncio
import json
import sys

TOKENS, PAUSE = 200, 0.01
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return _packed({"id": "x", "object": "chat.completion.chunk", "model": "m", "choices": [choice]})


def _packed(value: object) -> bytes:
    data = f"data: {json.dumps(value)}\n\n".encode()
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


USAGE = {"prompt_tokens": 20, "completion_tokens": TOKENS, "total_tokens": TOKENS + 20}
TAIL = chunk({}, "stop") + _packed({"choices": [], "usage": USAGE}) + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
PIECES = [chunk({"content": f"word{at} "}) for at in range(TOKENS)]


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer requests of one connection, as long as it is open."""
    loop = asyncio.get_running_loop()
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = next(
                (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
            )
            body = json.loads(await reader.readexactly(length)) if length else {}
            writer.write(HEAD)
            count, pause = (10_000, 0.0) if body.get("model") == "many" else (TOKENS, PAUSE)
            started = loop.time()
            for at in range(count):
                # By the clock, so that pauses do not add up.
                if pause and (wait := started + at * pause - loop.time()) > 0:
                    await asyncio.sleep(wait)
                writer.write(PIECES[at % TOKENS])
                if not pause:
                    await writer.drain()
            writer.write(TAIL)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
