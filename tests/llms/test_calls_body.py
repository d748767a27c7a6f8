"""What is sent to a provider, and which parameter an error refuses."""

import json

import pytest

from llms.calls.body import TURNS_IN_A_ROW, build_body, join_turns
from llms.calls.events import Request
from llms.calls.refusals import find_refused
from llms.vendors import VENDORS

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
TURNS = [
    {"role": "system", "content": "Be kind."},
    {"role": "system", "content": "Be short."},
    {"role": "user", "content": "One."},
    {"role": "user", "content": [{"type": "text", "text": "Two."}, PICTURE]},
    {"role": "assistant", "content": "Three."},
    {"role": "user", "content": "Four."},
    {"role": "user", "content": "Five."},
]
JOINED = [
    {"role": "system", "content": "Be kind.\n\nBe short."},
    {"role": "user", "content": [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}, PICTURE]},
    {"role": "assistant", "content": "Three."},
    {"role": "user", "content": "Four.\n\nFive."},
]


@pytest.mark.parametrize("vendor", ["perplexity", "mistral", "googleai", "openai"])
def test_messages_of_one_role_in_a_row_are_joined_for_who_refuses_them(vendor: str):
    before = json.dumps(TURNS)
    request = Request("m", TURNS)
    assert build_body(VENDORS[vendor], request)["messages"] == (TURNS if vendor == "openai" else JOINED)
    assert build_body(VENDORS[vendor], request, {TURNS_IN_A_ROW})["messages"] == JOINED
    assert json.dumps(TURNS) == before
    assert join_turns([]) == []


def test_what_was_refused_is_left_out_and_a_limit_has_two_names():
    request = Request("m", TURNS, {"temperature": 0.5}, 100)
    limits = {
        name: build_body(VENDORS["openai"], request, refused)
        for name, refused in {
            "max_completion_tokens": set(),
            "max_tokens": {"max_completion_tokens", "stream_options"},
            "": {"max_completion_tokens", "max_tokens", "temperature"},
        }.items()
    }
    for name, body in limits.items():
        assert {key: value for key, value in body.items() if "max_" in key} == ({name: 100} if name else {})
    assert ["stream_options" in body for body in limits.values()] == [True, False, True]
    assert ["temperature" in body for body in limits.values()] == [True, True, False]


SENT = {
    "model": "m",
    "messages": TURNS,
    "stream": True,
    "stream_options": {"include_usage": True},
    "temperature": 0.5,
    "max_tokens": 9000,
}


@pytest.mark.parametrize(
    ("error", "refused"),
    [
        # OpenAI, Azure of old, Mistral, Gemini, Groq, Cohere, Perplexity, LiteLLM, Anthropic.
        (
            {
                "error": {
                    "message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                    "'max_completion_tokens' instead.",
                    "param": "max_tokens",
                    "code": "unsupported_parameter",
                }
            },
            "max_tokens",
        ),
        (
            {
                "message": "Unsupported value: 'temperature' does not support 0.5 with this model. Only the "
                "default (1) value is supported.",
                "param": "temperature",
            },
            "temperature",
        ),
        ({"error": {"message": "Unrecognized request argument supplied: stream_options"}}, "stream_options"),
        (
            {
                "detail": [
                    {"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs", "input": SENT}
                ]
            },
            "stream_options",
        ),
        (
            [{"error": {"code": 400, "message": 'Invalid JSON payload received. Unknown name "temperature"'}}],
            "temperature",
        ),
        ({"error": {"message": "property 'stream_options' is unsupported, did you mean 'stream'?"}}, "stream_options"),
        ({"message": "invalid request: unknown field: stream_options"}, "stream_options"),
        ({"error": {"message": '["At body -> temperature: Extra inputs are not permitted"]'}}, "temperature"),
        ("UnsupportedParamsError: xai does not support parameters: ['max_tokens'], for model=m", "max_tokens"),
        ({"error": {"message": "`temperature` is deprecated for this model."}}, "temperature"),
        ({"error": {"message": "invalid temperature: only 1 is allowed for this model"}}, "temperature"),
        (
            {"message": "After the optional system messages, user and assistant roles should be alternating."},
            TURNS_IN_A_ROW,
        ),
        ("Conversation roles must alternate user/assistant/user/assistant/...", TURNS_IN_A_ROW),
        # A number that the person has to correct, a chat that is too long, a key, what was not sent.
        (
            {
                "error": {
                    "message": "max_tokens is too large: 9000. This model supports at most 4096.",
                    "param": "max_tokens",
                }
            },
            None,
        ),
        ({"error": {"message": "`max_tokens` must be less than or equal to `8192`"}}, None),
        ({"error": {"message": "Invalid 'temperature': decimal above maximum value.", "param": "temperature"}}, None),
        ({"error": {"message": "maximum context length is 8192, you asked for 9100 (9000 in max_tokens)"}}, None),
        ({"error": {"message": "Invalid API key. Unsupported: temperature"}}, None),
        ({"error": {"message": "Unknown parameter: reasoning_effort", "param": "reasoning_effort"}}, None),
        ({"error": {"message": "Unsupported: my_temperature, temperatures, x.max_tokens_a"}}, None),
        ({"error": {"message": "Unsupported value", "param": None}}, None),
        ("", None),
    ],
)
def test_the_refused_parameter_is_found_in_the_errors_of_all_kinds(error, refused: str | None):
    assert find_refused(400, error, SENT) == refused


def test_messages_that_alternate_are_not_sent_again():
    assert find_refused(400, "roles must alternate", SENT | {"messages": JOINED}) is None
