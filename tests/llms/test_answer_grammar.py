"""Answers made at random from all shapes that providers send: what comes of the chunks is what was put into them,
however the bytes are cut, and no answer that is cut is ever complete.

The expectation is folded here from what was put in, never from the chunks."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chats.generations.answer import Answer
from llms.calls.chunks import FINISH_REASONS
from llms.calls.events import CallFailed
from llms.calls.reading import AnswerReader
from llms.pricing.tokens import Tokens

pytestmark = pytest.mark.property

letters = st.text("abc é工🐈.,\n", min_size=1, max_size=8)
words = letters.filter(lambda text: text == text.strip())


@dataclass
class Built:
    """Deltas in their order, and what a message must say of them."""

    deltas: list[dict[str, Any]] = field(default_factory=list)
    runs: list[tuple[str, str]] = field(default_factory=list)
    """Text, reasoning and images in their order; what follows on the same is one."""
    tools: list[list[str]] = field(default_factory=list)
    citations: dict[str, str] = field(default_factory=dict)
    cited: set[tuple[str, str]] = field(default_factory=set)
    texts: list[str] = field(default_factory=list)
    """The pieces of text as they are sent."""

    def say(self, kind: str, text: str) -> None:
        if self.runs and self.runs[-1][0] == kind and kind != "image_ref":
            text = self.runs.pop()[1] + text
        self.runs.append((kind, text))


def text_shapes(text: str) -> list[dict[str, Any]]:
    return [
        {"content": text},
        {"role": "assistant", "content": text, "refusal": None, "tool_calls": None},
        {"content": [{"type": "text", "text": text}]},
        {"content": [{"type": "text", "text": {"value": text}}]},
        {"content": [text]},
        {"content": "", "refusal": text},
        {"content": None, "audio": {"id": "a", "transcript": text}},
    ]


def reasoning_shapes(text: str) -> list[dict[str, Any]]:
    return [
        {"reasoning_content": text, "content": None},
        {"reasoning": text, "content": "", "reasoning_details": [{"type": "reasoning.text", "text": text}]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": text}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": text}]}]},
        {"content": "", "thinking_blocks": [{"type": "thinking", "thinking": text}]},
        {"thinking": text},
    ]


def citation_shapes(url: str, title: str) -> list[dict[str, Any]]:
    return [
        {"annotations": [{"type": "url_citation", "url_citation": {"url": url, "title": title}}]},
        {"annotations": [{"type": "url_citation", "url": url, "title": title}]},
        {"citations": [{"url": url, "title": title}]},
        *([{"citations": [url]}] if not title else []),
    ]


@st.composite
def built_answers(draw: st.DrawFn) -> Built:
    built = Built()
    if draw(st.booleans()):
        _add_tagged(draw, built)
    for kind in draw(st.lists(st.sampled_from(["text", "text", "reasoning", "image", "cite", "noise"]), max_size=8)):
        match kind:
            case "text":
                text = draw(letters if built.runs else words)
                built.deltas.append(draw(st.sampled_from(text_shapes(text))))
                built.texts.append(text)
                built.say("text", text)
            case "reasoning":
                text = draw(letters)
                built.deltas.append(draw(st.sampled_from(reasoning_shapes(text))))
                built.say("ma", text)
            case "image":
                url = f"data:image/png;base64,{draw(st.sampled_from(['AAAA', 'BBBB']))}"
                built.deltas.append({"images": [{"type": "image_url", "image_url": {"url": url}}]})
                built.say("image_ref", url)
            case "cite":
                url, title = (
                    draw(st.sampled_from(["https://a.example", "https://b.example"])),
                    draw(words | st.just("")),
                )
                built.deltas.append(draw(st.sampled_from(citation_shapes(url, title))))
                if (url, title) not in built.cited:
                    built.citations[url] = title or built.citations.get(url, url)
                # What comes again, as many send all with each piece, changes nothing.
                built.cited.add((url, title))
            case "noise":
                built.deltas.append(draw(st.sampled_from([{}, {"role": "assistant"}, {"content": ""}])))
    _add_tools(draw, built)
    return built


def _add_tagged(draw: st.DrawFn, built: Built) -> None:
    """Add reasoning between tags in the text, cut into pieces at any place."""
    thought, text = draw(words), draw(words)
    opening, closing = draw(st.sampled_from([("<think>", "</think>"), ("<thought>", "</thought>"), ("", "</think>")]))
    space = "\n\n" if not opening else draw(st.sampled_from(["", "\n", "\n\n"]))
    whole = f"{opening}{thought}{closing}{space}{text}"
    edges = sorted(draw(st.sets(st.integers(1, len(whole) - 1), max_size=4)))
    pieces = [whole[one:other] for one, other in zip([0, *edges], [*edges, len(whole)], strict=True)]
    built.deltas += [{"content": piece} for piece in pieces]
    built.texts += pieces
    built.say("ma", thought)
    built.say("text", text)


def _add_tools(draw: st.DrawFn, built: Built) -> None:
    style = draw(st.sampled_from(["index", "equal index", "no index", "objects"]))
    for at in range(draw(st.integers(0, 3))):
        name, value = draw(st.sampled_from(["tide", "moon"])), draw(words)
        arguments = json.dumps({"x": value}, ensure_ascii=False)
        built.tools.append([name, arguments])
        call: dict[str, Any] = {"index": 0 if style == "equal index" else at, "id": f"call-{at}", "type": "function"}
        if style in ("no index", "objects"):
            del call["index"]
            given_as = {"x": value} if style == "objects" else arguments
            built.deltas.append({"tool_calls": [call | {"function": {"name": name, "arguments": given_as}}]})
            continue
        cut = draw(st.integers(0, len(arguments)))
        built.deltas.append({"tool_calls": [call | {"function": {"name": name, "arguments": arguments[:cut]}}]})
        rest = {"index": call["index"], "function": {"arguments": arguments[cut:]}}
        built.deltas.append({"tool_calls": [rest]})


@st.composite
def usages(draw: st.DrawFn) -> tuple[list[dict[str, Any]], Tokens | None]:
    """Return chunks that tell the usage, wherever providers do, and the tokens that they tell."""
    new, read, output = draw(st.integers(1, 999)), draw(st.integers(0, 99)), draw(st.integers(1, 999))
    usage: dict[str, Any] = {"prompt_tokens": new + read, "completion_tokens": output, "cached_tokens": read}
    nulls = {name: draw(st.sampled_from([None, 0])) for name in usage}
    where = draw(st.sampled_from(["none", "chunk", "choice", "groq", "twice", "then nothing"]))
    told = {
        "none": [],
        "chunk": [{"choices": [], "usage": usage}],
        "choice": [{"choices": [{"index": 0, "delta": {}, "finish_reason": None, "usage": usage}]}],
        "groq": [{"choices": [], "x_groq": {"id": "r", "usage": usage}}],
        "twice": [{"choices": [], "usage": usage | {"completion_tokens": 1}}, {"choices": [], "usage": usage}],
        "then nothing": [{"choices": [], "usage": usage}, {"choices": [], "usage": nulls}],
    }[where]
    return told, Tokens(new, read, None, output, None) if told else None


def chunk(delta: dict[str, Any], finish: str | None = None, **members: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish} | members
    return {"id": "c", "object": "chat.completion.chunk", "choices": [choice]}


def read(content: bytes, places: list[int]) -> tuple[Answer, CallFailed | None]:
    reader, answer = AnswerReader("text/event-stream"), Answer({"generator": {}})
    edges = [0, *sorted({place % (len(content) + 1) for place in places}), len(content)]
    try:
        for one, other in zip(edges, edges[1:], strict=False):
            for event in reader.feed(content[one:other]):
                answer.take(event, 0.0)
        for event in reader.end():
            answer.take(event, 0.0)
    except CallFailed as failure:
        return answer, failure
    return answer, None


def told(answer: Answer) -> dict[str, Any]:
    parts = [fragment["part"] for fragment in answer.now()]
    runs = {
        "text": lambda part: part["text"],
        "ma": lambda part: part["aText"],
        "image_ref": lambda part: part["dataRef"]["url"],
    }
    calls = [part["invocation"] for part in parts if part["pt"] == "tool_invocation"]
    notes = [note for part in parts if part["pt"] == "annotations" for note in part["annotations"]]
    return {
        "runs": [(part["pt"], runs[part["pt"]](part)) for part in parts if part["pt"] in runs],
        "tools": [[call["name"], call["args"]] for call in calls],
        "citations": {note["url"]: note["title"] for note in notes},
    }


places = st.lists(st.integers(0, 10**6), max_size=20)


@given(
    built_answers(),
    usages(),
    st.sampled_from(sorted(FINISH_REASONS)),
    st.sampled_from(["", "delta", "message"]),
    places,
)
def test_a_message_says_what_was_sent(built, usage, reason, repeat, places):
    chunks, tokens = usage
    whole = "".join(built.texts)
    last = chunk({}, reason)
    if repeat == "delta" and len(built.texts) > 1:
        last = chunk({"content": whole}, reason)
    elif repeat == "message":
        last = chunk({}, reason, message={"role": "assistant", "content": whole})
    sent = [*map(chunk, built.deltas), last, *chunks]
    content = "".join(f"data: {json.dumps(each)}\n\n" for each in sent) + "data: [DONE]\n\n"
    answer, failure = read(content.encode(), places)
    assert failure is None
    assert told(answer) == {"runs": built.runs, "tools": built.tools, "citations": built.citations}
    assert (answer.usage.tokens if answer.usage else None) == tokens


@given(built_answers(), st.sampled_from(["stop", "length", "", "error"]), st.integers(0, 10**6), places)
def test_a_stream_that_is_cut_is_not_complete(built, reason, cut, places):
    body = "".join(f"data: {json.dumps(chunk(delta))}\n\n" for delta in built.deltas)
    end = f"data: {json.dumps(chunk({}, reason))}\n\n" if reason else ""
    content = f"{body}{end}data: [DONE]\n\n".encode()
    # The chunk with the reason, or the word for the end, makes it complete; its line need not be ended.
    whole = len(body.encode()) + len(end or "data: [DONE]\n\n") - 2
    cut %= whole
    answer, failure = read(content[:cut], places)
    assert failure is not None
    assert failure.kind in ("dropped", "malformed")
    # What came is kept: nothing that was not sent, and in its order.
    sent = "".join(text for _, text in built.runs)
    kept = "".join(text for _, text in told(answer)["runs"])
    # A tag that was cut is text.
    assume("<" not in kept)
    assert sent.startswith(kept)
