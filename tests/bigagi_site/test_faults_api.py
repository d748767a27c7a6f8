"""Each fault of the disk and the database at each write of each route: it is named, says what is stored, and leaves no
half of it; once it is gone, the same request is carried out."""

import hashlib
import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from bigagi_site.models import SignInLink
from bigagi_site.services import create_sign_in_link
from stores.records import faults
from stores.records.commits import Stored
from tests.api import make_message
from tests.bigagi_site.faults import UNDER_FAULTS
from tests.bigagi_site.test_route_server_api import PNG
from tests.faulty_database import ERRORS, ROLLS_BACK, Plan
from tests.nightly import IS_NIGHT, by_day
from tests.providers import run_provider
from tests.routes import api_routes

FAULTS = {fault.kind: fault for fault in vars(faults).values() if isinstance(fault, faults.Fault)}
NOT_HERE = {
    # Through the event loop or a thread of its own, in a server: tests/chats/test_fault_streams.py and
    # tests/bigagi_site/test_full_disk.py.
    *(("POST", "/api/chats/one/generate"), ("POST", "/api/generations/one/stop"), ("POST", "/api/test-ai")),
    *(("POST", "/api/migrations"), ("POST", "/api/migrations/1/run")),
    # Runs: tests/stores/test_import_damaged_files.py, test_import_resumed.py and test_import_undo_killed.py.
    *(("POST", "/api/migrations/1/resume"), ("POST", "/api/migrations/1/undo"), ("DELETE", "/api/migrations/1")),
    # It reads a document in a process of its own, and stores nothing.
    ("POST", "/api/documents/text"),
    # With a provider: the test below.
    *(("POST", "/api/services/one/refresh"), ("POST", "/api/services/one/test")),
}
MODEL = {"id": "one", "label": "One", "sId": "one", "vId": "openai", "hidden": False}
CHAT = {"id": "one", "messages": [make_message("m0")]}
FILE = {"id": "one", "name": "notes.txt", "content": "Hello"}
WALK: list[tuple[str, str, Any]] = [
    ("POST", "chats", CHAT),
    ("PUT", "chats/one", CHAT | {"userTitle": "Put"}),
    ("PATCH", "chats/one", {"userTitle": "Patched"}),
    ("POST", "chats/one/messages", make_message("m1")),
    ("PUT", "chats/one/messages/m1", make_message("m1", "Changed")),
    ("DELETE", "chats/one/messages/m1", None),
    ("POST", "chats/one/branch", {"messageId": "m0"}),
    ("PUT", "chats/one/system-prompt", {"text": "Be brief."}),
    ("DELETE", "chats/one/system-prompt", None),
    ("POST", "personas", {"id": "one", "name": "One", "systemPrompt": "You are One."}),
    ("PATCH", "personas/one", {"name": "Patched"}),
    ("POST", "personas/one/copy", {}),
    ("DELETE", "personas/one", None),
    ("POST", "chats/bulk", {"action": "archive", "ids": ["one"]}),
    ("POST", "folders", {"id": "one", "title": "Work", "conversationIds": []}),
    ("POST", "folders", {"id": "two", "title": "More", "conversationIds": []}),
    ("PUT", "folders/order", {"ids": ["two", "one"]}),
    ("PUT", "folders/one", {"id": "one", "title": "Put", "conversationIds": []}),
    ("PATCH", "folders/one", {"title": "Patched"}),
    ("POST", "folders/one/chats", {"ids": ["one"]}),
    ("DELETE", "folders/one/chats/one", None),
    ("DELETE", "folders/one", None),
    ("POST", "services", {"id": "one", "label": "One", "vId": "openai", "setup": {"oaiKey": "sk-" + "x" * 40}}),
    ("PUT", "services/one", {"id": "one", "label": "Put", "vId": "openai", "setup": {}}),
    ("PATCH", "services/one", {"label": "Patched"}),
    ("DELETE", "services/one/refused", None),
    ("POST", "llms", {"llms": [MODEL]}),
    ("PUT", "llms/one", MODEL | {"label": "Put"}),
    ("PATCH", "llms/one", {"label": "Patched"}),
    ("PATCH", "llms/one/parameters", {"llmTemperature": 0.25}),
    ("PUT", "assignments/one", {"mct": "model-parametric", "domainId": "one", "modelId": "one"}),
    ("DELETE", "assignments/one", None),
    ("DELETE", "llms/one", None),
    ("DELETE", "services/one", None),
    ("DELETE", "llms?confirm=true", None),
    ("POST", "stores", {"name": "one", "state": {}, "version": 1}),
    ("PUT", "stores/one", {"state": {"changed": True}, "version": 1}),
    ("PATCH", "stores/one", {"state": {"more": True}}),
    ("POST", "stores/one/revisions/{revision}/restore", None),
    ("POST", "stores/init", None),
    ("POST", "changes/{change}/undo", {}),
    ("DELETE", "stores/one", None),
    ("POST", "assets", {"id": "one", "assetType": "image", "data": {"mimeType": "image/png", "base64": PNG}}),
    ("DELETE", "assets/one", None),
    ("POST", "files", FILE),
    ("PATCH", "files/one", {"name": "more.txt"}),
    ("PUT", "files/one/content", b"Written"),
    ("PUT", "workspace/one/files/one", {}),
    ("POST", "workspace/one/files", {"file": FILE | {"id": "two"}}),
    ("POST", "workspace/one/copy", {"to": "{branch}"}),
    ("POST", "workspace/one/import", None),
    ("DELETE", "workspace/one/files/one", None),
    ("DELETE", "files/two/workspaces", None),
    ("DELETE", "workspace/one", None),
    ("DELETE", "files/one", None),
    ("POST", "metrics", {"model": "one", "input_tokens": 5}),
    ("PUT", "metrics/budgets/all", {"nano_usd": 10**9}),
    ("DELETE", "metrics/budgets/all", None),
    ("DELETE", "metrics?confirm=true", None),
    ("DELETE", "chats/one?purge=true", None),
]
IN_PARTS = ("chats/bulk", "/refresh", "/test")
"""What can have stored a part: it works in batches, or waits for a provider and then keeps its answer apart."""
OF_REQUESTS = (
    "stores_idempotencykey",
    "django_session",
    "bigagi_site_statistic",
    "sqlite_sequence",
)
"""Tables of what a request leaves beside its records."""

