"""The settings of generated backups: services with fake keys, models, folders, metrics, live files, preferences."""

import random
import string
from typing import Any

JSONObject = dict[str, Any]

BASE_TIME = 1_750_000_000_000
"""ms since the epoch, near which the oldest chats are."""

_ID_CHARACTERS = string.ascii_letters + string.digits + "_-"


def make_id(*parts: object, length: int = 21) -> str:
    """Return the id that these parts always give."""
    return "".join(random.Random(repr(parts)).choices(_ID_CHARACTERS, k=length))


def make_stores(seed: int = 1, chat_ids: list[str] | None = None, models: int = 30) -> JSONObject:
    """Return what localStorage holds: services with fake keys, models, folders, metrics, live files, preferences."""
    chat_ids = chat_ids or []
    services = [
        ("openai", "OpenAI", {"oaiKey": f"sk-FAKE{seed}generated1234567890abcdefghijklmnop"}),
        ("anthropic", "Anthropic", {"anthropicKey": f"sk-ant-FAKE{seed}-generated-key-0000000000000000"}),
        (
            "localai",
            "LocalAI",
            {"localAIHost": f"http://user:FAKEpass{seed}@127.0.0.1:9311/v1?t=q{seed}", "localAIKey": ""},
        ),
    ]
    files = {make_id(seed, "file", at): at for at in range(min(3, len(chat_ids)))}
    return {
        "app-models": _envelope(
            5,
            llms=[_make_model(at, services[at % 3][0]) for at in range(models)],
            sources=[{"id": id, "label": label, "vId": id, "setup": setup} for id, label, setup in services],
            confServiceId="openai",
            modelAssignments={
                "primaryChat": {"mct": "model-parametric", "domainId": "primaryChat", "modelId": "openai-gpt-0"},
                "fastUtil": {"mct": "model-parametric", "domainId": "fastUtil", "modelId": None},
            },
        ),
        "app-folders": _envelope(
            0,
            folders=[
                {"id": "-work", "title": "Work 工作", "conversationIds": chat_ids[:5], "color": "#407cf8"},
                {"id": make_id(seed, "folder"), "title": 'Été / "quotes"', "conversationIds": [*chat_ids[3:9], "gone"]},
                {"id": make_id(seed, "empty"), "title": "", "conversationIds": []},
            ],
            enableFolders=True,
        ),
        "app-metrics": _envelope(
            0,
            serviceMetrics={
                "openai": {"totalCosts": 0.291469, "totalSavings": 0.038888, "usageCount": 29, "freeUsages": 0},
                "anthropic": {"totalCosts": 0.012594999999999999, "totalInputTokens": 1522, "usageCount": 4},
            },
        ),
        "agi-client-workspace": _envelope(
            0, liveFilesByWorkspace={chat: list(files)[: at % 3] for at, chat in enumerate(chat_ids[:4])}
        ),
        "agi-live-file": _envelope(0, liveFiles={id: _make_live_file(id, at) for id, at in files.items()}),
        "app-ui": _envelope(3, centerMode="narrow", complexityMode="pro", enterIsNewline=False, dismissals={}),
        "app-ux-labs": _envelope(1, labsAutoHideComposer=True, labsShowShortcutBar=False),
        "app-module-browse": _envelope(0, wssEndpoint=f"wss://FAKEbrowse{seed}.example/?token=t", pageTransform="html"),
        "app-module-google-search": _envelope(0, googleCloudApiKey=f"cx-FAKE-{seed}", googleCSEId=f"AIzaFAKE{seed}"),
        "app-of-tomorrow": {"state": {"unknown": [1, 1.5, True, None, "…"]}, "version": 9, "also": {}},
        "joy-mode": "dark",
    }


def _envelope(version: int, **state: Any) -> JSONObject:
    return {"state": state, "version": version}


def _make_model(at: int, service: str) -> JSONObject:
    model: JSONObject = {
        "id": f"{service}-gpt-{at}",
        "label": f"GPT {at}",
        "created": 1_715_367_049,
        "updated": 0,
        "description": f"Model {at}: reads text, writes text.",
        "hidden": at % 5 == 4,
        "contextTokens": 128_000 if at % 4 else None,
        "maxOutputTokens": 16_384,
        "interfaces": ["oai-chat", "oai-chat-vision"],
        "parameterSpecs": [{"paramId": "llmVndOaiEffort", "initialValue": "medium"}],
        "initialParameters": {"llmRef": f"gpt-{at}", "llmResponseTokens": 8192, "llmTemperature": 0.5},
        "sId": service,
        "vId": service,
        "pricing": {"chat": {"input": [{"upTo": 200_000, "price": 1.25}, {"upTo": None, "price": 2.5}], "output": 10}},
    }
    if at % 6 == 1:
        model |= {"userLabel": f"Mine {at}", "userStarred": True, "userParameters": {"llmTemperature": 0.7}}
    return model


def _make_live_file(uid: str, at: int) -> JSONObject:
    content = None if at == 2 else f"# Live file {at}\n\n" + "line 行\n" * 50
    return {
        "id": uid,
        "name": f"notes-{at}.md",
        "type": "text/markdown",
        "size": len(content.encode()) if content else 0,
        "content": content,
        "lastModified": BASE_TIME,
        "created": BASE_TIME + at,
        "isLoading": False,
        "isSaving": False,
        "error": None,
        "fsHandle": {},
    }
