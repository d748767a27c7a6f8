"""A client of generations, and what must hold of a message that one wrote."""

import http.client
import json
import re
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.faulty_provider import FAULTS, KEY
from tests.servers import Client, Server, execute

WAIT_SECONDS = 20
LIMITS = {
    "BIGAGI_CONNECT_SECONDS": "2",
    "BIGAGI_FIRST_BYTE_SECONDS": "1.5",
    "BIGAGI_STALL_SECONDS": "1",
    "BIGAGI_CALL_SECONDS": "12",
    "BIGAGI_MAX_ANSWER_BYTES": str(3 * 2**20),
}
STOP_REASONS = {"client-abort", "filter", "issue", "out-of-tokens"}
PRICING = {"chat": {"input": 2, "output": 8}}


@dataclass
class Event:
    id: int
    name: str
    data: Any


@dataclass
class Stream:
    """An answer of events that is read as it comes."""

    answer: http.client.HTTPResponse
    events: list[Event] = field(default_factory=list)

    @property
    def id(self) -> str:
        return str(self.answer.headers["Location"]).rsplit("/", 1)[1]

    @property
    def text(self) -> str:
        return text_of(self.events)

    def read(self) -> Iterator[Event]:
        """Yield the events as they come."""
        lines: list[str] = []
        while raw := self.answer.readline():
            line = raw.decode().rstrip("\n")
            if line:
                lines.append(line)
                continue
            if event := parse_event(lines):
                self.events.append(event)
                yield event
            lines = []

    def read_until(self, length: int) -> str:
        """Read until so many characters of text have come, and return them."""
        for _ in self.read():
            if len(self.text) >= length:
                break
        return self.text


def text_of(events: list[Event]) -> str:
    return "".join(event.data.get("text", "") for event in events if event.name == "delta")


def parse_event(lines: list[str]) -> Event | None:
    fields = dict(line.split(": ", 1) for line in lines if not line.startswith(":"))
    return Event(int(fields["id"]), fields["event"], json.loads(fields["data"])) if fields else None


def parse_events(text: str) -> list[Event]:
    return [event for piece in text.split("\n\n") if piece and (event := parse_event(piece.split("\n")))]


class Talker:
    """A signed-in client that talks to models."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.client: Client = server.sign_in()

    def send(self, method: str, path: str, body: Any = None, status: int | None = None, **headers: str) -> Any:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        content = None if body is None else json.dumps(body).encode()
        answer = self.client.request(method, path, content, headers={"Content-Type": "application/json"} | headers)
        if status is not None:
            assert answer.status == status, answer.text[:2000]
        return answer

    def get(self, path: str) -> Any:
        return self.send("GET", path, status=200).json()

    def make_chat(self, **members: Any) -> str:
        return str(self.send("POST", "/api/chats", {"messages": []} | members, 201).json()["id"])

    def add_service(
        self, setup: dict[str, Any], refs: list[str], service: str = "faulty", vendor: str = "openai"
    ) -> None:
        record = {"id": service, "label": "Faulty", "vId": vendor, "setup": setup}
        self.send("POST", "/api/services", record, 201)
        common = {
            **{"created": 1, "hidden": False, "sId": service, "vId": vendor, "description": "", "parameterSpecs": []},
            **{"contextTokens": 100_000, "maxOutputTokens": 1000, "interfaces": ["oai-chat"], "pricing": PRICING},
        }
        models = [
            {"id": f"{service}-{ref}", "label": ref, "initialParameters": {"llmRef": ref}} | common for ref in refs
        ]
        self.send("POST", "/api/llms", {"llms": models}, 200)

    @contextmanager
    def open(self, path: str, body: Any = None, method: str = "POST", **headers: str) -> Iterator[Stream]:
        """Send a request, and yield its stream."""
        parts = urlsplit(self.server.url)
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.client.cookies)
        sent = {
            **{"Cookie": cookies, "X-CSRFToken": self.client.cookie("bigagi_csrf"), "Origin": self.server.url},
            **{"Content-Type": "application/json"},
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=WAIT_SECONDS)
        with closing(connection):
            content = None if body is None else json.dumps(body).encode()
            connection.request(method, path, content, sent)
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()[:2000]
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            yield Stream(answer)

    def generate(self, chat: str, model: str, text: str = "Hello", query: str = "", **members: Any) -> list[Event]:
        """Ask a model in the chat, and return all events."""
        body = {"message": {"text": text}, "modelId": model} | members
        with self.open(f"/api/chats/{chat}/generate{query}", body) as stream:
            return list(stream.read())

    def last_message(self, chat: str) -> Any:
        return self.get(f"/api/chats/{chat}")["messages"][-1]

    def wait_until_over(self, generation: str) -> Any:
        """Return the generation when it has ended.

        Asked again and again: no event tells that, where an end could not be stored when readers were told it."""
        deadline = time.monotonic() + WAIT_SECONDS
        while (run := self.get(f"/api/generations/{generation}"))["status"] == "running":
            assert time.monotonic() < deadline, "the generation did not end"
            time.sleep(0.05)
        return run

    def sql(self, statement: str) -> list[Any]:
        return execute(self.server.environment, statement)

    def usage_of(self, message: str) -> list[Any]:
        """Return outcome, estimated, cost, code and output tokens of the ledger's events of a message."""
        names = "outcome, estimated, cost_nano_usd, cost_code, output_tokens"
        return self.sql(f"SELECT {names} FROM metrics_usageevent WHERE message = '{message}'")


