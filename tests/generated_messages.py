"""Messages of generated chats: texts with code, emoji and several scripts, and each kind of fragment (§ 3)."""

import random
from typing import Any

JSONObject = dict[str, Any]

_PROSE = (
    "log store append only settle revision recover simple trivial possible keep model design before because every "
    "considered message fragment browser backup naïve café œuvre Straße file folder number letter river window"
)
_WORDS = _PROSE.split()
_OTHER = (
    "存储格式需要先想清楚，然后再写代码。",
    "追記専用のログは回復が簡単です。",
    "Простое восстановление из журнала.",
    "مرحبا بالعالم",
    "👨‍👩‍👧‍👦 🏴‍☠️ 🇫🇷 e\u0301 \u2028 ✓",
)
_CODE = (
    '```python\ndef fib(n: int) -> int:\n    """Return the n-th \\"Fibonacci\\" number."""\n'
    "    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n    return a\n```",
    "```sql\nSELECT id, COUNT(*) FROM \"messages\" WHERE text LIKE '%\\\\_%' GROUP BY id;\n```",
    '```js\nconsole.log(`${"path\\\\to"}\\t</script>`);\n```',
    "$$\\int_0^1 x^2\\,dx = \\frac{1}{3}$$",
)


def _make_paragraphs() -> list[str]:
    rng = random.Random("paragraphs")
    paragraphs = []
    for _ in range(300):
        sentence = " ".join(rng.choices(_WORDS, k=rng.randint(20, 90)))
        paragraphs.append(sentence.capitalize() + ".")
    return paragraphs


_PARAGRAPHS = _make_paragraphs()
_SYSTEM = "You are an AI assistant.\nCurrent date: Sat, Nov 21, 2026, 07 PM UTC\n\nMermaid rendering: Enabled\n" * 2


def make_text(rng: random.Random, paragraphs: int) -> str:
    """Return Markdown of about 350 characters a paragraph."""
    parts = rng.choices(_PARAGRAPHS, k=paragraphs)
    if paragraphs > 3:
        parts[0] = f"# {parts[0][:40]}"
        parts[2] = rng.choice(_CODE)
    if rng.random() < 0.3:
        parts.append(rng.choice(_OTHER) * rng.randint(1, 8))
    return "\n\n".join(parts)


def make_message(
    rng: random.Random, at: int, *, id: str, created: int, image: str | None, is_last: bool = False
) -> JSONObject:
    """Return a message in today's shape: the system's first, then a user's and an assistant's in turn."""
    if at == 0:
        fragments = [_content("text", id, 0, text=_SYSTEM)]
        return _message(id, "system", fragments, created, purposeId="Generic")
    if at % 2:
        return _message(id, "user", _question(rng, id, created, image), created, **_user_facts(rng))
    return _message(id, "assistant", _answer(rng, id, is_last), created, **_generator(rng, is_last))


def make_old_message(rng: random.Random, at: int, *, id: str, created: int, **_: Any) -> JSONObject:
    """Return a message as before big-AGI's v4: `text` in place of fragments."""
    role = "system" if at == 0 else "user" if at % 2 else "assistant"
    message: JSONObject = {
        "id": id,
        "text": make_text(rng, 1 + 5 * (role == "assistant")),
        "sender": "Bot" if role == "assistant" else "You",
        "avatar": None,
        "typing": False,
        "role": role,
        "tokenCount": 200,
        "created": created,
        "updated": None,
    }
    if role == "assistant":
        message |= {"purposeId": "Generic", "originLLM": "gpt-4-0314"}
    if role == "user" and at == 3:
        message["metadata"] = {"inReplyToText": "what you said"}
    return message


def _message(id: str, role: str, fragments: list[JSONObject], created: int, **facts: Any) -> JSONObject:
    return {
        "id": id,
        "role": role,
        "fragments": fragments,
        "tokenCount": 40 * len(fragments),
        "created": created,
        "updated": None,
        **facts,
    }


def _fragment(ft: str, message: str, at: int, part: JSONObject, **facts: Any) -> JSONObject:
    return {"ft": ft, "fId": f"{message[:6]}{at:02}", **facts, "part": part}


def _content(pt: str, message: str, at: int, /, **part: Any) -> JSONObject:
    return _fragment("content", message, at, {"pt": pt, **part})


def _user_facts(rng: random.Random) -> JSONObject:
    facts: JSONObject = {}
    if rng.random() < 0.1:
        facts["userFlags"] = rng.choice((["starred"], ["aix.skip", "starred"], ["vnd.ant.cache.auto"], []))
    if rng.random() < 0.05:
        reference = {"mrt": "dmsg", "mText": "as you said", "mRole": "assistant"}
        facts["metadata"] = {"inReferenceTo": [reference], "entangled": {"id": "e1", "color": "red", "count": 2}}
    return facts


