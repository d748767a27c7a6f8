"""Records as big-AGI writes them, small and our own: the examples of the documentation."""

import base64
import struct
import zlib
from typing import Any

CREATED = 1_754_000_000_000
"""In ms since the epoch."""


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png() -> bytes:
    """Return an image of one pixel."""
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00\x24\x63\x5f", 9)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", pixels) + _chunk(b"IEND", b"")


QUESTION: dict[str, Any] = {
    "id": "example-message-question",
    "role": "user",
    "fragments": [
        {
            "ft": "content",
            "fId": "q1q1q1q1",
            "part": {"pt": "text", "text": "Which of the two bridges in Porto is older?"},
        },
        {
            "ft": "attachment",
            "fId": "q2q2q2q2",
            "title": "packing-list.md",
            "caption": "",
            "created": CREATED,
            "liveFileId": "example-file",
            "part": {
                "pt": "doc",
                "vdt": "text/plain",
                "data": {"idt": "text", "text": "- passport", "mimeType": "text/markdown"},
                "ref": "packing-list.md",
                "l1Title": "packing-list.md",
            },
        },
    ],
    "tokenCount": 10,
    "created": CREATED,
    "updated": None,
}

ANSWER: dict[str, Any] = {
    "id": "example-message-answer",
    "role": "assistant",
    "purposeId": "Generic",
    "fragments": [
        {
            "ft": "content",
            "fId": "a1a1a1a1",
            "part": {
                "pt": "text",
                "text": "The **Maria Pia** bridge, opened in 1877. The *Dom Luís I* bridge followed in 1886.",
            },
        }
    ],
    "generator": {
        "mgt": "aix",
        "name": "gpt-5-mini",
        "aix": {"vId": "openai", "mId": "example-service-gpt-5-mini"},
        "metrics": {"$c": 0.0092, "TIn": 21, "TOut": 43, "dtStart": 611, "dtAll": 1840},
    },
    "tokenCount": 29,
    "created": CREATED + 2_000,
    "updated": CREATED + 3_840,
}

CHAT: dict[str, Any] = {
    "id": "example-chat",
    "messages": [QUESTION, ANSWER],
    "userTitle": "Bridges in Porto",
    "systemPurposeId": "Generic",
    "created": CREATED,
    "updated": CREATED + 3_840,
    "tokenCount": 39,
}

FOLLOW_UP: dict[str, Any] = {
    "id": "example-message-more",
    "role": "user",
    "fragments": [
        {"ft": "content", "fId": "m1m1m1m1", "part": {"pt": "text", "text": "Who built it?"}},
    ],
    "created": CREATED + 60_000,
    "updated": None,
}

GENERATE: dict[str, Any] = {
    "message": {"text": "And which of them is the oldest?"},
    "modelId": "bigagi-demo-fast",
    "stream": False,
}

PERSONA: dict[str, Any] = {
    "id": "example-persona",
    "name": "Travel guide",
    "systemPrompt": "You know every bridge of Portugal, and answer in three sentences.",
    "creationDate": "2026-08-01T09:00:00.000Z",
    "inputText": "",
}

FOLDER: dict[str, Any] = {"id": "example-folder", "title": "Travel", "conversationIds": [], "color": "#24635f"}

ASSET: dict[str, Any] = {
    "id": "example-asset",
    "contextId": "global",
    "scopeId": "app-chat",
    "assetType": "image",
    "label": "One green pixel",
    "data": {"mimeType": "image/png", "base64": base64.b64encode(_png()).decode("ascii")},
    "origin": {"ot": "user", "source": "attachment", "media": "file", "fileName": "pixel.png"},
    "metadata": {"width": 1, "height": 1},
    "createdAt": "2025-08-01T00:00:00.000Z",
    "updatedAt": "2025-08-01T00:00:00.000Z",
}

SERVICE: dict[str, Any] = {
    "id": "example-service",
    "label": "OpenAI (example)",
    "vId": "openai",
    "setup": {"oaiKey": "", "oaiHost": "https://api.openai.com"},
}

MODEL: dict[str, Any] = {
    "id": "example-service-gpt-5-mini",
    "label": "GPT-5 mini",
    "created": 1_754_000_000,
    "description": "Small and quick.",
    "hidden": False,
    "contextTokens": 400_000,
    "maxOutputTokens": 128_000,
    "interfaces": ["oai-chat", "oai-chat-vision"],
    "pricing": {"chat": {"input": 0.25, "output": 2, "cache": {"cType": "oai-ac", "read": 0.025}}},
    "parameterSpecs": [],
    "initialParameters": {"llmRef": "gpt-5-mini", "llmResponseTokens": 16_384},
    "sId": "example-service",
    "vId": "openai",
}

ASSIGNMENT: dict[str, Any] = {
    "mct": "model-parametric",
    "domainId": "example-domain",
    "modelId": "example-service-gpt-5-mini",
}

CALL: dict[str, Any] = {
    "model": "gpt-4o-mini",
    "vendor": "openai",
    "service": "example-script",
    "input_tokens": 1200,
    "output_tokens": 250,
    "ms_to_first_token": 420,
    "ms_total": 3100,
}
"""A call that another program made."""

FILE: dict[str, Any] = {
    "id": "example-file",
    "name": "packing-list.md",
    "type": "text/markdown",
    "size": 30,
    "content": "- passport\n- charger\n- raincoat",
    "lastModified": CREATED,
    "created": CREATED,
}

STORE: dict[str, Any] = {"state": {"theme": "green", "shown": 3}, "version": 1}

BACKUP: dict[str, Any] = {
    "schema": "vnd.agi.flash-backup",
    "schemaVersion": 102000,
    "tenantSlug": "app",
    "metadata": {
        "version": "1.2",
        "timestamp": "2025-08-01T00:00:00.000Z",
        "application": "Big-AGI",
        "backupType": "full",
    },
    "storage": {"localStorage": {}, "indexedDB": {}},
}
BACKUP_OF_STORE: dict[str, Any] = BACKUP | {
    "storage": {"localStorage": {"example-store": STORE}, "indexedDB": {}},
}
