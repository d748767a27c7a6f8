"""A client of the API, and rows made from big-AGI's JSON, for the API's tests."""

import json
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from chats.bigagi.asset import ASSETS, with_base64
from chats.bigagi.conversation import CONVERSATIONS
from chats.bigagi.folder import FOLDERS
from chats.models import Asset, Conversation
from llms.bigagi import ASSIGNMENTS, MODELS, SERVICES
from metrics.bigagi import BASELINES
from stores.models import Store
from stores.records.collections import Collection
from stores.records.opaque_stores import OPAQUE_STORES
from stores.records.sealing import Sealer
from workspace.bigagi import LIVE_FILES, WORKSPACES

ODD_IDS = [
    *(
        "a/b",
        "openrouter-google/gemini::pro",
        "-first",
        "~tilde",
        "~",
        ".",
        "..",
        "a b",
        "50%",
        "%2F",
        "a?b=c#d",
        "é工🐈",
    ),
    *("notes.json", 'quote"s', "back\\slash", "new\nline", "a+b", "semi;colon", "bulk", "export", "search", "init"),
    *("order", "events", "messages", "x" * 200),
]


def sign_in(**kwargs: Any) -> Client:
    """Return a client with the session of a user, by default one who may see all."""
    user = User.objects.create_user(**{"username": "reader", "is_staff": True, **kwargs})
    client = Client()
    client.force_login(user)
    return client


def read(answer: Any) -> Any:
    """Return the JSON of an answer of 200, streamed or not."""
    body = answer.getvalue()
    assert answer.status_code == 200, body[:2000]
    return json.loads(body)


def read_problem(answer: Any, status: int) -> Any:
    """Return the problem of an answer, which must have the one shape of all errors."""
    assert answer.status_code == status, answer.getvalue()[:2000]
    assert answer["Content-Type"] == "application/problem+json"
    problem = json.loads(answer.content)
    # What stands in the way of an undo is told with it.
    of_undo = {"newer", "undo_first", "run", "undone_by"}
    assert set(problem) - of_undo == {
        "type",
        "title",
        "status",
        "detail",
        "instance",
        "request_id",
        "errors",
    }
    assert problem["status"] == status
    assert problem["type"].startswith("/api/docs/troubleshooting#")
    assert problem["detail"]
    assert problem["request_id"] == answer["X-Request-ID"]
    assert all(set(error) == {"pointer", "detail", "code"} for error in problem["errors"])
    return problem


def store_record(collection: Collection, record: Any, uid: str, position: int = 0) -> Any:
    """Store one record of big-AGI's JSON, its secrets sealed, and return its row."""
    sealer = Sealer()
    with transaction.atomic():
        collection.insert([(collection.to_rows(sealer.seal(record), uid), position)])
        sealer.save()
    return collection.find([uid])[uid]


def stored(records: list[Any]) -> list[Any]:
    """Return those of listed models or services that are rows: others come with the program."""
    return [record for record in records if not (isinstance(record, dict) and record.get("_server", {}).get("virtual"))]


def make_message(uid: str = "m0", text: str = "Hello", **members: Any) -> dict[str, Any]:
    fragment = {"ft": "content", "fId": "f0", "part": {"pt": "text", "text": text}}
    return {"id": uid, "role": "user", "fragments": [fragment], "created": 1, "updated": None, **members}


def make_chat(uid: str = "chat", position: int = 0, **members: Any) -> Conversation:
    record = {"id": uid, "systemPurposeId": "Generic", "messages": [make_message()], "created": 1, "updated": 2}
    return store_record(CONVERSATIONS, record | members, uid, position)


def make_folder(uid: str = "folder", position: int = 0, **members: Any) -> Any:
    record = {"id": uid, "title": "Work", "conversationIds": []} | members
    return store_record(FOLDERS, record, uid, position)


def make_service(uid: str = "openai", position: int = 0, **members: Any) -> Any:
    return store_record(SERVICES, {"id": uid, "label": "OpenAI", "vId": "openai", "setup": {}} | members, uid, position)


def make_model(uid: str = "openai-gpt", position: int = 0, **members: Any) -> Any:
    record = {"id": uid, "label": "GPT", "sId": "openai", "vId": "openai", "hidden": False} | members
    return store_record(MODELS, record, uid, position)


def make_assignment(domain: str = "primaryChat", **members: Any) -> Any:
    record = {"mct": "model-parametric", "domainId": domain, "modelId": "openai-gpt"} | members
    return store_record(ASSIGNMENTS, record, domain)


def make_baseline(uid: str = "openai", **members: Any) -> Any:
    return store_record(BASELINES, {"usageCount": 1} | members, uid)


def make_workspace(uid: str = "chat", files: tuple[str, ...] = ()) -> Any:
    return store_record(WORKSPACES, list(files), uid)


def make_file(uid: str = "file", **members: Any) -> Any:
    record = {"id": uid, "name": "notes.txt", "type": "text/plain", "size": 5, "content": "Hello"} | members
    return store_record(LIVE_FILES, record, uid)


def make_store(name: str = "app-ui", value: Any = None) -> Store:
    return store_record(
        OPAQUE_STORES, {"state": {"centerMode": "full"}, "version": 3} if value is None else value, name
    )


def make_asset(uid: str = "asset", position: int = 0, *, held: Any = None, **members: Any) -> Asset:
    """Store an asset; `held` is what `store_base64` returned for its bytes."""
    record = {"id": uid, "assetType": "image", "label": "A cat", "data": {"mimeType": "image/png"}} | members
    if held is not None:
        record = with_base64(record, held)
    collection = ASSETS
    collection.insert([(collection.to_rows(record, uid), position)])
    return collection.find([uid])[uid]
