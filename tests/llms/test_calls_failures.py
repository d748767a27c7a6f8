"""What went wrong, in words that say how to go on, and never with a key."""

import pytest

from llms.calls.failures import LONGEST, describe_error, told_by

TOO_LONG = (
    "the request exceeds the available context size, try increasing it",
    "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    "The input token count (1196265) exceeds the maximum number of tokens allowed (1048575).",
    "Invalid request: Your request exceeded model token limit: 131072",
    "Please reduce the length of the messages or completion.",
    "Range of input length should be [1, 30720]",
)
GEMINI_RATE = (
    "You exceeded your current quota, please check your plan and billing details. For more information on this error, "
    "head to: https://ai.google.dev/gemini-api/docs/rate-limits. * Quota exceeded for metric: requests, limit: 5"
)


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (401, {"error": {"message": "bad"}}, "wrong-key", "Correct it in the service"),
        (402, "", "no-credit", "no credit"),
        (404, {"error": {"message": "no model"}}, "model-gone", "Refresh"),
        (429, {"error": {"message": "slow down"}}, "rate-limited", "Wait"),
        (429, {"error": {"code": "insufficient_quota", "message": "You exceeded your billing"}}, "no-credit", "credit"),
        (400, {"error": {"message": "maximum context length is 5"}}, "too-long", "larger context"),
        *((400, {"error": {"message": told}}, "too-long", told) for told in TOO_LONG),
        (429, {"message": "Too many tokens, please wait before trying again."}, "rate-limited", "please wait"),
        (429, [{"error": {"code": 429, "message": GEMINI_RATE}}], "rate-limited", "rate limit was reached"),
        (500, "", "provider", "internal error"),
        (502, "<html><title>502 Bad Gateway</title></html>", "provider", "502 Bad Gateway"),
        (0, "plain words", "provider", "plain words"),
        (418, [], "provider", "stopped with an error"),
    ],
)
def test_each_failure_has_its_kind_and_its_words(status, body, kind, words):
    failure = describe_error(status, body)
    assert (failure.kind, failure.status) == (kind, status)
    assert words in str(failure)


def test_the_wait_that_is_asked_for_is_told():
    failure = describe_error(429, {}, 20.0)
    assert failure.retry_after == 20
    assert "20 s" in str(failure)


@pytest.mark.parametrize(
    "key", ["sk-abc123def456", "AIzaSyABCDEF123", "AKIAABCDEFGH", "Bearer abcdefghij", "sk-p***ood"]
)
def test_no_key_is_repeated(key):
    assert key not in told_by({"error": {"message": f"Incorrect key: {key}, see"}})


def test_long_words_are_cut_and_put_on_one_line():
    told = told_by({"error": "a\n\nb " * 1000})
    assert len(told) == LONGEST + 1
    assert "\n" not in told