def _question(rng: random.Random, id: str, created: int, image: str | None) -> list[JSONObject]:
    fragments = [_content("text", id, 0, text=make_text(rng, rng.randint(1, 2)))]
    if rng.random() < 0.06:
        doc = {
            "pt": "doc",
            "vdt": "text/plain",
            "data": {"idt": "text", "text": make_text(rng, 8), "mimeType": "text/markdown"},
            "ref": "notes-md",
            "l1Title": "notes.md",
            "version": 1,
            "meta": {"srcFileName": "notes.md", "srcFileSize": 3000},
        }
        fragments.append(_fragment("attachment", id, 1, doc, title="notes.md", caption="", created=created))
    if image and rng.random() < 0.5:
        fragments.append(_fragment("attachment", id, 2, make_image_reference(rng, image), title="p.png", caption=""))
    return fragments


def make_image_reference(rng: random.Random, image: str) -> JSONObject:
    """Return a part that names the image, in the old or the new way."""
    data_ref = {"reftype": "dblob", "dblobAssetId": image, "mimeType": "image/png", "bytesSize": 7000}
    old = {"pt": "image_ref", "dataRef": data_ref, "altText": "noise", "width": 48, "height": 48}
    if rng.random() < 0.3:
        return old
    return {
        "pt": "reference",
        "rt": "zync",
        "zType": "asset",
        "zUuid": zync_uuid(image),
        "zRefSummary": {"pt": "text", "text": "p.png"},
        "assetType": "image",
        "_legacyImageRefPart": old,
    }


def zync_uuid(asset_id: str) -> str:
    """Return the uuid that big-AGI derives from an image's id (§ 3)."""
    folded = [0] * 16
    for at, character in enumerate(asset_id):
        folded[at % 16] ^= ord(character)
    folded[6] = folded[6] & 0x0F | 0x40
    folded[8] = folded[8] & 0x3F | 0x80
    digits = bytes(folded).hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _answer(rng: random.Random, id: str, is_last: bool) -> list[JSONObject]:
    fragments: list[JSONObject] = []
    if is_last:
        # By default only the last reply keeps its reasoning.
        reasoning = {"pt": "ma", "aType": "reasoning", "aText": make_text(rng, 2), "textSignature": "TUxZ" * 40}
        state = {"openai": {"reasoningItem": {"id": f"rs_{id}", "encryptedContent": "bmjhAdM+ZPMZ" * 30}}}
        fragments.append(_fragment("void", id, 9, reasoning, vendorState=state))
    fragments.append(_content("text", id, 0, text=make_text(rng, rng.randint(4, 15))))
    luck = rng.random()
    if luck < 0.03:
        call = {
            "type": "function_call",
            "name": "search",
            "args": '{"q": "append-only \\"logs\\""}',
            "_description": "",
        }
        fragments.append(_content("tool_invocation", id, 1, id="call-1", invocation=call))
        result = {"type": "function_call", "name": "search", "result": '["a", "b"]', "executor": "client"}
        fragments.append(
            _content("tool_response", id, 2, id="call-1", error=False, response=result, environment="local")
        )
    elif luck < 0.05:
        code = {"type": "code_execution", "language": "python", "code": "print('行')\n", "author": "gemini"}
        fragments.append(_content("tool_invocation", id, 1, id="call-2", invocation=code))
    elif luck < 0.07:
        fragments.append(_content("error", id, 1, error="**Service Error**: 429", hint="aix-net-disconnected"))
    elif luck < 0.09:
        cited = {
            "pt": "annotations",
            "annotations": [{"url": "https://example.org/ä", "title": "A", "ranges": [[0, 5]]}],
        }
        fragments.append(_fragment("void", id, 1, cited))
    elif luck < 0.1:
        fragments.append(_content("hosted_resource", id, 1, resource={"via": "gemini-file", "fileId": "f-1"}))
    elif luck < 0.11:
        fragments.append(_fragment("void", id, 1, {"pt": "of_tomorrow", "deep": [{"a": [None, 1e-7]}]}, originId="o-1"))
    return fragments


def _generator(rng: random.Random, is_last: bool) -> JSONObject:
    vendor = rng.choice(("openai", "anthropic"))
    model = f"gpt-{rng.randint(0, 29)}"
    generator: JSONObject = {"mgt": "aix", "name": model, "aix": {"vId": vendor, "mId": f"{vendor}-{model}"}}
    facts: JSONObject = {"purposeId": "Generic", "generator": generator}
    luck = rng.random()
    if luck < 0.03:
        generator["tokenStopReason"] = rng.choice(("client-abort", "issue", "out-of-tokens"))
        return facts
    if luck < 0.06:
        return {"generator": {"mgt": "named", "name": "web"}}
    if luck < 0.07 and is_last:
        facts["pendingIncomplete"] = True
        return facts
    generator["metrics"] = {
        "TIn": rng.randint(50, 5000),
        "TCacheRead": rng.randint(0, 900),
        "TOut": rng.randint(50, 900),
        "dtAll": rng.randint(50, 9000),
        "dtStart": rng.randint(5, 900),
        "vTOutInner": round(rng.random() * 900, 2),
        "$c": round(rng.random(), 4),
        "$cdCache": round(rng.random() / 10 - 0.02, 4),
    }
    return facts
