"""What holds for every route of the API: the URL configuration itself is walked, so that no new one is forgotten."""

import base64
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from drf_spectacular.generators import SchemaGenerator

from bigagi_site.routes import is_waiting_path
from chats.assets import store_base64
from chats.models import Conversation, Generation
from stores.api.schema_walks import operations_of
from stores.api.viewsets import WritingViewSet
from stores.models import Change, MigrationRun, Revision, RunRecord, Secret
from stores.records import registry
from stores.records.jsontext import encode
from stores.records.sealing import Sealer
from tests.api import (
    make_asset,
    make_assignment,
    make_baseline,
    make_chat,
    make_file,
    make_folder,
    make_message,
    make_model,
    make_service,
    make_store,
    make_workspace,
    read_problem,
    sign_in,
)
from tests.metrics.events import make_event
from tests.nightly import by_day
from tests.routes import WRITING, api_routes

KEY = "sk-Seeded0123456789abcdefghWXYZ"
ROUTES = [route for route in api_routes() if route.path != "/api/health"]
SPECIAL = [
    "/api/stores/app-chats",
    "/api/stores/app-models",
    "/api/nowhere",
    "/api/migrations/1/report?format=markdown",
]

PATHS = sorted({route.path for route in ROUTES} | set(SPECIAL))
# Events stream out of the event loop, which only a real server has.
STREAMED = {"/api/generations/one/events", "/api/migrations/1/events"}
RECORDS = sorted(
    {route.path for route in ROUTES if route.methods and "GET" in route.methods}.union(SPECIAL)
    - {"/api/nowhere", *STREAMED}
)


@pytest.fixture
def seed(settings, tmp_path):
    """Store one record of each kind, each with a secret where it can have one."""
    settings.ASSETS_DIR = tmp_path / "assets"
    held = store_base64([base64.b64encode(KEY.encode()).decode()])
    secret = {"apiKey": KEY, "odd": {"accessToken": KEY}, "text": f"my key is {KEY}, see"}
    persona = {"id": "one", "systemPrompt": f"my key is {KEY}"}
    make_store("app-app-personas", {"state": {"simplePersonas": [persona]}, "version": 1})
    messages = [make_message("m0", f"my key is {KEY}", metadata=secret)]
    make_chat("one", messages=messages, systemPurposeId="one", **secret)
    make_folder("one", conversationIds=["one"], **secret)
    make_service("one", setup={"oaiKey": KEY, "oaiHost": f"https://me:{KEY}@host/?k={KEY}"}, **secret)
    make_model("one", **secret)
    make_assignment("one", **secret)
    make_baseline("one", **secret)
    make_workspace("one", ("one",))
    make_file("one", content=f"my key is {KEY}", **secret)
    make_store("one", {"state": secret, "version": 1})
    make_asset("one", held=held)
    MigrationRun.objects.create(
        pk=1, phases=[], counts={}, errors=[], notes=[], pid=1, status="done", source_name="backup.json"
    )
    sealer = Sealer()
    delta = encode([[["metadata"], "set", [], [sealer.seal(secret)]]])
    sealer.save()
    decided = {"kind": "conversation", "uid": "one", "outcome": "merged", "difference": delta}
    RunRecord.objects.create(pk=1, run_id=1, **decided)
    MigrationRun.objects.update(purpose="preview")
    Revision.objects.create(pk=1, kind="conversation", uid="one", reason="source", body='{"id": "one"}', size=13)
    Change.objects.create(pk=1, source=Change.Source.API, action="create chat")
    make_event(pk=1, conversation="one")
    chat = Conversation.objects.get(uid="one")
    Generation.objects.create(
        uid="one",
        conversation=chat,
        message_uid="m0",
        status=Generation.Status.DONE,
        start_message={},
        lease_until=0,
        started=1,
    )


def test_the_walk_finds_the_routes():
    assert len(PATHS) > 30
    assert {"/api/chats", "/api/chats/one/messages/m0", "/api/assets/one/content", "/api/schema"} <= set(PATHS)


@pytest.mark.django_db
@pytest.mark.parametrize("path", by_day(RECORDS, each=2))
def test_every_route_answers_with_and_without_a_slash(seed, path):
    client = sign_in()
    name, _, query = path.partition("?")
    for address in (path, f"{name}/{'?' * bool(query)}{query}"):
        answer = client.get(address)
        assert answer.status_code == 200, answer.getvalue()
        assert answer["X-Request-ID"]
        assert re.search("no-cache|no-store|immutable", answer["Cache-Control"])


@pytest.mark.django_db
@pytest.mark.parametrize("path", by_day(RECORDS, each=2, start=1))
def test_reading_writes_nothing(seed, path):
    client = sign_in()
    with CaptureQueriesContext(connection) as queries:
        client.get(path).getvalue()
    # PostgreSQL reads long lists by a cursor, which is declared.
    assert {query["sql"].split()[0] for query in queries} - {"DECLARE"} == {"SELECT"}


