"""big-AGI's JSON as hypothesis makes it: valid, odd and damaged, by the facts of the format.

Values are Python's; `to_text` writes them as a browser or a careless program would. Nothing here uses our own reader
or writer, so that both can be tested with it.
"""

import json
import math
import random
from typing import Any

from hypothesis import strategies as st

INFINITY_TEXT = "\ue000infinity\ue000"

LARGE = [2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**22, 10**400, -(10**400) + 7]
FLOATS = [0.012594999999999999, 1.0, -0.0, 1e16, 1e22, 1e300, 5e-324, 0.1, 1.5, -2.0, math.inf, -math.inf]
ODD_TEXTS = [
    "",
    "\x00",
    "a\x00b",
    "\ud800",
    "\udfff tail",
    "\ud83d\ude00",
    "😀",
    "日本語",
    "a b",
    " ",
    "starred",
    "null",
]

texts = st.one_of(
    st.text(alphabet=st.characters(), max_size=12),
    st.sampled_from(ODD_TEXTS),
    st.text(alphabet=st.characters(categories=["Cs", "Cc", "Lu"]), max_size=6),
)
plain_texts = st.one_of(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20), st.just(""))
numbers = st.one_of(
    st.integers(-3, 100), st.integers(), st.sampled_from(LARGE), st.sampled_from(FLOATS), st.floats(allow_nan=False)
)
scalars = st.one_of(st.none(), st.booleans(), numbers, texts)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)

IDS = [
    "a",
    "b",
    "openai",
    "openai-1",
    "-begins-with-a-dash",
    "with/slash",
    "with::colons",
    "~tilde",
    "bulk",
    "é",
    " ",
    "😀",
]
ids = st.one_of(
    st.sampled_from(IDS),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=24),
)
odd_ids = st.one_of(st.sampled_from(["", "x" * 201, "y" * 200, "\x00", "\ud800", None, 5, True, []]), texts)


def nested(depth: int, inner: Any = 1) -> Any:
    """Return a value of this many levels."""
    value = inner
    for level in range(depth):
        value = [value] if level % 2 else {"deeper": value}
    return value


@st.composite
def objects(draw: st.DrawFn, fields: dict[str, st.SearchStrategy], always: dict[str, st.SearchStrategy] | None = None):
    """Make an object whose members are mostly right, sometimes absent or of a wrong kind, with unknown ones among them.

    Members of `always` are never absent and never odd.
    """
    made: dict[str, Any] = {}
    for name, right in fields.items():
        chance = draw(st.integers(0, 9))
        if chance < 7:
            made[name] = draw(right)
        elif chance == 7:
            made[name] = draw(anything)
    if draw(st.integers(0, 3)) == 0:
        made |= draw(st.dictionaries(texts, anything, max_size=2))
    made |= {name: draw(right) for name, right in (always or {}).items()}
    if draw(st.booleans()):
        names = draw(st.permutations(list(made)))
        made = {name: made[name] for name in names}
    return made


@st.composite
def members(draw: st.DrawFn, right: st.SearchStrategy, max_size: int = 4) -> list[Any]:
    """Make a list of records with some that are damaged, and some that stand in it twice."""
    made = draw(st.lists(right, max_size=max_size))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        at = draw(st.integers(0, len(made)))
        twice = [draw(st.sampled_from(made))] if made and draw(st.booleans()) else [draw(anything)]
        made[at:at] = twice
    return made


# --- chats -----------------------------------------------------------------------------------------------------------