pytestmark = UNDER_FAULTS


@pytest.fixture
def client(plan: Plan) -> Client:
    user = User.objects.create_superuser("owner", password="correct horse battery")
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def digest_rows() -> str:
    """Return a digest of all rows but those of requests."""
    digest = hashlib.sha256()
    with connection.cursor() as cursor:
        for table in sorted(set(connection.introspection.table_names(cursor)) - set(OF_REQUESTS)):
            cursor.execute(f'SELECT * FROM "{table}"')
            digest.update(repr((table, cursor.fetchall())).encode())
    return digest.hexdigest()


class Walker:
    """Sends requests with a fault at their first write, at their second, and so on, until they are through."""

    def __init__(self, client: Client, plan: Plan) -> None:
        self.client, self.plan, self.met = client, plan, 0
        self.names: dict[str, Any] = {}

    def send(self, method: str, path: str, body: Any, key: str) -> Any:
        path = path.format(**self.names)
        if isinstance(body, dict) and body.get("to"):
            body = {"to": body["to"].format(**self.names)}
        kind = "application/octet-stream" if isinstance(body, bytes) else "application/json"
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        headers = {"Idempotency-Key": key} if method == "POST" else {}
        return self.client.generic(method, f"/api/{path}", content, content_type=kind, headers=headers)

    def walk(self, kind: str, method: str, path: str, body: Any, key: str) -> Any:
        before = digest_rows()
        # The kinds differ in their words alone, but for those where SQLite may end the transaction itself.
        step = 1 if kind == ROLLS_BACK[0] or IS_NIGHT else 3 if kind in ROLLS_BACK else 5
        for at in range(1, 200, step):
            self.plan.arm(kind, at)
            answer = self.send(method, path, body, key)
            self.plan.take_back()
            if not self.plan.is_met:
                assert 200 <= answer.status_code < 300, (method, path, answer.getvalue()[:1000])
                return answer
            self.met += 1
            self.check(answer, FAULTS[kind], before, f"{method} {path}, write {at}")
        raise AssertionError("it never ends")

    def check(self, answer: Any, fault: faults.Fault, before: str, where: str) -> None:
        assert answer.status_code == fault.status, (where, answer.getvalue()[:1000])
        problem = json.loads(answer.content)
        assert problem["type"].endswith(f"#{fault.kind}"), (where, problem)
        assert fault.what in problem["detail"] and fault.remedy in problem["detail"], (where, problem)
        [stored] = [one for one in Stored if one in problem["detail"]]
        assert stored in (Stored.NOTHING, Stored.UNKNOWN, Stored.SOME), (where, problem)
        assert stored is not Stored.UNKNOWN or fault.leaves_doubt, (where, problem)
        # The harness lets no commit through that it fails.
        assert (digest_rows() != before) == (stored is Stored.SOME), (where, problem)
        assert stored is not Stored.SOME or any(path in where for path in IN_PARTS), (where, problem)