def error_texts(message: Any) -> list[str]:
    return [fragment["part"]["error"] for fragment in message["fragments"] if fragment["part"]["pt"] == "error"]


def message_text(message: Any) -> str:
    return "".join(part["part"]["text"] for part in message["fragments"] if part["part"]["pt"] == "text")


# --- what must hold --------------------------------------------------------------------------------------------------

_NANOID = re.compile(r"[A-Za-z0-9_-]{21}")
_MODULES = {"name", "mgt", "aix", "metrics", "tokenStopReason"}
_METRICS = {
    *("TIn", "TCacheRead", "TCacheWrite", "TOut", "TOutR", "dtStart", "dtAll", "vTOutInner", "TsR"),
    *("$c", "$cdCache", "$cReported", "$code"),
}
_PARTS = {
    "text": ("content", {"text"}),
    "error": ("content", {"error"}),
    "ma": ("void", {"aType", "aText"}),
    "tool_invocation": ("content", {"id", "invocation"}),
    "annotations": ("void", {"annotations"}),
}


def check_message(message: Any) -> None:
    """Check an ended message that we wrote, field by field, by the facts of big-AGI's data."""
    assert _NANOID.fullmatch(message["id"])
    assert message["role"] in ("user", "assistant", "system")
    assert set(message) <= {
        *("id", "role", "fragments", "purposeId", "generator", "tokenCount", "created", "updated"),
    }, set(message)
    assert type(message["tokenCount"]) is int and message["tokenCount"] >= 0
    assert type(message["created"]) is int and message["created"] > 10**12
    assert message["updated"] is None or message["updated"] >= message["created"]
    ids = [fragment["fId"] for fragment in message["fragments"]]
    assert len(set(ids)) == len(ids)
    for fragment in message["fragments"]:
        check_fragment(fragment)
    if message["role"] == "assistant":
        assert message["updated"] is not None
        check_generator(message["generator"])


def check_fragment(fragment: Any) -> None:
    assert set(fragment) == {"ft", "fId", "part"}
    assert re.fullmatch(r"[A-Za-z0-9_-]{8}", fragment["fId"])
    part = fragment["part"]
    ft, members = _PARTS[part["pt"]]
    assert fragment["ft"] == ft and set(part) == members | {"pt"}
    match part["pt"]:
        case "text":
            assert isinstance(part["text"], str)
        case "error":
            assert isinstance(part["error"], str) and part["error"]
        case "ma":
            assert part["aType"] == "reasoning" and isinstance(part["aText"], str)
        case "tool_invocation":
            invocation = part["invocation"]
            assert set(invocation) == {"type", "name", "args"} and invocation["type"] == "function_call"
        case "annotations":
            for note in part["annotations"]:
                assert note["type"] == "citation" and note["url"].startswith("http") and note["ranges"] == []


def check_generator(generator: Any) -> None:
    assert set(generator) <= _MODULES and generator["mgt"] == "aix" and isinstance(generator["name"], str)
    assert set(generator["aix"]) == {"vId", "mId"} and generator["aix"]["mId"].endswith(generator["name"])
    assert generator.get("tokenStopReason", "issue") in STOP_REASONS
    metrics = generator.get("metrics", {})
    assert set(metrics) <= _METRICS, set(metrics)
    for name, value in metrics.items():
        if name == "TsR":
            assert value == "aborted"
        elif name == "$code":
            assert value in ("free", "partial-msg", "partial-price", "no-pricing", "no-tokens")
        else:
            assert type(value) in (int, float), name
            assert name == "$cdCache" or value >= 0
            assert not name.startswith("T") or type(value) is int
            assert not name.startswith("$") or round(value, 4) == value
    if "TOutR" in metrics:
        assert metrics["TOutR"] <= metrics["TOut"]


__all__ = ["FAULTS", "KEY", "LIMITS", "Event", "Stream", "Talker"]
