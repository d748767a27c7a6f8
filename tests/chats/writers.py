"""One process that writes to its own chat over the API, in the process itself, until its time is up.

`python -m tests.chats.writers NAME SECONDS` prints, as JSON, how many writes it made and what its chat is at the end.
Any answer but the one expected ends it.
"""

import json
import os
import sys
import time
from typing import Any

import django

SEED = 4
"""Messages that the chat begins with."""


def write(name: str, seconds: float) -> dict[str, Any]:
    """Add, replace and delete messages, rename and replace the chat, one after the other."""
    from django.contrib.auth.models import User
    from django.test import Client

    from tests.api import make_message

    client = Client(raise_request_exception=False, SERVER_NAME="localhost")
    client.force_login(User.objects.create_user(name, is_staff=True))

    def send(method: str, path: str, body: Any, status: int) -> Any:
        call = getattr(client, method)
        answer = call(
            path, json.dumps(body), content_type="application/json", headers={"If-Match": etag} if etag else {}
        )
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.content[:1000]!r}"
        return answer

    etag = ""
    path = f"/api/chats/{name}"
    ids = [f"m{at}" for at in range(SEED)]
    etag = send("post", "/api/chats", {"id": name, "messages": [make_message(uid) for uid in ids]}, 201)["ETag"]
    writes, deadline = 1, time.monotonic() + seconds
    while time.monotonic() < deadline:
        title = f"{name} {writes}"
        new = f"{name}-{writes}"
        etag = send("post", f"{path}/messages", make_message(new, title), 201)["ETag"]
        etag = send("put", f"{path}/messages/{ids[0]}", make_message(ids[0], title), 200)["ETag"]
        etag = send("delete", f"{path}/messages/{ids[1]}", None, 204)["ETag"]
        ids = [ids[0], *ids[2:], new]
        etag = send("patch", path, {"userTitle": title}, 200)["ETag"]
        chat = client.get(path).json()
        etag = send("put", path, chat | {"systemPurposeId": f"Custom {writes}"}, 200)["ETag"]
        writes += 5
    chat = client.get(path).json()
    assert [message["id"] for message in chat["messages"]] == ids
    return {"name": name, "writes": writes, "ids": ids, "title": chat.get("userTitle"), "etag": etag}


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "bigagi_site.settings"
    django.setup()
    sys.stdout.write(json.dumps(write(sys.argv[1], float(sys.argv[2]))))
