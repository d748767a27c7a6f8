"""Ids of any characters, on every route that takes one, by every verb, through the real server."""

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from stores.records.ids import RESERVED, encode_id
from tests.api import ODD_IDS, make_message
from tests.nightly import by_day
from tests.servers import Client, Server

pytestmark = pytest.mark.exhaustive

IDS = [
    *(*ODD_IDS, "-", "--help", "~~", "a//b", "/", "//", "::", "a/../b", "....", "%", "%7E", "+", "0", "null"),
    "\U0001f408" * 40,
]
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def forms(uid: str) -> list[str]:
    """Return all segments of a path that stand for the id: ours, encoded, and quoted where that is allowed."""
    encoded = "~" + base64.urlsafe_b64encode(uid.encode()).decode().rstrip("=")
    plain = [] if "/" in uid or uid in RESERVED or uid in (".", "..") or uid.startswith("~") else [quote(uid, safe="")]
    return list(dict.fromkeys([encode_id(uid), encoded, *plain]))


class Api:
    """A client that takes each write's answer, and each of an id's forms in turn."""

    def __init__(self, server: Server) -> None:
        self.client: Client = server.sign_in()
        self.turn = 0

    def send(self, method: str, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **headers}
        answer = self.client.request(method, f"/api/{path}", data, headers=headers)
        assert answer.status == status, f"{method} {path}: {answer.status} {answer.text[:1000]}"
        return answer

    def one(self, *segments: str) -> str:
        """Return the path of fixed words and ids in turn, the ids in one of their forms."""
        self.turn += 1
        chosen = (forms(part)[self.turn % len(forms(part))] if at % 2 else part for at, part in enumerate(segments))
        return "/".join(chosen)

    def all_forms(self, *segments: str) -> list[str]:
        """Return the paths with the last id in each of its forms, and its own."""
        last = len(segments) - 1 - (len(segments) % 2)
        return ["/".join([self.one(*segments[:last]), form, *segments[last + 1 :]]) for form in forms(segments[last])]

    def read(self, *segments: str) -> Any:
        """Return the JSON under the path, the same by every form of its last id, and without a trailing difference."""
        bodies = [self.send("GET", path + "/" * (at % 2)).body for at, path in enumerate(self.all_forms(*segments))]
        assert set(bodies) == {bodies[0]}
        return json.loads(bodies[0])

    def gone(self, *segments: str) -> None:
        """Check that there is nothing any more, by any form."""
        for path in self.all_forms(*segments):
            problem = self.send("GET", path, status=404)
            assert problem.headers["Content-Type"] == "application/problem+json"

    def create(self, kind: str, body: Any, *segments: str) -> Any:
        """Make a record, and check that its address leads to it."""
        answer = self.send("POST", kind, body, 201)
        place = answer.headers["Location"]
        assert place == f"/api/{'/'.join(encode_id(part) if at % 2 else part for at, part in enumerate(segments))}"
        assert self.client.get(place).json() == answer.json() == self.read(*segments)
        return answer.json()


@pytest.fixture(scope="module")
def api(server: Server) -> Api:
    return Api(server)


def listed(api: Api, kind: str, name: str = "id") -> set[str]:
    return {record[name] for record in api.send("GET", f"{kind}?page_size=200").json()["results"]}


def ids_from(start: int) -> pytest.MarkDecorator:
    """Return the ids of a walk: by day a sixth of them, so that each of them comes in one walk at least."""
    return pytest.mark.parametrize("uid", by_day(IDS, each=6, start=start), ids=ascii)