@pytest.mark.django_db
@pytest.mark.parametrize("route", [route for route in ROUTES if route.methods and len(route.methods) > 1], ids=str)
def test_a_method_that_a_route_does_not_have_is_told_so(seed, route):
    client = sign_in()
    for method in sorted({"GET", *WRITING} - route.methods):
        answer = client.generic(method, route.path, b"{}", content_type="application/json")
        read_problem(answer, 405)
        assert set(answer["Allow"].split(", ")) >= route.methods - {"OPTIONS"}


def test_every_route_that_takes_a_post_knows_idempotency_keys():
    for route in ROUTES:
        if route.methods and "POST" in route.methods:
            assert issubclass(route.view.cls, WritingViewSet), route


@pytest.mark.django_db
def test_unknown_members_are_refused_where_a_body_is_not_big_agis(seed):
    client, schema = sign_in(), SchemaGenerator().get_schema(request=None, public=True)
    own = 0
    for path, method, operation in operations_of(schema):
        content = operation.get("requestBody", {}).get("content", {"application/json": {"schema": {}}})
        is_own = path not in ("/api/migrations", "/api/stores", "/api/stores/{name}")
        if method not in ("post", "put", "patch") or "application/json" not in content or not is_own:
            continue
        shape = content["application/json"]["schema"]
        shape = schema["components"]["schemas"].get(shape.get("$ref", "").rpartition("/")[2], shape)
        if "additionalProperties" in shape and shape["additionalProperties"] is not False:
            continue
        address = path.replace("{number}", "1").replace("changes/{id}", "changes/1")
        address = address.replace("migrations/{id}", "migrations/1")
        address = re.sub(r"\{\w+\}", "one", address)
        problem = read_problem(getattr(client, method)(address, {"odd": 1}, content_type="application/json"), 400)
        assert problem["errors"][0]["pointer"] == "/odd", (method, path)
        own += 1
    assert own > 15


@pytest.mark.django_db
@pytest.mark.parametrize("path", [path for path in RECORDS if not path.endswith("/assets/one/content")])
def test_no_answer_holds_a_secret(seed, path):
    assert Secret.objects.exists()
    client = sign_in()
    body = client.get(path).getvalue()
    assert KEY.encode() not in body
    assert b"bigagi-secret:ref:" not in body
    if re.search(
        r"/(?:chats/one|messages|services|llms|folders|personas|stores/one|files/one|assignments)\b|/metrics$", path
    ):
        assert b"bigagi-secret:WXYZ" in body or path.endswith(("revisions", "cost", "parameters"))


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nowhere", "/api/chats/a/b/c", "/api/%ff", "/api/migrations/x"])
def test_an_unknown_route_is_a_problem(path):
    problem = read_problem(sign_in().get(path), 404)
    assert problem["type"] == "/api/docs/troubleshooting#not-found"
    assert problem["instance"].startswith("/api")


@pytest.mark.django_db
def test_an_unforeseen_error_is_told_without_its_details(monkeypatch):
    client = sign_in()
    client.raise_request_exception = False
    monkeypatch.setattr("metrics.views.totals.read_totals", lambda: 1 / 0)
    problem = read_problem(client.get("/api/metrics"), 500)
    assert "ZeroDivision" not in str(problem)
    assert "log" in problem["detail"]


@pytest.mark.django_db
def test_errors_before_the_view_are_problems_too():
    problem = read_problem(sign_in().get("/api/chats", headers={"Host": "evil.example"}), 400)
    assert problem["instance"] == "/api/chats"


@pytest.mark.django_db
def test_what_cannot_be_given_is_not_acceptable():
    read_problem(sign_in().get("/api/chats", headers={"Accept": "text/html"}), 406)
    assert sign_in(username="two").get("/api/chats", headers={"Accept": "text/html, */*;q=0.1"}).status_code == 200


@pytest.mark.django_db
def test_the_clients_request_id_is_kept_if_it_is_harmless():
    client = sign_in()
    assert client.get("/api/chats", headers={"X-Request-ID": "trace-1"})["X-Request-ID"] == "trace-1"
    assert read_problem(client.get("/api/x", headers={"X-Request-ID": "trace-1"}), 404)["request_id"] == "trace-1"
    for bad in ("a b", "x" * 65, "<script>", ""):
        given = client.get("/api/chats", headers={"X-Request-ID": bad})["X-Request-ID"]
        assert re.fullmatch(r"[0-9a-f-]{36}", given)


@pytest.mark.django_db
def test_the_schema_describes_every_route():
    schema = sign_in().get("/api/schema").json()
    described = {re.sub(r"\{\w+\}", "x", path) for path in schema["paths"]}
    for path in RECORDS:
        plain = re.sub(r"(?<=/)(?:one|m0|1|app-\w+|(?<=provenance/)conversation)(?=/|$)", "x", path.partition("?")[0])
        assert plain in described or plain.startswith(("/api/schema", "/api/insomnia", "/api/docs")), path
    assert "Problem" in schema["components"]["schemas"]


def test_streams_keep_no_small_request_waiting():
    for spec in registry.all_specs():
        if spec.collections:
            assert is_waiting_path(f"/api/stores/{spec.name}"), spec.name
    assert is_waiting_path("/api/assets/~YS9i/content/")
    assert not is_waiting_path("/api/chats")
