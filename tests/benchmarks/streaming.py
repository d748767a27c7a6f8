"""Streams through our server, all of them kept, beside direct calls of the same provider in the same run."""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tests.benchmarks.measuring import REPOSITORY, build_environment, print_table, run_python
from tests.servers import Server, run_server

TARGETS = {1: 1.02, 50: 1.20, 200: 1.70}
FIRST_DELTA_MS = 10
CPU_MS = 18
KIB_A_STREAM = 200
JOIN_MS = 200
TOKENS = 200

Stream = Callable[[int], Awaitable["Read"]]


@dataclass
class Read:
    """One stream as its reader had it: seconds to the first delta and to the end, and the text."""

    first: float
    whole: float
    text: str


def run(*, quick: bool) -> int:
    """Measure everything and print the tables; return 1 where a target is missed."""
    with tempfile.TemporaryDirectory(prefix="bigagi-benchmark-") as folder:
        environment = build_environment(Path(folder) / "data")
        (Path(folder) / "data").mkdir()
        run_python("manage.py", "migrate", "--verbosity", "0", environment=environment)
        with provider() as port, run_server(environment) as server:
            token = server.manage("create_token", "benchmark").stdout.strip()
            is_met = asyncio.run(Measurement(server, token, port, quick=quick).run())
    return 0 if is_met or quick else 1