class TestEveryVerb:
    @ids_from(0)
    def test_chats(self, api: Api, uid: str) -> None:
        api.create("chats", {"id": uid, "messages": [make_message()]}, "chats", uid)
        api.send("POST", "chats", {"id": uid, "messages": []}, 409)
        assert uid in listed(api, "chats")
        api.send("PATCH", api.one("chats", uid), {"userTitle": "Cats"})
        chat = api.read("chats", uid)
        assert (chat["id"], chat["userTitle"], chat["_server"]["href"]) == (uid, "Cats", f"/api/chats/{encode_id(uid)}")
        api.send("PUT", api.one("chats", uid), chat | {"userTitle": "Dogs"})
        branch = api.send("POST", api.one("chats", uid, "branch"), {"messageId": "m0"}, 201).json()
        assert branch["autoTitle"] == "(1) Dogs"
        api.send("DELETE", api.one("chats", branch["id"]), status=204)
        bulk = api.send("POST", "chats/bulk", {"action": "archive", "ids": [uid]}).json()
        assert (bulk["changed"], bulk["missing"]) == (1, [])
        api.send("DELETE", api.one("chats", uid), status=204)
        api.gone("chats", uid)

    @ids_from(1)
    def test_messages(self, api: Api, uid: str) -> None:
        api.send("POST", "chats", {"id": uid, "messages": []}, 201)
        api.create(api.one("chats", uid, "messages"), make_message(uid), "chats", uid, "messages", uid)
        assert listed(api, api.one("chats", uid, "messages")) == {uid}
        message = make_message(uid, "World")
        api.send("PUT", api.one("chats", uid, "messages", uid), message)
        assert api.read("chats", uid, "messages", uid)["fragments"] == message["fragments"]
        branch = api.send("POST", api.one("chats", uid, "branch"), {"messageId": uid}, 201).json()
        api.send("DELETE", api.one("chats", branch["id"]), status=204)
        api.send("DELETE", api.one("chats", uid, "messages", uid), status=204)
        api.gone("chats", uid, "messages", uid)
        api.send("DELETE", api.one("chats", uid), status=204)

    @ids_from(2)
    def test_folders_and_chats_in_them(self, api: Api, uid: str) -> None:
        api.send("POST", "chats", {"id": uid, "messages": []}, 201)
        api.create("folders", {"id": uid, "title": "Work"}, "folders", uid)
        api.send("PATCH", api.one("folders", uid), {"title": "Play"})
        api.send("PUT", api.one("folders", uid), api.read("folders", uid) | {"color": "red"})
        api.send("PUT", "folders/order", {"ids": [uid]})
        api.send("POST", api.one("folders", uid, "chats"), {"ids": [uid]})
        assert api.read("folders", uid)["conversationIds"] == [uid]
        [chat] = api.send("GET", f"chats?folder={quote(uid, safe='')}").json()["results"]
        assert (chat["id"], chat["_server"]["folderIds"]) == (uid, [uid])
        api.send("DELETE", api.one("folders", uid, "chats", uid))
        assert api.read("folders", uid)["conversationIds"] == []
        api.send("DELETE", api.one("folders", uid), status=204)
        api.gone("folders", uid)
        api.send("DELETE", api.one("chats", uid), status=204)

    @ids_from(3)
    def test_assets(self, api: Api, uid: str) -> None:
        record = {"id": uid, "assetType": "image", "label": "Dot", "data": {"mimeType": "image/png", "base64": PNG}}
        api.create("assets", record, "assets", uid)
        for path in api.all_forms("assets", uid, "content"):
            assert api.send("GET", path).body == base64.b64decode(PNG)
        assert uid in listed(api, "assets")
        api.send("DELETE", api.one("assets", uid), status=204)
        api.gone("assets", uid)

    @ids_from(4)
    def test_stores_and_their_revisions(self, api: Api, uid: str) -> None:
        api.create("stores", {"name": uid, "state": {"a": 1}, "version": 1}, "stores", uid)
        api.send("PUT", api.one("stores", uid), {"state": {"a": 2}, "version": 1})
        api.send("PATCH", api.one("stores", uid), {"state": {"b": 3}})
        assert api.read("stores", uid)["state"] == {"a": 2, "b": 3}
        [*_, oldest] = api.read("stores", uid, "revisions")["results"]
        assert uid in listed(api, "stores", "name")
        for at, path in enumerate(api.all_forms("stores", uid, f"revisions/{oldest['id']}/restore")):
            api.send("POST", path)
            assert api.read("stores", uid)["state"] == {"a": 1}, at
        api.send("DELETE", api.one("stores", uid), status=204)
        api.gone("stores", uid)

    @ids_from(5)
    def test_services_models_and_assignments(self, api: Api, uid: str) -> None:
        service = {"id": uid, "label": "Mine", "vId": "openai", "setup": {}}
        api.create("services", service, "services", uid)
        api.send("PATCH", api.one("services", uid), {"label": "Yours"})
        api.send("PUT", api.one("services", uid), api.read("services", uid) | {"label": "Ours"})
        assert api.read("services", uid)["label"] == "Ours"

        model = {"id": uid, "label": "GPT", "sId": uid, "vId": "openai", "hidden": False}
        api.send("POST", "llms", {"llms": [model]})
        api.send("PATCH", api.one("llms", uid), {"userLabel": "Mine"})
        api.send("PUT", api.one("llms", uid), api.read("llms", uid) | {"hidden": True})
        assert api.read("llms", uid)["userLabel"] == "Mine"

        assignment = {"mct": "model-parametric", "domainId": uid, "modelId": uid}
        api.send("PUT", api.one("assignments", uid), assignment, 201)
        api.send("PUT", api.one("assignments", uid), api.read("assignments", uid))
        whole = api.send("GET", "llms").json()
        assert uid in {found["id"] for found in whole["llms"]} & {found["id"] for found in whole["services"]}
        assert whole["assignments"][uid]["modelId"] == uid

        api.send("DELETE", api.one("assignments", uid), status=204)
        api.gone("assignments", uid)
        api.send("DELETE", api.one("llms", uid), status=204)
        api.gone("llms", uid)
        api.send("DELETE", api.one("services", uid), status=204)
        api.gone("services", uid)

    @ids_from(6)
    def test_files_and_workspaces(self, api: Api, uid: str) -> None:
        file = {"id": uid, "name": "notes.txt", "type": "text/plain", "content": "Hello"}
        api.create("files", file, "files", uid)
        api.send("PATCH", api.one("files", uid), {"name": "notes.md"})
        assert api.read("files", uid)["name"] == "notes.md"
        for at, path in enumerate(api.all_forms("files", uid, "content")):
            text = f"Hello {at}".encode()
            written = api.client.request("PUT", f"/api/{path}", text, headers={"Content-Type": "text/plain"})
            assert written.status == 200, written.text[:1000]
            assert api.send("GET", path).body == text
        assert uid in listed(api, "files")

        api.send("PUT", api.one("workspace", uid, "files", uid))
        api.send("POST", api.one("workspace", uid, "files"), {"ids": [uid]})
        assert api.read("workspace", uid)["file_ids"] == [uid]
        assert [found["id"] for found in api.read("workspace", uid, "files")["results"]] == [uid]
        assert api.send("POST", api.one("workspace", uid, "copy"), {"to": f"{uid[:190]}-2"}).json()["file_ids"] == [uid]
        api.send("DELETE", api.one("workspace", uid, "files", uid))
        assert api.read("workspace", uid)["file_ids"] == []
        api.send("DELETE", api.one("files", uid, "workspaces"), status=204)
        assert api.read("workspace", f"{uid[:190]}-2")["file_ids"] == []
        for name in (uid, f"{uid[:190]}-2"):
            api.send("DELETE", api.one("workspace", name), status=204)
            api.gone("workspace", name)
        api.send("DELETE", api.one("files", uid), status=204)
        api.gone("files", uid)
