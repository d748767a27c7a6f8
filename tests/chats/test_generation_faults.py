"""Each way in which a provider fails, through the real server: what came is kept, and said is what happened."""

from collections.abc import Iterator

import pytest

from tests.chats.talking import (
    LIMITS,
    Talker,
    check_message,
    error_texts,
    message_text,
    parse_events,
    text_of,
)
from tests.conftest import copy_environment
from tests.faulty_provider import FAULTS, KEY, WORDS, FaultyProvider
from tests.providers import run_provider
from tests.servers import run_server

pytestmark = pytest.mark.any_database

CAME = "".join(WORDS)
SHORT = LIMITS | {"BIGAGI_CALL_SECONDS": "4"}

FAILED = {
    "wrong-key": ("", "wrong-key", "The API key is not valid"),
    "no-credit": ("", "no-credit", "no credit left"),
    "model-gone": ("", "model-gone", "does not know this model"),
    "rate-limited": ("", "rate-limited", "Wait 17 s"),
    "server-error": ("", "provider", "internal error"),
    "overloaded": ("", "provider", "internal error"),
    "html-502": ("", "provider", "502 Bad Gateway"),
    "html-200": ("", "malformed", "a web page instead"),
    "too-long": ("", "too-long", "too long for this model"),
    "no-first-byte": ("", "timeout", "did not respond in time"),
    "dropped-at-once": ("", "dropped", "closed the connection"),
    "stalled": (CAME, "stalled", "sent nothing"),
    "silent-after-headers": ("", "stalled", "sent nothing"),
    "dropped": (CAME, "dropped", "lost during the answer"),
    "reset": (CAME, "dropped", "lost during the answer"),
    "malformed": (CAME, "malformed", "invalid JSON"),
    "error-first": ("", "provider", "No luck"),
    "error-in-the-middle": (CAME, "provider", "The upstream broke."),
    "no-finish": (CAME, "dropped", "without ending the answer"),
    "endless": (None, "endless", "exceeded the limits"),
    "endless-comments": (CAME, "endless", "exceeded the limits"),
    "endless-line": (CAME, "endless", "exceeded the limits"),
    "empty": ("", "empty", "The answer is empty"),
    "filtered-whole": ("", "filter", "filter cut"),
}
"""By the fault: the text that came, the outcome, and words of the error."""

WELL = {
    "crlf-and-comments": CAME,
    "json-answer": CAME,
    "no-usage": CAME,
    "usage-in-every-chunk": CAME,
    "empty-choices": CAME,
    "null-content": CAME,
    "no-finish-but-done": CAME,
    "no-done": CAME,
    "reset-after-the-end": CAME,
    "length": CAME,
    "content-filter": CAME,
    "multi-byte-cut": "é🐈日本",
    "one-byte-a-packet": CAME,
    "one-large-chunk": "x" * 2**20,
    "nul-and-surrogates": "a\0b🐈 \udfff alone\ud800",
    "markup": "<script>document.title='ran'</script>\n\n<img src=x onerror=alert(1)>\n\nend",
    "tools-and-reasoning": "Found.",
}
"""By what is odd: the text of the answer."""

ESTIMATED = {"crlf-and-comments", "no-usage", "no-finish-but-done", "no-done", "reset-after-the-end"} | {
    *("multi-byte-cut", "one-byte-a-packet", "one-large-chunk", "nul-and-surrogates", "markup"),
}


@pytest.fixture(scope="module")
def talker(first_start, tmp_path_factory) -> Iterator[Talker]:
    data_dir = tmp_path_factory.mktemp("talk") / "data"
    with (
        copy_environment(first_start, data_dir) as environment,
        run_provider(FaultyProvider(key=KEY)) as provider,
        run_server(environment | SHORT) as server,
    ):
        talker = Talker(server)
        talker.add_service(provider.setup(), [*FAULTS, "good-model"])
        yield talker
        assert KEY not in "".join(server.output)


def check_end(talker: Talker, chat: str, events: list) -> dict:
    """Check what holds of every ended run, and return its message."""
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert [event.name for event in events].count("done") == 1 and events[-1].name == "done"
    message = talker.last_message(chat)
    assert message == events[-1].data["message"]
    check_message(message)
    generation = events[0].data["generation"]
    run = talker.get(f"/api/generations/{generation}")
    assert run["status"] != "running" and run["ended"] and run["message"] == message
    assert len(talker.usage_of(message["id"])) == 1
    replayed = talker.send("GET", f"/api/generations/{generation}/events", status=200)
    assert parse_events(replayed.text) == events
    return message


def check_next_works(talker: Talker, chat: str) -> None:
    events = talker.generate(chat, "faulty-good-model", "And now?")
    assert text_of(events) == "All is well." and events[-1].name == "done"


def test_every_fault_is_tested():
    assert set(FAULTS) == {*FAILED, *WELL, "tells-a-key", "slow"}


