"""The API's description: it is valid, says all that an operation can answer, and is made without a warning."""

import ast
import json
import re
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from bigagi_site.docs.examples import RECORDS
from bigagi_site.docs.steps import STEPS, bodies
from stores.api.schema_walks import operations_of
from tests.api import make_chat, make_message, read, sign_in

WRITES = ("post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def schema():
    return json.loads(json.dumps(SchemaGenerator().get_schema(request=None, public=True)))


def shape_of(schema, described):
    """Return the validator of a shape of the description."""
    return OAS31Validator({"components": schema["components"], **described})


def operations(schema):
    return [(f"{method.upper()} {path}", path, method, operation) for path, method, operation in operations_of(schema)]


def test_it_is_valid_openapi_3_1(schema):
    assert schema["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(schema).validate()


def test_it_is_made_without_a_warning():
    GENERATOR_STATS.reset()
    with redirect_stderr(StringIO()):
        SchemaGenerator().get_schema(request=None, public=True)
    assert not GENERATOR_STATS._warn_cache
    assert not GENERATOR_STATS._error_cache


def test_every_operation_tells_its_errors(schema):
    for name, path, method, operation in operations(schema):
        told = {int(status) for status in operation["responses"]}
        assert {400, 401, 403, 406, 429, 500} <= told, name
        assert 404 in told or "{" not in path, name
        assert method not in WRITES or {404, 409, 411, 413, 415} <= told, name
        for status in told:
            if status >= 400:
                content = operation["responses"][str(status)]["content"]
                assert content == {
                    "application/problem+json": {
                        "schema": {"$ref": "#/components/schemas/Problem"},
                        "example": RECORDS["Problem"],
                    }
                }, name
        headers = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "header"}
        assert ("If-Match" in headers) == (412 in told), name
        assert ("If-None-Match" in headers) == (304 in told), name
        is_kept = method == "post" and path not in ("/api/documents/text", "/api/test-ai")
        assert is_kept == ("Idempotency-Key" in headers) == (422 in told), name


def handlers():
    """Yield each method of a view that answers requests: where it is, the names of its decorators, its source."""
    for app in ("stores", "llms", "metrics", "workspace", "chats"):
        for path in [*Path(app).glob("views.py"), *Path(app).glob("views/*.py")]:
            text = path.read_text()
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef) and node.decorator_list:
                    calls = [each for each in node.decorator_list if isinstance(each, ast.Call)]
                    yield (
                        f"{path}: {node.name}",
                        {getattr(each.func, "id", "") for each in calls},
                        [ast.unparse(each) for each in calls],
                        "\n".join(ast.unparse(part) for part in node.body),
                    )


def test_what_can_be_made_conditional_says_so_and_nothing_else():
    found = list(handlers())
    assert len(found) > 30
    for name, decorators, calls, body in found:
        if "writes" in decorators:
            says = not any("if_match=False" in call for call in calls)
            assert says == ("get_precondition" in body), name
        elif "extend_schema" in decorators:
            assert "get_precondition" not in body and "is_known" not in body, name


def test_every_operation_says_what_it_does(schema):
    for name, _, _, operation in operations(schema):
        assert operation.get("description"), name
        assert operation.get("summary"), name
        assert operation["x-app"] in ("stores", "chats", "llms", "metrics", "workspace", "bigagi_site"), name


def test_every_path_says_how_an_id_stands_in_it(schema):
    for name, _, _, operation in operations(schema):
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "path" and "pattern" not in parameter["schema"]:
                assert parameter["schema"]["type"] == "integer" or "~YS9i" in parameter["description"], name


def test_every_body_has_an_example_that_is_right(schema):
    for name, _, _, operation in operations(schema):
        for kind, media in operation.get("requestBody", {}).get("content", {}).items():
            assert "example" in media or not kind.endswith("json"), f"{name}: no example in bigagi_site/docs/steps.py"
            if "example" in media:
                shape_of(schema, media["schema"]).validate(media["example"])


def test_the_examples_of_answers_are_right(schema):
    for name, record in RECORDS.items():
        shape_of(schema, {"$ref": f"#/components/schemas/{name}"}).validate(record)


def test_the_walk_knows_only_operations_that_exist(schema):
    known = {operation["operationId"] for *_, operation in operations(schema)}
    assert {step.operation for steps in STEPS.values() for step in steps} <= known
    assert set(bodies()) <= known


def test_records_take_unknown_members_and_give_what_is_stored(schema):
    shapes = schema["components"]["schemas"]
    sent, given = shapes["ConversationRequest"], shapes["Conversation"]
    assert sent["properties"]["userTitle"] == {"type": "string"}
    assert sent["required"] == ["messages"] and "_server" not in sent["properties"]
    assert sent["additionalProperties"] is given["additionalProperties"] is True
    assert "type" not in given["properties"]["userTitle"]
    assert shapes["PatchedConversationHeaderRequest"]["properties"]["userTitle"]["type"] == ["string", "null"]


@pytest.mark.django_db
def test_odd_records_do_not_break_their_shape(schema):
    odd = {"userTitle": 5, "created": "x", "updated": True, "tokenCount": None, "isArchived": [], "more": 1e400}
    make_chat("odd", messages=[make_message(tokenCount="many", userFlags=None)], **odd)
    client = sign_in()
    for path, shape in (
        ("/api/chats", "PaginatedConversationHeaderList"),
        ("/api/chats/odd", "Conversation"),
        ("/api/chats/odd/messages", "PaginatedMessageList"),
    ):
        shape_of(schema, {"$ref": f"#/components/schemas/{shape}"}).validate(read(client.get(path)))


@pytest.mark.django_db
def test_it_is_served_as_json_and_as_yaml():
    client = sign_in()
    assert read(client.get("/api/schema"))["openapi"].startswith("3.1")
    text = client.get("/api/schema", headers={"Accept": "application/yaml"}).getvalue().decode()
    assert re.match(r"openapi: ['\"]?3\.1", text)
