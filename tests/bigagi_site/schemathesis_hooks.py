"""What Schemathesis cannot read from the description: which requests of the right form are refused all the same.

Loaded by the command of test_schemathesis.py. Each exception is as narrow as it can be said, and has its reason.
"""

import base64
import itertools
import re
import uuid
from typing import Any

import schemathesis

RESERVED = ("bulk", "export", "search", "init", "order", "events", ".", "..")
DEMO = "bigagi-demo"
IF_MATCH, KEY = "If-Match", "Idempotency-Key"
GOOD_KEY, GOOD_TAG = re.compile("[!-~]([ -~]*[!-~])?"), re.compile(r'\*$|(W/)?"[!#-~]*"')
NAMING = {"id", "domainId", "messageId"}
"""Members that have to name the record of the address, or one in it; left out, they do."""

CALLED = ("/api/services/{id}/test", "/api/services/{id}/refresh")
"""Operations that call the service's host: the tests ask no other host than this machine, so Demo is called."""

ASKING = ("/api/chats/{chat}/generate", "/api/test-ai")
"""Operations that ask any model; they are made to ask the Demo's fast one."""

RUN, NUMBERS = uuid.uuid4().hex, itertools.count()

REFUSED = (
    # Cursors are opaque: one that is made up is none of this list.
    re.compile(r"\?cursor "),
    # A record keeps its id: one in the body has to be that of the address.
    re.compile(r"\S* The (id|domain) of an? \w+ cannot be changed\."),
    # A body names what has to be here.
    re.compile(r"\S* (There is no|The \w+( \S+)? has no) \w+ "),
    # No two records of a body have one id.
    re.compile(r"\S* Each id must be unique; .* is sent twice\.", re.DOTALL),
    # The filters of a bulk action are those of the list, as JSON.
    re.compile(r"/filter/"),
    # What a store holds decides in part what it takes: an object with a state or not, of a version that is known.
    re.compile(r"/state The st(ore|ate) .* must be an object", re.DOTALL),
    re.compile(r"/version The version of .* must be at most ", re.DOTALL),
    # A persona without a text is none. What a model takes, and how much of it, the model says.
    re.compile(r"/systemPrompt A persona must have a system prompt\."),
    re.compile(r"/llm\w+ (This model does not take it\. |[A-Z][A-Za-z ]+ must be )"),
    # Days are of our times and in order, and there are not too many of them.
    re.compile(r"\?(start|end) "),
    # A price to try is one of a model, and whole.
    re.compile(r"\?(model|input|output) To try a price, send "),
    # A message is named with its chat.
    re.compile(r"\?message Also send conversation"),
    # A stream has no pages.
    re.compile(r"\?\w+ A stream has no pages"),
    # A call was made already, by a clock that runs right.
    re.compile(r"/at at must not be in the future"),
    # A document has to be one, which only its bytes tell.
    re.compile(r" (This|Unpacked|Reading this|What is in this|The body must be the document)\b"),
    # What is uploaded has to be what big-AGI wrote, which its importer tells.
    re.compile(r" .* is not a big-AGI file"),
)
"""Refusals of what the description allows, as `pointer detail`: rules that no schema can tell."""


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Let requests come through to what they ask for."""
    headers = case.headers or {}
    if GOOD_KEY.fullmatch(headers.get(KEY) or ""):
        # Under a key that came before, the first answer comes again, or 422.
        headers[KEY] = f"{headers[KEY][:200]}-{RUN}-{next(NUMBERS)}"
    if GOOD_TAG.match(headers.get(IF_MATCH) or "") and next(NUMBERS) % 4:
        # A made-up tag is refused whatever the rest says; some are left, to see that.
        headers[IF_MATCH] = "*"
    if case.path in CALLED:
        case.path_parameters["id"] = DEMO if next(NUMBERS) % 4 else f"no-{RUN}"
    if case.path in ASKING and isinstance(case.body, dict) and isinstance(case.body.get("modelId", ""), str):
        case.body["modelId"] = f"{DEMO}-fast"
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.method in ("PUT", "PATCH", "POST") and isinstance(case.body, dict):
        for name in sorted(NAMING & case.body.keys()):
            if "{" in case.path and next(NUMBERS) % 4:
                del case.body[name]
    for name, value in (case.path_parameters or {}).items():
        # An empty id, which a link can find in an answer, would be the address of the list.
        if isinstance(value, str) and (not value or "/" in value or value in RESERVED or value.startswith("~")):
            digits = base64.urlsafe_b64encode(value.encode("utf-8", "replace")).decode().rstrip("=")
            case.path_parameters[name] = f"~{digits}"
        elif isinstance(value, list):
            # Schemathesis's own links take a list of ids for an id, and then write it into the address as it is.
            case.path_parameters[name] = f"no-{RUN}"


@schemathesis.hook
def filter_failure(context: Any, failure: Any, case: Any, response: Any) -> bool:
    """Tell whether a failure is one: not where the request is refused by a rule of `REFUSED`, or by its If-Match."""
    kind = type(failure).__name__
    if kind == "ServerError" and case.path in CALLED and response.status_code == 502:
        # The provider failed: one of the Demo service's models does so on purpose.
        return False
    if kind not in ("RejectedPositiveData", "AcceptedNegativeData"):
        return True
    headers = case.headers or {}
    if response.status_code == 412:
        # What was changed in the meantime is told before the body is looked at.
        return IF_MATCH not in headers
    if response.status_code == 416:
        # Which bytes a file has, only the file tells.
        return "Range" not in headers
    if kind == "RejectedPositiveData" and response.status_code == 400:
        problem = response.json()
        told = [f"{each['pointer']} {each['detail']}" for each in problem["errors"]] or [f" {problem['detail']}"]
        return not all(any(rule.match(each) for rule in REFUSED) for each in told)
    return True