times = st.one_of(st.integers(1_600_000_000_000, 1_800_000_000_000), st.floats(1.6e12, 1.8e12))
data_refs = st.one_of(
    objects({"reftype": st.just("dblob"), "dblobAssetId": ids, "mimeType": st.just("image/png"), "bytesSize": numbers}),
    objects({"reftype": st.just("url"), "url": texts}),
)
image_refs = objects(
    {"dataRef": data_refs, "altText": texts, "width": numbers, "height": numbers}, {"pt": st.just("image_ref")}
)
parts = st.one_of(
    objects({"text": plain_texts}, {"pt": st.just("text")}),
    objects({"text": texts}, {"pt": st.just("text")}),
    objects({"error": texts, "hint": texts}, {"pt": st.just("error")}),
    objects({"aType": st.just("reasoning"), "aText": texts, "textSignature": texts}, {"pt": st.just("ma")}),
    objects({"pText": texts, "pType": texts, "opLog": anything}, {"pt": st.just("ph")}),
    objects(
        {
            "vdt": texts,
            "data": objects({"idt": st.just("text"), "text": texts, "mimeType": texts}),
            "ref": texts,
            "l1Title": texts,
            "meta": anything,
        },
        {"pt": st.just("doc")},
    ),
    image_refs,
    objects(
        {"rt": st.just("zync"), "zType": st.just("asset"), "zUuid": ids, "_legacyImageRefPart": image_refs},
        {"pt": st.just("reference")},
    ),
    objects({"id": ids, "invocation": anything}, {"pt": st.just("tool_invocation")}),
    objects({"id": ids, "error": anything, "response": anything}, {"pt": st.just("tool_response")}),
    objects({"annotations": members(anything)}, {"pt": st.just("annotations")}),
    objects({"pt": texts, "text": texts}),
    objects({}, {"pt": st.just("_pt_sentinel")}),
)
fragments = objects(
    {
        "fId": st.one_of(ids, odd_ids),
        "part": parts,
        "originId": ids,
        "vendorState": anything,
        "title": texts,
        "caption": texts,
        "created": times,
        "liveFileId": ids,
    },
    {"ft": st.sampled_from(["content", "attachment", "void", "x" * 51, "", 5, False])},
)
flags = st.lists(
    st.sampled_from(["aix.skip", "starred", "notify.complete", "vnd.ant.cache.auto", "", "two words"]), max_size=3
)
metrics = objects(
    {
        "$c": numbers,
        "$cReported": numbers,
        "$cdCache": numbers,
        "TIn": numbers,
        "TOut": numbers,
        "$code": texts,
        "TsR": texts,
    }
)
message_fields = {
    "role": st.sampled_from(["user", "assistant", "system", "x" * 21]),
    "purposeId": texts,
    "metadata": objects({"inReferenceTo": members(anything), "entangled": anything, "initialRecipients": anything}),
    "generator": objects(
        {
            "mgt": st.sampled_from(["named", "aix"]),
            "name": texts,
            "aix": objects({"vId": ids, "mId": ids}),
            "metrics": metrics,
            "tokenStopReason": texts,
            "upstreamHandle": anything,
        }
    ),
    "userFlags": flags,
    "tokenCount": numbers,
    "created": times,
    "updated": st.one_of(times, st.none()),
    "pendingIncomplete": st.booleans(),
}
messages = objects(message_fields, {"id": ids, "fragments": members(fragments, 3)})
odd_messages = objects(message_fields | {"id": st.one_of(ids, odd_ids), "fragments": members(fragments, 2)})
old_messages = objects(
    {
        "id": ids,
        "role": st.sampled_from(["user", "assistant"]),
        "sender": st.sampled_from(["You", "Bot", "Person"]),
        "avatar": st.one_of(st.none(), texts),
        "typing": st.booleans(),
        "originLLM": texts,
        "purposeId": texts,
        "metadata": objects({"inReplyToText": texts}),
        "generator": anything,
        "created": times,
        "updated": st.one_of(times, st.none()),
    },
    {"text": texts},
)
conversation_fields = {
    "userTitle": texts,
    "autoTitle": texts,
    "isArchived": st.booleans(),
    "userSymbol": texts,
    "systemPurposeId": st.sampled_from(["Generic", "DeveloperPreview", ""]),
    "created": times,
    "updated": st.one_of(times, st.none()),
    "tokenCount": numbers,
}
conversations = objects(conversation_fields, {"id": ids, "messages": members(st.one_of(messages, odd_messages), 3)})
odd_conversations = objects(conversation_fields | {"id": st.one_of(ids, odd_ids), "messages": members(odd_messages, 2)})
old_conversations = objects(conversation_fields, {"id": ids, "messages": members(st.one_of(old_messages, messages), 3)})
folders = objects({"title": texts, "color": texts}, {"id": ids, "conversationIds": members(ids)})
base64_texts = st.one_of(
    st.sampled_from(
        ["", "AAAA", "iVBORw0KGgo=", "QQ==", "QR==", "QQ", "not base64", "sha256:aa", "QUI=\n", "QQ==QQ=="]
    ),
    texts,
)
assets = objects(
    {
        "contextId": st.just("global"),
        "scopeId": st.sampled_from(["app-chat", "app-draw", "attachment-drafts"]),
        "assetType": st.sampled_from(["image", "audio"]),
        "label": texts,
        "origin": anything,
        "createdAt": st.just("2026-08-01T10:00:00.000Z"),
        "updatedAt": texts,
        "metadata": objects({"width": numbers, "height": numbers, "duration": numbers}),
        "cache": anything,
        "data": objects({"mimeType": st.sampled_from(["image/png", "audio/wav"]), "base64": base64_texts}),
    },
    {"id": ids},
)

# --- models, usage, workspaces ---------------------------------------------------------------------------------------

