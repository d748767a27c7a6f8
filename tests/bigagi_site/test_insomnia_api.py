"""The collection for Insomnia works as it is: each request against a live server, in its order, and once more."""

import json
import re

import pytest
from openapi_schema_validator import OAS31Validator

from stores.api.schema_walks import operations_of
from tests.api import sign_in, stored
from tests.insomnia import Runner

pytestmark = pytest.mark.any_database


@pytest.fixture(scope="module")
def token(server):
    return server.manage("create_token", "insomnia").stdout.strip()


@pytest.fixture(scope="module")
def documents(server):
    client = server.sign_in()
    return client.get("/api/insomnia.json").json(), client.get("/api/schema").json()


def operation_of(schema, answer):
    """Return the description of the operation that a request calls."""
    path = re.sub(r"\{\{.*?\}\}|\?.*", "", answer.request["url"])
    path = re.sub(r"\{%.*?%\}", "x", path)
    found = [
        (template.count("{"), operation)
        for template, method, operation in operations_of(schema)
        if method == answer.request["method"].lower()
        and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", re.escape(template).replace(r"\{", "{").replace(r"\}", "}")), path)
    ]
    return min(found, key=lambda each: each[0])[1]


def test_every_operation_is_in_it(documents):
    collection, schema = documents
    calls = {
        (each["method"], re.sub(r"\{%.*?%\}", "x", each["url"].removeprefix("{{ _.base_url }}")))
        for each in collection["resources"]
        if each["_type"] == "request"
    }
    for template, method, _ in operations_of(schema):
        pattern = "/".join("[^/]+" if "{" in part else re.escape(part) for part in template.split("/"))
        assert any(verb == method.upper() and re.fullmatch(pattern, path) for verb, path in calls), (method, template)


def test_it_has_a_folder_an_app_and_an_environment(documents, server):
    collection, schema = documents
    kinds = {kind: [each for each in collection["resources"] if each["_type"] == kind] for kind in ("request_group",)}
    apps = {operation["x-app"] for *_, operation in operations_of(schema)}
    assert {each["name"] for each in kinds["request_group"]} == apps
    [environment] = [each for each in collection["resources"] if each["_type"] == "environment"]
    assert environment["data"] == {"base_url": server.url, "token": ""}
    ids = [each["_id"] for each in collection["resources"]]
    assert len(ids) == len(set(ids))
    assert {each["parentId"] for each in collection["resources"]} - {None} <= set(ids)


@pytest.mark.parametrize("time", ["first", "second"])
def test_it_runs_request_by_request(documents, token, time):
    collection, schema = documents
    failed = []
    for answer in Runner(collection, token=token).run():
        name = f"{answer.request['method']} {answer.url}"
        if answer.url.endswith("/resume") and answer.status == 409:
            # Nothing in the walk is broken off.
            continue
        if not 200 <= answer.status < 300:
            failed.append(f"{answer.status} {name}: {answer.body[:300]!r}")
            continue
        described = operation_of(schema, answer)["responses"].get(str(answer.status))
        if described is None:
            failed.append(f"{name}: {answer.status} is not described")
            continue
        content = described.get("content", {})
        kind = (answer.headers["Content-Type"] or "").partition(";")[0]
        if answer.body and not {kind, re.sub("/.*", "/*", kind)} & set(content):
            failed.append(f"{name}: {kind} is not described")
        elif kind == "application/json":
            shape = OAS31Validator({"components": schema["components"], **content[kind]["schema"]})
            errors = shape.iter_errors(json.loads(answer.body))
            failed += [f"{name}: {error.json_path}: {error.message[:200]}" for error in errors]
    assert not failed, "\n".join(failed)


def test_it_leaves_nothing_behind(documents, server):
    client = server.sign_in()
    for path in ("chats", "folders", "assets", "services", "assignments", "files", "workspace"):
        assert stored(client.get(f"/api/{path}").json()["results"]) == [], path
    assert stored(client.get("/api/llms").json()["llms"]) == []
    assert "example-store" not in [store["name"] for store in client.get("/api/stores").json()["results"]]


@pytest.mark.django_db
def test_it_is_a_file_to_download():
    answer = sign_in().get("/api/insomnia.json")
    assert answer["Content-Disposition"] == 'attachment; filename="bigagi-insomnia.json"'
    assert answer.json()["__export_format"] == 4