@pytest.mark.parametrize("kind", by_day(list(ERRORS), each=2))
def test_a_fault_at_any_write_of_a_route_is_named_and_leaves_nothing_half_done(client: Client, plan: Plan, kind: str):
    walker = Walker(client, plan)
    for number, (method, path, body) in enumerate(WALK):
        answer = walker.walk(kind, method, path, body, f"key-{number}")
        if "Bigagi-Change" in answer and path == "stores/init":
            walker.names["change"] = answer["Bigagi-Change"]
        if path.endswith("/branch"):
            walker.names["branch"] = json.loads(answer.getvalue())["id"]
        if path == "stores/one" and method == "PATCH":
            revisions = json.loads(client.get("/api/stores/one/revisions").getvalue())["results"]
            walker.names["revision"] = revisions[-1]["id"]
    assert walker.met > 2 * len(WALK)


@pytest.mark.parametrize("kind", by_day(["disk-full", "database-busy"], each=2))
def test_so_is_one_at_the_writes_of_what_a_provider_answered(client: Client, plan: Plan, kind: str):
    walker = Walker(client, plan)
    with run_provider() as provider:
        made = {"id": "one", "label": "One", "vId": "openai", "setup": provider.setup()}
        client.post("/api/services", made, content_type="application/json")
        walker.walk(kind, "POST", "services/one/refresh", None, "refresh")
        walker.walk(kind, "POST", "services/one/test", {}, "test")
    assert walker.met > 4


def test_the_walk_leaves_out_no_route_that_writes():
    walked = {(method, "/api/" + path.partition("?")[0]) for method, path, _ in WALK}
    samples = {"{revision}": "1", "{change}": "1", "m1": "m0", "budgets/all": "budgets/one", "files/two": "files/one"}
    for sample, one in samples.items():
        walked = {(method, path.replace(sample, one)) for method, path in walked}
    there = {(method, route.path) for route in api_routes() if route.methods for method in route.writing}
    assert there - walked == NOT_HERE


@pytest.mark.parametrize("kind", ERRORS)
def test_a_fault_on_a_page_is_named_there(client: Client, plan: Plan, kind: str):
    plan.arm(kind)
    fields = {"old_password": "correct horse battery"} | dict.fromkeys(
        ("new_password1", "new_password2"), "another one!"
    )
    for path, form in [("/account", fields), ("/account/tokens", {"name": "backup", "days": "30"})]:
        answer = client.post(path, form)
        assert answer.status_code == FAULTS[kind].status
        text = answer.getvalue().decode().replace("&#x27;", "'")
        assert FAULTS[kind].what in text and FAULTS[kind].remedy in text
        assert Stored.NOTHING in text or (FAULTS[kind].leaves_doubt and Stored.UNKNOWN in text)
    plan.take_back()
    assert client.login(username="owner", password="correct horse battery")


@pytest.mark.parametrize("kind", ["disk-full", "disk-error", "database-busy"])
def test_a_sign_in_link_stays_unused_until_the_session_is_stored(plan: Plan, kind: str):
    owner = User.objects.create_superuser("owner")
    address = create_sign_in_link(owner, "")
    for at in range(1, 50):
        stranger = Client(raise_request_exception=False)
        plan.arm(kind, at)
        answer = stranger.get(address)
        plan.take_back()
        if not plan.is_met:
            break
        assert answer.status_code == FAULTS[kind].status
        assert FAULTS[kind].what in answer.getvalue().decode().replace("&#x27;", "'")
        assert not SignInLink.objects.exclude(used_at=None).exists(), at
    assert answer.status_code == 302
    assert at > 4
    assert stranger.get("/account").status_code == 200
