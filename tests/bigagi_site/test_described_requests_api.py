"""What the API's description allows and forbids, where a generic client stumbled once."""

import pytest

from chats.models import Conversation
from stores.api.schema_walks import operations_of
from tests.api import make_chat, make_folder, read, read_problem, sign_in
from tests.bigagi_site.test_openapi_api import schema

__all__ = ["schema"]
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "path",
    [
        "/api/chats?cursor=&page_size=&ordering=&count=&archived=&folder=&title=&updated_after=",
        "/api/changes?after=&source=&since=&until=&kind=",
        "/api/requests?status=&slower_than_ms=&until=",
        "/api/stores?cursor=&count=",
    ],
)
def test_an_empty_parameter_of_a_list_is_not_given(path):
    client = sign_in()
    make_chat()
    bare = read(client.get(path.partition("?")[0]))
    assert read(client.get(path))["results"] == bare["results"]


@pytest.mark.parametrize("query", ["changes?after=0.5", "requests?status_min=399.5", "requests?status_min=-1"])
def test_a_filter_by_whole_numbers_takes_no_others(query):
    problem = read_problem(sign_in().get(f"/api/{query}"), 400)
    assert problem["errors"][0]["pointer"] in ("?after", "?status_min")


def test_what_is_not_there_does_not_say_which_methods_it_allows():
    answer = sign_in().options("/api/stores/app-ui/revisions/-1/restore")
    assert answer.status_code == 404
    assert "Allow" not in answer


def test_a_patch_that_removes_a_folders_list_of_chats_empties_it():
    client = sign_in()
    make_folder(conversationIds=["chat"])
    answer = client.patch("/api/folders/folder", {"conversationIds": None}, content_type="application/json")
    assert read(answer)["conversationIds"] == []


def test_spaces_at_the_ends_of_an_id_belong_to_it():
    client = sign_in()
    for at, uid in enumerate((" a ", "a", " ")):
        make_chat(uid, at)
        make_folder(uid, at)
    answer = client.put("/api/folders/order", {"ids": [" ", "a", " a "]}, content_type="application/json")
    assert read(answer)["ids"] == [" ", "a", " a "]
    done = client.post("/api/chats/bulk", {"action": "delete", "ids": [" a "]}, content_type="application/json")
    assert read(done)["matched"] == 1
    assert set(Conversation.objects.values_list("uid", flat=True)) == {"a", " "}


@pytest.mark.parametrize("body", [{"ids": [0]}, {"ids": ["chat"], "folder": 0}])
def test_a_number_is_no_id(body):
    client = sign_in()
    make_chat("0")
    answer = client.post("/api/chats/bulk", {"action": "move", "folder": None} | body, content_type="application/json")
    assert read_problem(answer, 400)["errors"][0]["pointer"] in ("/ids/0", "/folder")


def test_every_parameter_has_a_type_and_the_export_has_the_filters_of_the_list(schema):
    for path, _, operation in operations_of(schema):
        for each in operation.get("parameters", ()):
            assert "type" in each["schema"], (path, each["name"])
    named = [
        {each["name"] for each in schema["paths"][path]["get"]["parameters"]}
        for path in ("/api/chats", "/api/chats/export")
    ]
    assert named[0] - named[1] == {"cursor", "page_size", "ordering", "count"}


def test_links_lead_to_operations_with_all_that_these_need(schema):
    operations = {operation["operationId"]: operation for *_, operation in operations_of(schema)}
    seen = set()
    for *_, operation in operations_of(schema):
        for answer in operation["responses"].values():
            for link in answer.get("links", {}).values():
                parameters = operations[link["operationId"]]["parameters"]
                needed = {f"path.{each['name']}" for each in parameters if each["in"] == "path"}
                assert set(link["parameters"]) == needed
                seen.add(link["operationId"])
    for name in ("chats", "chats_messages", "folders", "services", "llms", "assignments", "stores", "workspace"):
        assert f"{name}_destroy" in seen
    assert {"changes_undo_create", "files_content_update", "stores_revisions_restore_create"} <= seen
