"""Examples in the API's description: what is sent, and what comes back."""

from typing import Any

from bigagi_site.docs import records
from bigagi_site.docs.steps import bodies
from stores.api.schema_walks import operations_of
from stores.records.problem_details import TROUBLESHOOTING

PROBLEM: dict[str, Any] = {
    "type": f"{TROUBLESHOOTING}bad-request",
    "title": "Bad Request",
    "status": 400,
    "detail": "/messages: Must be a list.",
    "instance": "/api/chats",
    "request_id": "0f7a6f0e-4b2f-4f0e-9d61-3a5c7c2f3c11",
    "errors": [{"pointer": "/messages", "detail": "Must be a list.", "code": "type"}],
}
CHAT_FACTS: dict[str, Any] = {
    "href": "/api/chats/example-chat",
    "revision": 1,
    "messageCount": 2,
    "lastMessageAt": records.CREATED + 2_000,
}
CHANGE: dict[str, Any] = {
    "id": 12,
    "at": "2026-08-01T09:30:00.000000Z",
    "actor": "owner · notebook",
    "source": "api",
    "request_id": PROBLEM["request_id"],
    "action": "patch chat",
    "summary": "example-chat",
    "call": {"method": "PATCH", "path": "/api/chats/example-chat", "body_size": 25, "body": {"userTitle": "Bridges"}},
    "stores": "app-chats",
    "record_count": 1,
    "size": 120,
    "duration_ms": 4,
    "is_purged": False,
    "undoes": None,
    "undone_by": [],
    "run": None,
    "href": "/api/changes/12",
}


def _without(record: dict[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in names}


RECORDS: dict[str, Any] = {
    "Problem": PROBLEM,
    "Conversation": records.CHAT | {"_server": CHAT_FACTS},
    "ConversationHeader": _without(records.CHAT, "messages")
    | {
        "_server": CHAT_FACTS
        | {"title": records.CHAT["userTitle"], "folderIds": ["example-folder"], "pinned": False}
        | {"costNanoUsd": None, "run": None, "branchOf": None}
    },
    "Message": records.QUESTION
    | {"_server": {"href": "/api/chats/example-chat/messages/example-message-question", "position": 0}},
    "Folder": records.FOLDER
    | {"_server": {"href": "/api/folders/example-folder", "chatsHref": "/api/chats?folder=example-folder"}},
    "Persona": records.PERSONA | {"_server": {"href": "/api/personas/example-persona"}},
    "Change": CHANGE
    | {
        "records": [
            {
                "kind": "conversation",
                "uid": "example-chat",
                "action": "updated",
                "hash_before": "5d41402abc4b2a76b9719d911017c592",
                "hash_after": "7d793037a0760186574b0282f2f435e7",
                "position": None,
                "difference": [],
            }
        ]
    },
    "ListedChange": CHANGE,
}
"""What comes back, by the shape's name."""


def add_examples(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Give each operation the example of its body, and each answer that of its shape."""
    sent = bodies()
    for _, _, operation in operations_of(result):
        content = operation.get("requestBody", {}).get("content", {})
        if operation["operationId"] in sent:
            content_type, body = sent[operation["operationId"]]
            for kind, media in content.items():
                if kind == content_type or content_type == "application/json" and kind.endswith("json"):
                    media["example"] = body
        for response in operation["responses"].values():
            for media in response.get("content", {}).values():
                _add_example(media, result)
    return result


def _add_example(media: dict[str, Any], result: dict[str, Any]) -> None:
    name = media.get("schema", {}).get("$ref", "").rpartition("/")[2]
    if name in RECORDS:
        media["example"] = RECORDS[name]
    elif name.startswith("Paginated"):
        items = result["components"]["schemas"][name]["properties"]["results"]["items"]
        inner = items.get("$ref", "").rpartition("/")[2]
        if inner in RECORDS:
            media["example"] = {"next": None, "previous": None, "results": [RECORDS[inner]]}
