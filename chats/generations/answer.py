"""The assistant message while it is written, in big-AGI's shape (`bigagi-format.md` § 3, 6). Pure."""

import re
from dataclasses import dataclass, field
from typing import Any

from chats.services import ids
from llms.calls.events import (
    Citation,
    Citations,
    Event,
    Extra,
    Finish,
    Media,
    Reasoning,
    Rethought,
    Text,
    ToolCall,
    Usage,
)
from llms.pricing.formula import Cost, as_cents
from llms.pricing.tokens import Tokens
from stores.records.codecs import JSONObject

STOP_REASONS = {"length": "out-of-tokens", "content_filter": "filter"}
"""big-AGI's `tokenStopReason` of a finish reason; an answer that ended as it should has none."""

EXTRA = "providerExtra"
"""The member of a message that keeps what a provider sent and big-AGI's messages have no place for: lists of values by
the provider's names."""

_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


@dataclass
class Answer:
    """The answer so far. `take` adds an event, `message` returns the whole message."""

    start_message: JSONObject
    """The message as it was when the generation began."""
    fragments: list[JSONObject] = field(default_factory=list)
    usage: Usage | None = None
    finish: str = ""
    first_at: float | None = None
    """Seconds from the start to the first piece."""
    size: int = 0
    """Characters of text and reasoning."""
    changed_from: int = 0
    """The first fragment that is new or changed since this was set to the number of fragments."""
    extra: dict[str, list[Any]] = field(default_factory=dict)
    """What has no place of its own, by the provider's names."""
    _tools: dict[int, int] = field(default_factory=dict)
    """The fragment of each call of a tool."""
    _growing: int = -1
    """The fragment whose text grows."""
    _pieces: list[str] = field(default_factory=list)
    """Text of that fragment that is not joined yet."""

    def take(self, event: Event, seconds: float) -> None:
        """Add an event that came this many seconds after the start."""
        if self.first_at is None and isinstance(event, Text | Reasoning | ToolCall | Media):
            self.first_at = seconds
        match event:
            case Text(text):
                self._add_text(text)
            case Reasoning(text):
                self._add_text(text, is_reasoning=True)
            case Rethought():
                self._rethink()
            case ToolCall():
                self._add_tool(event)
            case Citations(citations):
                self._add_citations(citations)
            case Media(url):
                self._add_media(url)
            case Extra(name, value):
                self.extra.setdefault(name, []).append(value)
            case Usage():
                self.usage = event
            case Finish(reason):
                self.finish = reason

    def _add_text(self, text: str, *, is_reasoning: bool = False) -> None:
        # Citations and sound stand beside the text, never in the middle of it.
        last = next((at for at in range(len(self.fragments) - 1, -1, -1) if not self._is_beside(at)), -1)
        if last < 0 or self._pt(last) != ("ma" if is_reasoning else "text"):
            last = self._add("void", reasoning_part("")) if is_reasoning else self._add("content", text_part(""))
        if last != self._growing:
            self._join()
            self._growing = last
        self._change(last)
        self._pieces.append(text)
        self.size += len(text)

    def _pt(self, at: int) -> str:
        return str(self.fragments[at]["part"]["pt"])

    def _is_beside(self, at: int) -> bool:
        return self._pt(at) == "annotations" or self._url(at).startswith("data:audio/")

    def _url(self, at: int) -> str:
        """Return the address of an image or sound; of another fragment none."""
        part = self.fragments[at]["part"]
        return str(part["dataRef"].get("url", "")) if part["pt"] == "image_ref" else ""

    def _add(self, ft: str, part: JSONObject) -> int:
        """Add a fragment; return where it stands."""
        self._join()
        self.fragments.append({"ft": ft, "fId": ids.new_fragment_id(), "part": part})
        self._change(len(self.fragments) - 1)
        return len(self.fragments) - 1

    def _change(self, at: int) -> None:
        if at < self.changed_from:
            self.changed_from = at

    def _join(self) -> None:
        if self._pieces:
            part = self.fragments[self._growing]["part"]
            key = "text" if part["pt"] == "text" else "aText"
            part[key] = join_surrogates(part[key] + "".join(self._pieces))
            self._pieces.clear()

    def _rethink(self) -> None:
        """Make reasoning of all text."""
        self._join()
        self._growing = -1
        for at, fragment in enumerate(self.fragments):
            if fragment["part"]["pt"] == "text":
                self.fragments[at] = fragment | {"ft": "void", "part": reasoning_part(fragment["part"]["text"])}
                self._change(at)

    def _add_tool(self, call: ToolCall) -> None:
        at = self._tools.get(call.index)
        if at is None:
            invocation = {"type": "function_call", "name": "", "args": ""}
            part = {"pt": "tool_invocation", "id": call.id or ids.new_fragment_id(), "invocation": invocation}
            at = self._tools[call.index] = self._add("content", part)
        self._change(at)
        invocation = self.fragments[at]["part"]["invocation"]
        invocation["name"] += call.name
        invocation["args"] += call.arguments

    def _add_citations(self, citations: list[Citation]) -> None:
        at = next((at for at in range(len(self.fragments)) if self._pt(at) == "annotations"), None)
        if at is None:
            at = self._add("void", {"pt": "annotations", "annotations": []})
        self._change(at)
        notes = self.fragments[at]["part"]["annotations"]
        for citation in citations:
            note = next((note for note in notes if note["url"] == citation.url), None)
            if note is None:
                note = {"type": "citation", "url": citation.url, "title": citation.url, "ranges": []}
                notes.append(note)
            note["title"] = citation.title or note["title"]
            if citation.end is not None:
                text = {"textSnippet": citation.snippet} if citation.snippet else {}
                note["ranges"].append({"startIndex": citation.start or 0, "endIndex": citation.end} | text)

    def _add_media(self, url: str) -> None:
        """Add an image or sound. Bytes stay a data URL until the answer is stored, which makes an asset of them."""
        head, _, content = url.partition(",")
        begun = range(len(self.fragments)) if head.startswith("data:audio/") else ()
        at = next((at for at in begun if self._url(at).startswith(f"{head},")), None)
        if at is None:
            self._add("content", {"pt": "image_ref", "dataRef": {"reftype": "url", "url": url}})
        else:
            # Sound comes in pieces, each of them whole base64.
            self.fragments[at]["part"]["dataRef"]["url"] += content
            self._change(at)

    def add_error(self, text: str) -> None:
        """Add a last fragment that says what went wrong."""
        self._add("content", {"pt": "error", "error": text})

    def now(self) -> list[JSONObject]:
        """Return the fragments as they are now."""
        self._join()
        return self.fragments

    def visible_text(self) -> str:
        """Return the text of the answer."""
        return "".join(fragment["part"]["text"] for fragment in self.now() if fragment["part"]["pt"] == "text")

    def message(self, *, ended: int, stop_reason: str, metrics: JSONObject | None, tokens: int | None) -> JSONObject:
        """Return the message as it ends, `ended` in ms since the epoch."""
        message = {key: value for key, value in self.start_message.items() if key != "pendingIncomplete"}
        generator = dict(message["generator"])
        if metrics:
            generator["metrics"] = metrics
        if stop_reason:
            generator["tokenStopReason"] = stop_reason
        # Citations come last: some providers tell them first.
        fragments = sorted(self.now(), key=lambda fragment: bool(fragment["part"]["pt"] == "annotations"))
        message |= {"fragments": fragments, "generator": generator, "updated": ended}
        if self.extra:
            message[EXTRA] = self.extra
        if tokens is not None:
            message["tokenCount"] = tokens
        return message


def text_part(text: str) -> JSONObject:
    return {"pt": "text", "text": text}


def reasoning_part(text: str) -> JSONObject:
    return {"pt": "ma", "aType": "reasoning", "aText": text}


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
    """Return the assistant message as a generation begins it."""
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