@contextmanager
def provider() -> Iterator[int]:
    """Run the provider in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.provider"]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


class Measurement:
    """Direct and ours, by turns."""

    def __init__(self, server: Server, token: str, port: int, *, quick: bool) -> None:
        self.server, self.token, self.quick = server, token, quick
        self.direct_url = f"http://127.0.0.1:{port}/v1/chat/completions"
        self.host = f"http://127.0.0.1:{port}"
        self.chats: list[str] = []

    async def run(self) -> bool:
        connector = aiohttp.TCPConnector(limit=0)
        headers = {"Authorization": f"Bearer {self.token}"}
        timeout = aiohttp.ClientTimeout(total=300)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as self.session:
            self.headers = headers
            await self._prepare()
            await self._measure_many(self._ours, 2)
            rows, is_met = [], True
            for count, target in TARGETS.items():
                rounds = 1 if self.quick else {1: 7, 50: 3, 200: 2}[count]
                row, met = await self._compare(count, rounds, target)
                rows.append(row)
                is_met &= met
            heads = ["streams", "direct, s", "ours, s", "ours / direct", "first delta after, ms", "CPU a turn, ms"]
            print_table([*heads, "KiB a stream", "failed"], rows)
            joined = await self._join_late()
            print_table(["a reader joins after 10,000 tokens", "ms"], [["all of them", f"{joined:.0f} (≤ {JOIN_MS})"]])
        return is_met and joined <= JOIN_MS

    async def _prepare(self) -> None:
        setup = {"oaiKey": "sk-benchmark-0000000000000000", "oaiHost": self.host}
        await self._post("/api/services", {"id": "openai", "label": "Benchmark", "vId": "openai", "setup": setup})
        models = [
            {
                "id": f"openai-{ref}",
                "label": ref,
                "sId": "openai",
                "vId": "openai",
                "hidden": False,
                "interfaces": ["oai-chat"],
                "initialParameters": {"llmRef": ref},
                "contextTokens": 128000,
                "pricing": {"chat": {"input": 1, "output": 2}},
            }
            for ref in ("even", "many")
        ]
        await self._post("/api/llms", {"mode": "merge", "llms": models})
        for _ in range(max(TARGETS)):
            made = await self._post("/api/chats", {"messages": [], "systemPurposeId": "Generic"})
            self.chats.append(made["id"])

    async def _post(self, path: str, body: Any) -> Any:
        async with self.session.post(self.server.url + path, json=body, headers=self.headers) as answer:
            content = await answer.text()
            assert answer.status < 300, content
            return json.loads(content)

    async def _compare(self, count: int, rounds: int, target: float) -> tuple[list[str], bool]:
        direct: list[Read] = []
        ours: list[Read] = []
        failed, cpu, memory = 0, 0.0, 0.0
        for _ in range(rounds):
            direct += [read for read in await self._measure_many(self._direct, count) if isinstance(read, Read)]
            before, resident = _cpu_of(self.server.process.pid), _kib_of(self.server.process.pid)
            task = asyncio.create_task(self._measure_many(self._ours, count))
            # In the middle of the streams, when all of them are open.
            await asyncio.sleep(1.5)
            memory = max(memory, (_kib_of(self.server.process.pid) - resident) / count)
            results = await task
            # What is kept after the last event counts as well.
            await asyncio.sleep(0.5)
            cpu += _cpu_of(self.server.process.pid) - before
            reads = [read for read in results if isinstance(read, Read)]
            failed += len(results) - len(reads)
            failed += sum(read.text != "".join(f"word{at} " for at in range(TOKENS)) for read in reads)
            ours += reads
        ratio = _median(ours, "whole") / _median(direct, "whole")
        later = (_median(ours, "first") - _median(direct, "first")) * 1000
        turn = cpu / (count * rounds) * 1000
        is_met = ratio <= target and not failed
        # A single stream wakes an idle machine for each token, which costs more than the token's work.
        is_met &= later <= FIRST_DELTA_MS if count == 1 else turn <= CPU_MS and memory <= KIB_A_STREAM
        return [
            str(count),
            f"{_median(direct, 'whole'):.2f}",
            f"{_median(ours, 'whole'):.2f}",
            f"{ratio:.3f} (≤ {target:.2f})",
            f"{later:.1f}" + (f" (≤ {FIRST_DELTA_MS})" if count == 1 else ""),
            f"{turn:.1f}" + (f" (≤ {CPU_MS})" if count > 1 else ""),
            f"{memory:.0f}" + (f" (≤ {KIB_A_STREAM})" if count > 1 else ""),
            str(failed),
        ], is_met

    async def _measure_many(self, stream: Stream, count: int) -> list[Any]:
        return await asyncio.gather(*(stream(at) for at in range(count)), return_exceptions=True)

    async def _direct(self, at: int) -> Read:
        body = {"model": "even", "messages": [{"role": "user", "content": "Hello"}], "stream": True}
        return await self._read(self.direct_url, body, {}, _direct_text)

    async def _ours(self, at: int) -> Read:
        body = {"message": {"text": "Hello"}, "modelId": "openai-even"}
        return await self._read(f"{self.server.url}/api/chats/{self.chats[at]}/generate", body, self.headers, _our_text)

    async def _read(self, url: str, body: Any, headers: Any, text_of: Callable[[bytes], str]) -> Read:
        started = time.perf_counter()
        first = 0.0
        texts: list[str] = []
        rest = b""
        async with self.session.post(url, json=body, headers=headers) as answer:
            if answer.status != 200:
                raise RuntimeError(await answer.text())
            async for content in answer.content.iter_any():
                *events, rest = (rest + content).split(b"\n\n")
                for event in events:
                    if text := text_of(event):
                        first = first or time.perf_counter() - started
                        texts.append(text)
        return Read(first, time.perf_counter() - started, "".join(texts))

    async def _join_late(self) -> float:
        """Return how many ms a reader waits for the 10,000 tokens that came before it joined."""
        chat = self.chats[0]
        made = await self._post(
            f"/api/chats/{chat}/generate", {"message": {"text": "Many"}, "modelId": "openai-many", "stream": False}
        )
        started = time.perf_counter()
        url = self.server.url + made["events_href"]
        async with self.session.get(url, headers=self.headers) as answer:
            content = await answer.read()
        assert b"event: done" in content, content[-500:]
        return (time.perf_counter() - started) * 1000


def _direct_text(event: bytes) -> str:
    data = event.removeprefix(b"data: ")
    if data == b"[DONE]":
        return ""
    choices = json.loads(data)["choices"]
    return choices[0]["delta"].get("content", "") if choices else ""


def _our_text(event: bytes) -> str:
    if b"\nevent: delta\n" not in event:
        return ""
    return str(json.loads(event[event.index(b"data: ") + 6 :]).get("text", ""))


def _median(reads: list[Read], name: str) -> float:
    return statistics.median(getattr(read, name) for read in reads)


def _cpu_of(pid: int) -> float:
    """Return the seconds of CPU that a process took: by the kernel's own clock of it, whose number is that of
    `clock_getcpuclockid(3)`. The ticks of `/proc` count 10 ms for each that falls into a token's work."""
    return time.clock_gettime((~pid << 3) | 2)


def _kib_of(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("VmRSS"))