services = objects({"label": texts, "vId": texts, "setup": anything, "defsV": numbers}, {"id": ids})
prices = st.one_of(
    numbers, st.just("free"), st.lists(objects({"upTo": st.none() | numbers, "price": numbers}), max_size=2)
)
models = objects(
    {
        "label": texts,
        "created": numbers,
        "updated": numbers,
        "pubDate": st.just("20260801"),
        "description": texts,
        "hidden": st.booleans(),
        "contextTokens": st.none() | numbers,
        "maxOutputTokens": st.none() | numbers,
        "interfaces": members(texts),
        "pricing": objects({"chat": objects({"input": prices, "output": prices, "cache": anything})}),
        "parameterSpecs": members(anything),
        "initialParameters": objects({"llmRef": ids}),
        "sId": ids,
        "vId": ids,
        "userLabel": texts,
        "userHidden": st.booleans(),
        "userStarred": st.booleans(),
        "userParameters": anything,
    },
    {"id": ids},
)
assignments = objects({"mct": texts, "domainId": texts, "modelId": st.none() | ids, "modelParameters": anything})
baselines = objects(
    {
        "totalCosts": numbers,
        "totalSavings": numbers,
        "totalInputTokens": numbers,
        "totalOutputTokens": numbers,
        "usageCount": numbers,
        "firstUsageDate": times,
        "lastUsageDate": times,
        "freeUsages": numbers,
    }
)
workspaces = members(ids)
live_files = objects(
    {
        "id": ids,
        "name": texts,
        "type": texts,
        "size": numbers,
        "content": st.none() | texts,
        "lastModified": times,
        "created": times,
        "isLoading": st.booleans(),
        "fsHandle": anything,
    }
)


def maps(right: st.SearchStrategy, max_size: int = 3) -> st.SearchStrategy:
    """Make a map by ids, with keys of every kind and some members that are damaged."""
    keys = st.one_of(ids, texts, st.sampled_from(["x" * 201, "", "__proto__"]))
    return st.dictionaries(keys, st.one_of(right, right, right, anything), max_size=max_size)


# --- stores ----------------------------------------------------------------------------------------------------------

versions = st.one_of(st.integers(0, 6), st.sampled_from([-1, 2**63, 4.0, None, "4", True]))


def envelopes(fields: dict[str, st.SearchStrategy], version: st.SearchStrategy = versions) -> st.SearchStrategy:
    """Make a store's value: mostly an envelope, sometimes something else."""
    whole = objects({"state": objects(fields), "version": version})
    return st.one_of(whole, whole, whole, anything)


# --- text ------------------------------------------------------------------------------------------------------------


def _writable(value: Any) -> Any:
    if isinstance(value, float) and math.isinf(value):
        return ("-" if value < 0 else "") + INFINITY_TEXT
    if isinstance(value, dict):
        return {key: _writable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_writable(item) for item in value]
    return value


def to_text(value: Any, *, indent: int | None = None, ascii_only: bool = True) -> str:
    """Return JSON text; what is infinite, as numbers too large for a double are, is written as 1e400.

    Lone surrogates can only be written as escapes.
    """
    if not ascii_only:
        ascii_only = not _is_utf8(value)
    text = json.dumps(_writable(value), indent=indent, ensure_ascii=ascii_only)
    mark = json.dumps(INFINITY_TEXT, ensure_ascii=ascii_only)[1:-1]
    return text.replace(f'"-{mark}"', "-1e400").replace(f'"{mark}"', "1e400")


def _is_utf8(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def reworded(value: Any, seed: int) -> Any:
    """Return an equal JSON value that is told in another way: other order of keys, `1.0` for `1`."""
    chance = random.Random(seed)

    def change(item: Any) -> Any:
        if isinstance(item, dict):
            keys = list(item)
            chance.shuffle(keys)
            return {key: change(item[key]) for key in keys}
        if isinstance(item, list):
            return [change(member) for member in item]
        is_whole = isinstance(item, int) and not isinstance(item, bool)
        if is_whole and abs(item) < 10**300 and int(float(item)) == item:
            return float(item)
        if isinstance(item, float) and item.is_integer():
            return int(item)
        return item

    # Through text first: two surrogates of a pair are one character there, and one key.
    return change(json.loads(to_text(value)))


def equal_json(one: Any, other: Any) -> bool:
    """Tell whether two values of plain `json.loads` are the same JSON: no boolean is a number, `1` is `1.0`."""
    if isinstance(one, dict):
        return (
            isinstance(other, dict)
            and one.keys() == other.keys()
            and all(equal_json(one[key], other[key]) for key in one)
        )
    if isinstance(one, list):
        return (
            isinstance(other, list)
            and len(one) == len(other)
            and all(equal_json(*pair) for pair in zip(one, other, strict=True))
        )
    if isinstance(one, bool) or isinstance(other, bool) or one is None or other is None:
        return one is other
    if isinstance(one, str) or isinstance(other, str):
        return isinstance(one, str) and isinstance(other, str) and one == other
    return isinstance(other, int | float) and one == other


def first_difference(one: Any, other: Any, path: str = "") -> str:
    """Return where two values differ, in words, or nothing."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            if key not in one or key not in other:
                return (
                    f"{path}/{key!r}: {'extra' if key in other else 'lost'}: {str(one.get(key, other.get(key)))[:200]}"
                )
            if found := first_difference(one[key], other[key], f"{path}/{key!r}"):
                return found
        return ""
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return next(
            filter(
                None, (first_difference(*pair, f"{path}/{at}") for at, pair in enumerate(zip(one, other, strict=True)))
            ),
            "",
        )
    return "" if equal_json(one, other) else f"{path}: {str(one)[:200]!r} became {str(other)[:200]!r}"
