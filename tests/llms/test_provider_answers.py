"""What providers send, replayed from `tests/providers/*.sse`: what comes of it in the message, and how it ends.

A file begins with a comment in JSON: `vendor`, `source` (the paper or report that it is made after), and what comes of
it, nothing by default: `text`, `reasoning`, `citations` (url and title), `tools` (name and arguments), `media` (how
each address begins), `extra` (names), `kind` and `words` of the failure, and `stop`, big-AGI's `tokenStopReason`.
`tokens` (new, cache read, cache write, output, reasoning) and `cost` (nano-dollars) are compared where given;
`estimated` marks counts that cannot be."""

from typing import Any

import pytest

from chats.generations.answer import Answer
from chats.generations.call_endings import ending_of
from llms.calls.events import CallFailed, Request
from llms.calls.failures import told_by
from llms.calls.synchronous import run_call
from llms.calls.upstream import stream_call
from llms.pricing.tokens import Tokens
from llms.vendors.endpoint import Endpoint
from llms.vendors.table import VENDORS
from tests.providers import ANSWERS, FakeProvider, load_answer, run_provider

FILES = sorted(path.stem for path in ANSWERS.glob("*.sse"))


@pytest.fixture(scope="module")
def provider():
    with run_provider() as provider:
        yield provider


def ask(provider: FakeProvider, sent: bytes, vendor: str = "openai") -> tuple[Answer, CallFailed | None]:
    provider.replay(sent)
    answer = Answer({"generator": {}})
    endpoint = Endpoint(VENDORS[vendor], f"{provider.url}/v1", provider.key)

    async def take() -> None:
        async for event in stream_call(endpoint, Request("any", [{"role": "user", "content": "Hello"}])):
            answer.take(event, 0.0)

    try:
        run_call(take())
    except CallFailed as failure:
        return answer, failure
    return answer, None


def described(answer: Answer, failure: CallFailed | None, expected: dict[str, Any]) -> dict[str, Any]:
    """Return what came of it, in the terms of the files."""
    parts = [fragment["part"] for fragment in answer.now()]
    calls = [part["invocation"] for part in parts if part["pt"] == "tool_invocation"]
    notes = [note for part in parts if part["pt"] == "annotations" for note in part["annotations"]]
    found: dict[str, Any] = {
        "text": answer.visible_text(),
        "reasoning": "".join(part["aText"] for part in parts if part["pt"] == "ma"),
        "citations": [[note["url"], note["title"]] for note in notes],
        "tools": [[call["name"], call["args"]] for call in calls],
        "media": [part["dataRef"]["url"].split(";")[0] for part in parts if part["pt"] == "image_ref"],
        "extra": list(answer.extra),
        "kind": failure.kind if failure else "",
        "words": expected.get("words", "") if expected.get("words", "") in str(failure or "") else str(failure or ""),
        "stop": "" if failure else ending_of(answer).stop_reason,
    }
    if "tokens" in expected:
        found["tokens"] = answer.usage.tokens if answer.usage else None
    if "cost" in expected:
        found["cost"] = answer.usage.reported_nano_usd if answer.usage else None
    return found


NOTHING: dict[str, Any] = {
    **{"text": "", "reasoning": "", "citations": [], "tools": [], "media": [], "extra": []},
    **{"kind": "", "words": "", "stop": ""},
}


def expectation(comment: dict[str, Any]) -> dict[str, Any]:
    expected = NOTHING | {
        name: value for name, value in comment.items() if name not in ("vendor", "source", "estimated")
    }
    return expected | ({"tokens": Tokens(*expected["tokens"])} if "tokens" in expected else {})


@pytest.mark.parametrize("name", FILES)
def test_what_came_is_kept_and_its_end_is_told(provider, name: str):
    comment, sent = load_answer(name)
    answer, failure = ask(provider, sent, comment.get("vendor", "openai"))
    expected = expectation(comment)
    if expected["stop"] == "empty":
        assert ending_of(answer).kind == "empty"
        expected["stop"] = "issue"
    assert described(answer, failure, expected) == expected


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("kind", ["answer", "refusal", "broken"])
def test_each_vendor_has_an_answer_a_refusal_and_a_broken_stream(vendor: str, kind: str):
    comment, _ = load_answer(f"{vendor}-{kind}")
    assert (comment["vendor"], bool(comment["source"])) == (vendor, True)


def nested(depth: int) -> Any:
    body: Any = "far inside"
    for _ in range(depth):
        body = {"error": body}
    return body


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"errors": [{"message": "one"}, {"message": "two"}]}, "one; two"),
        ({"error": {"error": {"message": "inside"}}}, "inside"),
        ({"error": {"code": "model_not_found"}}, "model_not_found"),
        ({"message": {"text": "unknown"}, "type": "odd"}, "odd"),
        ({"error": {"message": "a < b, <b>no</b> page"}}, "a < b, <b>no</b> page"),
        ("<p>Without a title</p>", ""),
        ([], ""),
        ("[" * 100_000, "[" * 300 + "…"),
        (nested(900), ""),
    ],
)
def test_words_are_found_wherever_they_are(body: Any, words: str):
    assert told_by(body) == words
