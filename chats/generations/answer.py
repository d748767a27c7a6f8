"""The assistant message while it is written, in big-AGI's shape (`bigagi-format.md` § 3, 6). Pure."""

import re
from dataclasses import dataclass, field
from typing import Any

from chats.services import ids
from llms.calls.events import Citations, Event, Finish, Reasoning, Text, ToolCall, Usage
from llms.pricing.formula import Cost, as_cents
from llms.pricing.tokens import Tokens
from stores.codecs import JSONObject

STOP_REASONS = {"length": "out-of-tokens", "content_filter": "filter"}
"""big-AGI's `tokenStopReason` of a finish reason; an answer that ended as it should has none."""

_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


@dataclass
class Answer:
    """The answer so far. `take` adds an event, `message` returns the whole message."""

    base: JSONObject
    """The message as it was when the run began."""
    fragments: list[JSONObject] = field(default_factory=list)
    usage: Usage | None = None
    finish: str = ""
    first_at: float | None = None
    """Seconds from the start to the first piece."""
    size: int = 0
    """Characters of text and reasoning."""
    _tools: dict[int, JSONObject] = field(default_factory=dict)
    _pieces: list[str] = field(default_factory=list)
    """Text of the last fragment that is not joined yet."""

    def take(self, event: Event, seconds: float) -> None:
        """Add an event that came this many seconds after the start."""
        if self.first_at is None and isinstance(event, Text | Reasoning | ToolCall):
            self.first_at = seconds
        match event:
            case Text(text):
                self._add_text("content", {"pt": "text", "text": ""}, "text", text)
            case Reasoning(text):
                self._add_text("void", {"pt": "ma", "aType": "reasoning", "aText": ""}, "aText", text)
            case ToolCall():
                self._add_tool(event)
            case Citations(urls):
                self._add_citations(urls)
            case Usage():
                self.usage = event
            case Finish(reason):
                self.finish = reason

    def _add_text(self, ft: str, part: JSONObject, key: str, text: str) -> None:
        last = self.fragments[-1] if self.fragments else None
        if last is None or last["part"]["pt"] != part["pt"]:
            self._join()
            last = {"ft": ft, "fId": ids.new_fragment_id(), "part": part}
            self.fragments.append(last)
        self._pieces.append(text)
        self.size += len(text)

    def _join(self) -> None:
        if self._pieces:
            part = self.fragments[-1]["part"]
            key = "text" if part["pt"] == "text" else "aText"
            part[key] = join_surrogates(part[key] + "".join(self._pieces))
            self._pieces.clear()

    def _add_tool(self, call: ToolCall) -> None:
        fragment = self._tools.get(call.index)
        if fragment is None:
            self._join()
            invocation = {"type": "function_call", "name": "", "args": ""}
            part = {"pt": "tool_invocation", "id": call.id or ids.new_fragment_id(), "invocation": invocation}
            fragment = {"ft": "content", "fId": ids.new_fragment_id(), "part": part}
            self._tools[call.index] = fragment
            self.fragments.append(fragment)
        fragment["part"]["invocation"]["name"] += call.name
        fragment["part"]["invocation"]["args"] += call.arguments

    def _add_citations(self, urls: list[str]) -> None:
        self._join()
        known = {
            note["url"]
            for fragment in self.fragments
            if fragment["part"]["pt"] == "annotations"
            for note in fragment["part"]["annotations"]
        }
        new = [{"type": "citation", "url": url, "title": url, "ranges": []} for url in urls if url not in known]
        if new:
            part = {"pt": "annotations", "annotations": new}
            self.fragments.append({"ft": "void", "fId": ids.new_fragment_id(), "part": part})

    def add_error(self, text: str) -> None:
        """Add a last fragment that says what went wrong."""
        self._join()
        part = {"pt": "error", "error": text}
        self.fragments.append({"ft": "content", "fId": ids.new_fragment_id(), "part": part})

    def now(self) -> list[JSONObject]:
        """Return the fragments as they are now."""
        self._join()
        return self.fragments

    def visible_text(self) -> str:
        """Return the text of the answer."""
        return "".join(fragment["part"]["text"] for fragment in self.now() if fragment["part"]["pt"] == "text")

    def message(self, *, ended: int, stop_reason: str, metrics: JSONObject | None, tokens: int | None) -> JSONObject:
        """Return the message as it ends, `ended` in ms since the epoch."""
        message = {key: value for key, value in self.base.items() if key != "pendingIncomplete"}
        generator = dict(message["generator"])
        if metrics:
            generator["metrics"] = metrics
        if stop_reason:
            generator["tokenStopReason"] = stop_reason
        message |= {"fragments": self.now(), "generator": generator, "updated": ended}
        if tokens is not None:
            message["tokenCount"] = tokens
        return message


def join_surrogates(text: str) -> str:
    """Return the text with one character for each pair of surrogates: providers cut them apart."""
    return _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)


def stop_reason_of(finish: str) -> str:
    """Return big-AGI's `tokenStopReason` of a provider's finish reason."""
    return STOP_REASONS.get(finish, "")


def metrics_of(
    tokens: Tokens, cost: Cost, *, first_ms: int | None, total_ms: int, reported: int | None, ended: str = ""
) -> JSONObject:
    """Return a message's metrics: counts, times in ms, money in cents; `ended` is `aborted` for what was broken off."""
    metrics: JSONObject = {}
    counts = {
        "TIn": tokens.input,
        "TCacheRead": tokens.cache_read,
        "TCacheWrite": tokens.cache_write,
        "TOut": None if tokens.output is None and tokens.reasoning is None else tokens.total_output,
        "TOutR": tokens.reasoning,
    }
    # Counts of nothing are left out, as big-AGI leaves them, but for what went in and came out.
    metrics |= {
        name: count for name, count in counts.items() if count is not None and (count or name in ("TIn", "TOut"))
    }
    metrics["dtAll"] = total_ms
    if first_ms is not None:
        metrics["dtStart"] = first_ms
        seconds = (total_ms - first_ms) / 1000
        if tokens.total_output and seconds > 0:
            metrics["vTOutInner"] = round(tokens.total_output / seconds, 2)
    if ended:
        metrics["TsR"] = ended
    if cost.nano_usd is not None:
        metrics["$c"] = as_cents(cost.nano_usd)
    if cost.saved_nano_usd:
        metrics["$cdCache"] = as_cents(cost.saved_nano_usd)
    if cost.code:
        metrics["$code"] = cost.code
    if reported is not None:
        metrics["$cReported"] = as_cents(reported)
    # As JSON reads them back: otherwise the message would have another hash than its stored text.
    return {name: _as_read(value) for name, value in metrics.items()}


def _as_read(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def begin_message(uid: str, model_ref: str, model_id: str, vendor_id: str, persona: Any, created: int) -> JSONObject:
    """Return the assistant message as a run begins it."""
    message: JSONObject = {
        "id": uid,
        "role": "assistant",
        "fragments": [],
        "generator": {"mgt": "aix", "name": model_ref, "aix": {"vId": vendor_id, "mId": model_id}},
        "pendingIncomplete": True,
        "tokenCount": 0,
        "created": created,
        "updated": None,
    }
    return message | ({"purposeId": persona} if isinstance(persona, str) else {})