@pytest.mark.parametrize("fault", FAILED)
def test_a_provider_that_fails(talker, fault):
    came, outcome, words = FAILED[fault]
    chat = talker.make_chat()
    events = talker.generate(chat, f"faulty-{fault}")
    assert [event.name for event in events[-2:]] == ["error", "done"]
    message = check_end(talker, chat, events)
    if came is None:
        assert len(message_text(message)) > 2**18
    else:
        assert message_text(message) == came == text_of(events)
    [error] = error_texts(message)
    assert message["fragments"][-1]["part"]["pt"] == "error" and words in error
    assert events[-2].data["problem"]["detail"] == error and KEY not in error
    assert message["generator"]["tokenStopReason"] == ("filter" if outcome == "filter" else "issue")
    [(recorded, estimated, cost, code, output)] = talker.usage_of(message["id"])
    assert recorded == outcome
    if message_text(message):
        assert message["generator"]["metrics"]["TsR"] == "aborted"
        assert (estimated, code) == (True, "partial-msg") and cost > 0 and output > 0
    else:
        assert cost is None
    check_next_works(talker, chat)


@pytest.mark.parametrize("odd", WELL)
def test_a_provider_that_is_odd(talker, odd):
    chat = talker.make_chat()
    events = talker.generate(chat, f"faulty-{odd}")
    assert "error" not in [event.name for event in events]
    message = check_end(talker, chat, events)
    assert message_text(message) == WELL[odd] and error_texts(message) == []
    reasons = {"length": "out-of-tokens", "content-filter": "filter"}
    assert message["generator"].get("tokenStopReason") == reasons.get(odd)
    [(outcome, estimated, cost, code, output)] = talker.usage_of(message["id"])
    assert (outcome, code) == (reasons.get(odd, "done"), "")
    assert bool(estimated) == (odd in ESTIMATED) and cost > 0 and output > 0
    check_next_works(talker, chat)


def test_usage_that_comes_in_every_chunk_counts_once(talker):
    chat = talker.make_chat()
    message = check_end(talker, chat, talker.generate(chat, "faulty-usage-in-every-chunk"))
    metrics = message["generator"]["metrics"]
    assert (metrics["TIn"], metrics["TOut"], metrics["$c"]) == (10, 4, 0.0052)


def test_reasoning_tools_and_citations_are_fragments(talker):
    chat = talker.make_chat()
    message = check_end(talker, chat, talker.generate(chat, "faulty-tools-and-reasoning"))
    parts = [fragment["part"] for fragment in message["fragments"]]
    assert [part["pt"] for part in parts] == ["ma", "tool_invocation", "text", "annotations"]
    assert parts[0]["aText"] == "Let me look."
    assert parts[1]["invocation"] == {"type": "function_call", "name": "look_up", "args": '{"a":1}'}


def test_markup_is_text_in_the_blocks_that_are_rendered(talker):
    chat = talker.make_chat()
    body = {"message": {"text": "Hello"}, "modelId": "faulty-markup"}
    with talker.open(f"/api/chats/{chat}/generate?html=1", body) as stream:
        html = "".join(event.data["html"] for event in stream.read() if event.name == "html")
    assert "<script" not in html and "<img" not in html


def test_a_service_without_a_key_says_so_before_anything_is_written(talker):
    talker.add_service({"oaiKey": ""}, ["any"], "keyless")
    chat = talker.make_chat()
    answer = talker.send(
        "POST", f"/api/chats/{chat}/generate", {"message": {"text": "x"}, "modelId": "keyless-any"}, 409
    )
    assert answer.json()["type"].endswith("#model-not-callable") and "no API key" in answer.json()["detail"]
    assert talker.get(f"/api/chats/{chat}")["messages"] == []


def test_a_host_that_is_not_there(talker):
    talker.add_service({"oaiKey": KEY, "oaiHost": "http://127.0.0.1:9/v1"}, ["any"], "nowhere")
    chat = talker.make_chat()
    events = talker.generate(chat, "nowhere-any")
    assert "Cannot reach 127.0.0.1:9" in error_texts(check_end(talker, chat, events))[0]


def test_a_key_that_a_model_tells_is_sealed_wherever_it_goes(talker):
    chat = talker.make_chat()
    events = talker.generate(chat, "faulty-tells-a-key", query="?html=1")
    message = talker.last_message(chat)
    assert message_text(message) == text_of(events) == f"Your key is bigagi-secret:{KEY[-4:]}, keep it."
    assert events[-1].data["message"] == message
    frames = "".join(row[0] for row in talker.sql("SELECT frames FROM chats_generationevents"))
    assert "bigagi-secret:" in frames and KEY[:12] not in frames.replace('"}', "").replace('{"text":"', "")


def test_the_key_is_nowhere(talker):
    for path in ("/api/services", "/api/llms", "/api/changes", "/api/requests", "/api/chats/export", "/", "/admin/"):
        assert KEY not in talker.send("GET", path).text, path
    # One entry of each kind, with the pages of those that they are alike to.
    for (change,) in talker.sql("SELECT max(id) FROM stores_change GROUP BY action, source"):
        assert KEY not in talker.client.get(f"/admin/stores/change/{change}/change/").text
    for path in sorted(talker.server.data_dir.rglob("*")):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path
    assert KEY not in "".join(talker.server.output)
