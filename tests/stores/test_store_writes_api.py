"""Stores made, replaced, patched, deleted and restored over the API, each change in the journal and undone by it."""

import json

import pytest

from stores.models import Change, ChangedRecord, Quarantine, Revision, Store
from stores.records.jsontext import decode, same
from tests.api import make_chat, make_folder, make_message, make_service, make_store, read, read_problem, sign_in
from tests.nightly import by_day
from tests.stores.imports import bring_in_store, import_path

pytestmark = pytest.mark.django_db

KEY = "sk-abcdefghijklmnopqrstuvwxyz0123456789"

CHATS = {
    "state": {
        "conversations": [
            {"id": "a", "messages": [make_message("m0", "Hello")], "created": 1, "updated": None},
            {"id": "b", "messages": [make_message("m0", "World")], "created": 2, "updated": 3, "odd": 1e400},
        ]
    },
    "version": 4,
}
FOLDERS = {
    "state": {
        "folders": [
            {"id": "f", "title": "F", "conversationIds": ["a", "b"]},
            {"id": "g", "title": "G", "conversationIds": [], "color": "#fff"},
        ],
        "enableFolders": True,
    },
    "version": 0,
}
MODELS = {
    "state": {
        "llms": [{"id": "openai-gpt", "label": "GPT", "sId": "openai", "vId": "openai", "hidden": False}],
        "sources": [{"id": "openai", "label": "OpenAI", "vId": "openai", "setup": {"oaiKey": KEY}}],
        "confServiceId": None,
        "modelAssignments": {"primaryChat": {"mct": "model-parametric", "domainId": "primaryChat", "modelId": "x"}},
    },
    "version": 5,
}
METRICS = {"state": {"serviceMetrics": {"openai": {"usageCount": 1}, "odd": None}}, "version": 0}
WORKSPACE = {"state": {"liveFilesByWorkspace": {"a": ["f1", "f2"], "b": []}}, "version": 0}
FILES = {"state": {"liveFiles": {"f1": {"id": "f1", "name": "n", "content": "text", "size": 4}}}, "version": 0}
RELATIONAL = {
    "app-chats": CHATS,
    "app-folders": FOLDERS,
    "app-models": MODELS,
    "app-metrics": METRICS,
    "agi-client-workspace": WORKSPACE,
    "agi-live-file": FILES,
}


def send(client, method, path, body=None, status=200, **headers):
    text = "" if body is ... else json.dumps(body).replace("Infinity", "1e400")
    answer = getattr(client, method)(path, text, content_type="application/json", headers=headers)
    assert answer.status_code == status, answer.getvalue()[:2000]
    return answer


def give(client, name):
    """Return the store and its ETag."""
    answer = client.get(f"/api/stores/{name}")
    assert answer.status_code == 200, answer.getvalue()[:500]
    return decode(answer.getvalue().decode()), answer["ETag"]


def undo(client, answer, status=201):
    return send(client, "post", f"/api/changes/{answer['Bigagi-Change']}/undo", {}, status)


def assert_unchanged(client, name):
    """Put what is given, and see that nothing was written."""
    value, etag = give(client, name)
    changes = Change.objects.count()
    answer = send(client, "put", f"/api/stores/{name}", value)
    assert "Bigagi-Change" not in answer, [
        (record.kind, record.uid, record.action, record.body) for record in ChangedRecord.objects.order_by("-id")[:5]
    ]
    assert answer["ETag"] == etag and Change.objects.count() == changes
    assert same(decode(answer.getvalue().decode()), value)
    assert same(give(client, name)[0], value)


# --- made ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ({"state": {"a": None}, "version": 3}, {"state": {"a": None}, "version": 3}),
        ({"state": None}, {"state": None}),
        ({"state": {}, "version": 1, "odd": [1]}, {"state": {}, "version": 1, "odd": [1]}),
        ({"value": "bare \ud800"}, "bare \ud800"),
        ({"value": {"no": "envelope"}}, {"no": "envelope"}),
        ({"value": None}, None),
    ],
)
def test_a_store_is_made_and_given_as_it_came(body, value):
    client = sign_in()
    made = send(client, "post", "/api/stores", {"name": "a/b", **body}, 201)
    assert made["Location"] == "/api/stores/~YS9i"
    given, etag = give(client, "~YS9i")
    assert same(given, value) and same(made.json(), value) and made["ETag"] == etag
    read_problem(send(client, "post", "/api/stores", {"name": "a/b", **body}, 409), 409)
    assert_unchanged(client, "~YS9i")
    undo(client, made)
    read_problem(client.get("/api/stores/~YS9i"), 404)


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        {"name": "x"},
        {"name": 5, "state": {}},
        {"name": "", "state": {}},
        {"name": "x", "state": {}, "value": 1},
        {"name": "x", "value": 1, "version": 1},
        {"name": "x", "state": {}, "version": "1"},
        {"name": "app-chats", "value": 1},
        {"name": "app-chats", "state": []},
        {"name": "app-chats", "state": {"conversations": {}}},
        {"name": "app-folders", "state": {"folders": []}, "version": 7},
        {"name": "app-metrics", "state": {"serviceMetrics": []}},
    ],
)
def test_what_is_no_store_is_not_made(body):
    client = sign_in()
    read_problem(send(client, "post", "/api/stores", body, 400), 400)
    assert not Store.objects.exists() and not Change.objects.exists()


def test_an_unknown_member_of_a_new_store_is_pointed_at():
    answer = send(sign_in(), "post", "/api/stores", {"name": "x", "value": 1, "a/b~c": 1}, 400)
    assert read_problem(answer, 400)["errors"][0]["pointer"] == "/a~1b~0c"


@pytest.mark.parametrize("name", RELATIONAL)
def test_a_store_of_rows_is_made_and_taken_back(name):
    client = sign_in()
    made = send(client, "post", "/api/stores", {"name": name, **RELATIONAL[name]}, 201)
    given, etag = give(client, name)
    expected = json.loads(json.dumps(RELATIONAL[name]).replace(KEY, "bigagi-secret:6789").replace("Infinity", "1e400"))
    assert same(given, expected) and etag == made["ETag"]
    assert_unchanged(client, name)
    undo(client, made)
    read_problem(client.get(f"/api/stores/{name}"), 404)


def test_reading_makes_nothing():
    client = sign_in()
    for name in RELATIONAL:
        read_problem(client.get(f"/api/stores/{name}"), 404)
        read_problem(send(client, "put", f"/api/stores/{name}", RELATIONAL[name], 404), 404)
        read_problem(send(client, "patch", f"/api/stores/{name}", {}, 404), 404)
        read_problem(send(client, "delete", f"/api/stores/{name}?confirm=true", status=404), 404)
    assert not Store.objects.exists() and not Change.objects.exists()


def test_missing_default_stores_are_made_and_those_here_are_left_alone():
    client = sign_in()
    make_store("app-ui", {"state": {"mine": 1}, "version": 3})
    make_folder()
    answer = send(client, "post", "/api/stores/init", ...)
    assert answer.json()["made"] == ["app-ux-labs", "app-device", "app-metrics", "agi-client-workspace"]
    assert give(client, "app-ui")[0] == {"state": {"mine": 1}, "version": 3}
    assert len(give(client, "app-device")[0]["state"]["localDeviceId"]) == 10
    again = send(client, "post", "/api/stores/init", ...)
    assert again.json()["made"] == [] and "Bigagi-Change" not in again
    undo(client, answer)
    assert list(Store.objects.values_list("name", flat=True)) == ["app-ui"]


# --- replaced --------------------------------------------------------------------------------------------------------


def test_a_store_is_replaced_and_restored():
    client = sign_in()
    make_store("app-ui", {"state": {"a": 1, "b": [1, 2]}, "version": 3})
    before, etag = give(client, "app-ui")
    assert_unchanged(client, "app-ui")
    changed = {"state": {"a": True, "b": [1, 3]}, "version": 3}
    answer = send(client, "put", "/api/stores/app-ui", changed, **{"If-Match": etag})
    assert answer["ETag"] != etag and same(answer.json(), changed) and same(give(client, "app-ui")[0], changed)
    problem = send(client, "put", "/api/stores/app-ui", before, 412, **{"If-Match": etag}).json()
    assert same(problem["current"], changed)
    [revision] = read(client.get("/api/stores/app-ui/revisions"))["results"]
    path = f"/api/stores/app-ui/revisions/{revision['id']}/restore"
    send(client, "post", path, ..., 412, **{"If-Match": etag})
    restored = send(client, "post", path, ...)
    assert same(restored.json(), before) and same(give(client, "app-ui")[0], before)
    undo(client, restored)
    undo(client, answer)
    assert same(give(client, "app-ui")[0], before)
    read_problem(send(client, "post", "/api/stores/app-ui/revisions/999999999999999999/restore", ..., 404), 404)


def test_an_old_version_is_converted_and_the_original_kept():
    client = sign_in()
    make_store("app-ui")
    answer = send(client, "put", "/api/stores/app-ui", {"state": {"enterToSend": False}, "version": 0})
    assert answer.json()["state"]["enterIsNewline"] is True and answer.json()["version"] == 3
    original = Revision.objects.get(kind="store", uid="app-ui", reason="original")
    assert decode(original.body) == {"state": {"enterToSend": False}, "version": 0}


def test_old_models_are_converted_and_the_original_kept_without_keys():
    client = sign_in()
    made = send(client, "post", "/api/stores", {"name": "app-models", **MODELS}, 201)
    old = {
        "state": {
            "llms": [{"id": "openai-gpt", "label": "GPT", "sId": "openai", "options": {"llmRef": "gpt"}, "tags": []}],
            "sources": MODELS["state"]["sources"],
        },
        "version": 1,
    }
    answer = send(client, "put", "/api/stores/app-models", old)
    given = decode(answer.getvalue().decode())
    assert given["version"] == 5 and given["state"]["llms"][0]["initialParameters"]["llmRef"] == "gpt"
    original = Revision.objects.get(kind="store", uid="app-models", reason="original")
    assert decode(original.body)["version"] == 1 and KEY not in original.body
    undo(client, answer)
    assert given["state"]["sources"][0]["setup"] == {"oaiKey": "bigagi-secret:6789"}
    path = f"/api/stores/app-models/revisions/{original.pk}/restore"
    read_problem(send(client, "post", path, ..., 409), 409)
    undo(client, made)


@pytest.mark.parametrize("body", [..., {}, [], None, {"no": "state"}, {"state": {}, "version": None}])
def test_a_store_with_a_state_stays_one(body):
    client = sign_in()
    make_store("app-ui")
    read_problem(send(client, "put", "/api/stores/app-ui", body, 400), 400)
    assert give(client, "app-ui")[0] == {"state": {"centerMode": "full"}, "version": 3}


def changed_chats(chats):
    a, b = chats
    yield "removed", [b]
    yield "emptied", []
    yield "turned round", [b, a]
    yield "in front", [{"id": "new", "messages": []}, a, b]
    yield "behind", [a, b, {"id": "new", "messages": []}]
    yield "between", [a, {"id": "new", "messages": []}, b]
    yield "edited", [a | {"userTitle": "T"}, b]
    yield "a message", [a | {"messages": [*a["messages"], make_message("m1", "more")]}, b]
    yield "damaged in front", [None, a, b]
    yield "damaged between", [a, {"id": 7}, 5, b]
    yield "twice", [a, b, a, b | {"x": 1}]
    yield "all", [None, b, {"id": "new", "messages": []}, None, a, a]


@pytest.mark.parametrize("which", by_day(range(12), each=3))
@pytest.mark.parametrize("damage", [False, True])
def test_chats_are_put_and_taken_back(which, damage, tmp_path, fast_imports):
    client = sign_in()
    chats = [*CHATS["state"]["conversations"]]
    first = [None, chats[0], {"id": 7}, chats[1], chats[0] | {"userTitle": "twin"}, None] if damage else chats
    if damage:
        bring_in_store(tmp_path, "app-chats", {"state": {"conversations": first}, "version": 4})
    else:
        send(client, "post", "/api/stores", {"name": "app-chats", **CHATS}, 201)
    before, etag = give(client, "app-chats")
    assert_unchanged(client, "app-chats")
    name, after = list(changed_chats(chats))[which]
    new = [at for at, chat in enumerate(after) if not (isinstance(chat, dict) and "messages" in chat)]
    if damage and name in ("damaged in front", "all"):
        new = []
    if damage and name == "damaged between":
        new = [2]
    if new:
        body = {"state": {"conversations": after}, "version": 4}
        problem = read_problem(send(client, "put", "/api/stores/app-chats", body, 400), 400)
        assert problem["errors"][0]["pointer"] == f"/state/conversations/{new[0]}"
        assert same(give(client, "app-chats")[0], before)
        return
    changed = {"state": {"conversations": decode(json.dumps(after).replace("Infinity", "1e400"))}, "version": 4}
    answer = send(client, "put", "/api/stores/app-chats", changed, **{"If-Match": etag})
    assert same(decode(answer.getvalue().decode()), changed), name
    given, new_etag = give(client, "app-chats")
    assert same(given, changed) and new_etag == answer["ETag"] != etag
    assert_unchanged(client, "app-chats")
    undo(client, answer)
    assert same(give(client, "app-chats")[0], before)
    assert_unchanged(client, "app-chats")


def test_a_chat_put_in_front_moves_no_other():
    client = sign_in()
    for at, uid in enumerate("abc"):
        make_chat(uid, at * 10)
    value, _ = give(client, "app-chats")
    value["state"]["conversations"].insert(0, {"id": "new", "messages": []})
    answer = send(client, "put", "/api/stores/app-chats", value)
    assert [(record.kind, record.uid) for record in ChangedRecord.objects.all()] == [("conversation", "new")]
    assert same(decode(answer.getvalue().decode()), value)
    assert not Store.objects.exists()


@pytest.mark.parametrize("name", RELATIONAL)
def test_rows_without_a_store_beside_are_put_as_they_are(name):
    client = sign_in()
    send(client, "post", "/api/stores", {"name": name, **RELATIONAL[name]}, 201)
    Store.objects.all().delete()
    assert_unchanged(client, name)
    assert not Store.objects.exists()
    before, _ = give(client, name)
    answer = send(client, "put", f"/api/stores/{name}", {"state": {}, "version": before["version"]})
    assert give(client, name)[0] == {"state": {}, "version": before["version"]}
    undo(client, answer)
    assert same(give(client, name)[0], before)


FOLDER = {"id": "n", "title": "N", "conversationIds": ["a", "c"]}


@pytest.mark.parametrize(
    ("name", "key", "members", "pointer"),
    [
        ("app-folders", "folders", [FOLDER, None], "/1"),
        ("app-folders", "folders", [FOLDER, FOLDER], "/1"),
        ("app-folders", "folders", [FOLDER, {"id": "f"}], "/1"),
        ("app-folders", "folders", [{"title": "no id", "conversationIds": []}], "/0"),
        ("app-folders", "folders", [FOLDER | {"conversationIds": ["a", "a"]}], "/0/conversationIds/1"),
        ("app-folders", "folders", [FOLDER | {"conversationIds": [5]}], "/0/conversationIds/0"),
        ("app-models", "llms", [{"id": "x"}, {"id": "x"}], "/1"),
        ("app-models", "sources", ["text"], "/0"),
        ("app-chats", "conversations", [{"id": "n", "messages": [make_message("m"), None]}], "/0/messages/1"),
        (
            "app-chats",
            "conversations",
            [{"id": "n", "messages": [make_message("m", fragments=[{"part": {}}])]}],
            "/0/messages/0/fragments/0",
        ),
        ("agi-client-workspace", "liveFilesByWorkspace", {"c": ["f1", None]}, "/c/1"),
    ],
)
def test_what_nobody_could_read_is_refused_with_its_place(name, key, members, pointer):
    client = sign_in()
    send(client, "post", "/api/stores", {"name": name, **RELATIONAL[name]}, 201)
    before, _ = give(client, name)
    changed = before | {"state": before["state"] | {key: members}}
    for method in ("put", "patch"):
        problem = read_problem(send(client, method, f"/api/stores/{name}", changed, 400), 400)
        assert problem["errors"][0]["pointer"] == f"/state/{key}{pointer}"
        assert same(give(client, name)[0], before)
    assert not Quarantine.objects.exists()


@pytest.mark.parametrize(
    ("name", "key", "members"),
    [
        ("app-folders", "folders", [FOLDER, *FOLDERS["state"]["folders"]]),
        ("app-folders", "folders", [{"id": "f", "title": "F", "conversationIds": ["b", "a"]}]),
        ("app-models", "llms", [{"id": "x"}, *MODELS["state"]["llms"]]),
        ("app-models", "sources", [{"id": "other", "setup": {}}, *MODELS["state"]["sources"]]),
        ("app-models", "modelAssignments", {"codeApply": {"modelId": None}, "": {}, "x": 5}),
        ("app-metrics", "serviceMetrics", {"openai": {"usageCount": "many"}, "new": {"totalCosts": 0.5}, "": None}),
        ("app-metrics", "serviceMetrics", {"odd": {"usageCount": 2}, "openai": None}),
        ("agi-client-workspace", "liveFilesByWorkspace", {"a": ["f2"], "c": ["f1"], "d": 5}),
        ("agi-live-file", "liveFiles", {"f1": {"id": "f1", "content": None}, "f/2": {"id": "x"}, "f3": []}),
    ],
)
def test_lists_and_maps_of_records_are_put_and_taken_back(name, key, members):
    client = sign_in()
    send(client, "post", "/api/stores", {"name": name, **RELATIONAL[name]}, 201)
    before, _ = give(client, name)
    changed = before | {"state": before["state"] | {key: members, "unknown": [1]}}
    shown = decode(json.dumps(changed).replace(KEY, "bigagi-secret:6789"))
    answer = send(client, "put", f"/api/stores/{name}", changed)
    assert same(decode(answer.getvalue().decode()), shown)
    assert same(give(client, name)[0], shown)
    assert_unchanged(client, name)
    undo(client, answer)
    assert same(give(client, name)[0], before)
    assert_unchanged(client, name)
    patched = send(client, "put", f"/api/stores/{name}", shown)
    assert same(decode(patched.getvalue().decode()), shown)


@pytest.mark.parametrize(
    "value",
    [
        {"state": {"folders": [{"id": "x"}]}, "version": 7},
        {"state": {"folders": None, "enableFolders": True}, "version": 0},
        {"state": {"folders": {}, "enableFolders": True}, "version": "0"},
        {"state": None, "version": 0},
        {"state": [], "version": 0},
        "bare",
    ],
)
def test_an_odd_store_is_put_as_it_is_and_made_sound(value):
    client = sign_in()
    make_store("app-folders", value)
    before, _ = give(client, "app-folders")
    assert same(before, value)
    assert_unchanged(client, "app-folders")
    answer = send(client, "put", "/api/stores/app-folders", FOLDERS)
    assert same(give(client, "app-folders")[0], FOLDERS)
    read_problem(send(client, "put", "/api/stores/app-folders", value, 400), 400)
    undo(client, answer)
    assert same(give(client, "app-folders")[0], value)


def test_an_odd_member_stays_while_others_change():
    client = sign_in()
    make_store("app-folders", {"state": {"folders": None, "enableFolders": True}, "version": 0})
    changed = {"state": {"folders": None, "enableFolders": False}, "version": 0}
    send(client, "put", "/api/stores/app-folders", changed)
    assert same(give(client, "app-folders")[0], changed)


# --- patched ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "patch"),
    [
        ("app-folders", {"state": {"enableFolders": None, "unknown": {"a": 1}}}),
        ("app-folders", {"state": {"folders": [FOLDER]}}),
        ("app-chats", {"state": {"conversations": []}}),
        ("app-models", {"state": {"modelAssignments": {"primaryChat": None, "codeApply": {"modelId": "y"}}}}),
        ("app-models", {"state": {"modelAssignments": {"primaryChat": {"modelId": None}}, "confServiceId": "x"}}),
        ("app-metrics", {"state": {"serviceMetrics": {"openai": {"usageCount": 2}, "odd": {"usageCount": 1}}}}),
        ("app-metrics", {"state": {"serviceMetrics": {"odd": None, "gone": None}}}),
        ("agi-client-workspace", {"state": {"liveFilesByWorkspace": {"a": ["f9"], "b": None, "c/d": []}}}),
        ("agi-live-file", {"state": {"liveFiles": {"f1": {"content": "other", "size": None}}}, "odd": 1}),
    ],
)
def test_a_patch_changes_what_it_names(name, patch):
    from stores.records.merge_patch import merge

    client = sign_in()
    send(client, "post", "/api/stores", {"name": name, **RELATIONAL[name]}, 201)
    before, etag = give(client, name)
    answer = send(client, "patch", f"/api/stores/{name}", patch, **{"If-Match": etag})
    given, new_etag = give(client, name)
    assert same(given, merge(before, patch)) and new_etag == answer["ETag"] != etag
    read_problem_with_current(send(client, "patch", f"/api/stores/{name}", patch, 412, **{"If-Match": etag}))
    again = send(client, "patch", f"/api/stores/{name}", patch)
    assert "Bigagi-Change" not in again
    undo(client, answer)
    assert same(give(client, name)[0], before)


def read_problem_with_current(answer):
    assert answer.json()["current"]["name"]


@pytest.mark.parametrize(
    "patch",
    [
        ...,
        [],
        {"state": None},
        {"state": []},
        {"state": {"folders": None}},
        {"state": {"folders": {}}},
        {"version": "x"},
        {"version": 9},
    ],
)
def test_a_patch_that_cannot_be_is_refused(patch):
    client = sign_in()
    send(client, "post", "/api/stores", {"name": "app-folders", **FOLDERS}, 201)
    read_problem(send(client, "patch", "/api/stores/app-folders", patch, 400), 400)
    assert same(give(client, "app-folders")[0], FOLDERS)


def test_a_whole_store_is_patched():
    client = sign_in()
    make_store("app-ui", {"state": {"a": 1, "b": {"c": 1}}, "version": 3})
    answer = send(client, "patch", "/api/stores/app-ui", {"state": {"a": None, "b": {"d": 2}}})
    assert answer.json() == {"state": {"b": {"c": 1, "d": 2}}, "version": 3}
    assert client.patch("/api/stores/app-ui", "{}", content_type="application/merge-patch+json").status_code == 200
    make_store("bare", "text")
    read_problem(send(client, "patch", "/api/stores/bare", {"a": 1}, 409), 409)


# --- deleted ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", RELATIONAL)
def test_a_store_of_rows_is_deleted_when_that_is_confirmed(name, monkeypatch, tmp_path, fast_imports):
    monkeypatch.setattr("stores.services.stores.DELETE_BATCH", 1)
    client = sign_in()
    value = RELATIONAL[name]
    if name == "app-chats":
        value = value | {"state": {"conversations": [None, *CHATS["state"]["conversations"], None]}}
    bring_in_store(tmp_path, name, value)
    before, etag = give(client, name)
    for query in ("", "?confirm=false", "?purge=true"):
        problem = read_problem(send(client, "delete", f"/api/stores/{name}{query}", ..., 409), 409)
        assert problem["type"].endswith("#not-confirmed")
    read_problem(send(client, "delete", f"/api/stores/{name}?confirm=maybe", ..., 400), 400)
    path = f"/api/stores/{name}?confirm=true"
    answer = send(client, "delete", path, ..., 412, **{"If-Match": '"0-7"'})
    assert same(give(client, name)[0], before)
    answer = send(client, "delete", path, ..., 204, **{"If-Match": etag})
    read_problem(client.get(f"/api/stores/{name}"), 404)
    undo(client, answer)
    assert same(give(client, name)[0], before)
    assert_unchanged(client, name)


def test_a_whole_store_is_deleted_without_asking_and_comes_back():
    client = sign_in()
    make_store("app-ui")
    before, etag = give(client, "app-ui")
    answer = send(client, "delete", "/api/stores/app-ui", ..., 204, **{"If-Match": etag})
    read_problem(client.get("/api/stores/app-ui"), 404)
    undo(client, answer)
    given, new_etag = give(client, "app-ui")
    assert same(given, before) and new_etag != etag


def test_what_is_purged_is_kept_nowhere():
    client = sign_in()
    send(client, "post", "/api/stores", {"name": "app-chats", **CHATS}, 201)
    make_store("app-ui", {"state": {"a": "private"}, "version": 3})
    send(client, "put", "/api/stores/app-ui", {"state": {"a": "other"}, "version": 3})
    send(client, "delete", "/api/stores/app-ui?purge=true", ..., 204)
    answer = send(client, "delete", "/api/stores/app-chats?purge=true&confirm=true", ..., 204)
    assert not ChangedRecord.objects.exclude(body=None).exists()
    assert not Revision.objects.exists()
    read_problem(undo(client, answer, 409), 409)


# --- secrets ---------------------------------------------------------------------------------------------------------


def nothing_in_clear():
    kept = [*ChangedRecord.objects.values_list("body", flat=True), *Revision.objects.values_list("body", flat=True)]
    kept += [json.dumps(call) for call in Change.objects.values_list("call", flat=True)]
    kept += [json.dumps([store.data, store.extra]) for store in Store.objects.all()]
    return not any(KEY in (text or "") for text in kept)


def test_a_key_of_a_service_is_kept_by_its_marker_and_never_shown():
    from tests.stores.imports import dump

    client = sign_in()
    make_service("openai", setup={"oaiKey": KEY})
    value, _ = give(client, "app-models")
    assert KEY not in json.dumps(value) and "bigagi-secret:6789" in json.dumps(value)
    assert_unchanged(client, "app-models")
    other = {"id": "new", "label": "New", "setup": {"oaiKey": KEY[:-1] + "X", "oaiHost": "h"}}
    value["state"]["sources"].insert(0, other)
    value["state"]["sources"].append({"id": "third", "setup": {"oaiKey": "bigagi-secret:1234"}})
    answer = send(client, "put", "/api/stores/app-models", value)
    given = decode(answer.getvalue().decode())
    assert KEY[:-1] not in json.dumps(given) and "oaiKey" in given["_server"]["notes"][0]
    kept = dump("app-models")["state"]["sources"]
    assert [service["setup"].get("oaiKey") for service in kept] == [KEY[:-1] + "X", KEY, ""]
    assert nothing_in_clear()
    undo(client, answer)
    assert [service["setup"]["oaiKey"] for service in dump("app-models")["state"]["sources"]] == [KEY]


def test_keys_of_whole_stores_are_kept_by_put_patch_undo_and_restore():
    from tests.stores.imports import dump

    client = sign_in()
    store = {"state": {"engines": {"e": {"credentials": {"apiKey": KEY}}}, "rate": 1}, "version": 1}
    made = send(client, "post", "/api/stores", {"name": "app-module-speex", **store}, 201)
    assert made.json()["state"]["engines"]["e"]["credentials"]["apiKey"] == "bigagi-secret:6789"
    assert_unchanged(client, "app-module-speex")
    value, _ = give(client, "app-module-speex")
    value["state"]["rate"] = 2
    put = send(client, "put", "/api/stores/app-module-speex", value)
    patched = send(client, "patch", "/api/stores/app-module-speex", {"state": {"rate": 3}})
    assert dump("app-module-speex")["state"] == store["state"] | {"rate": 3}
    revisions = read(client.get("/api/stores/app-module-speex/revisions"))["results"]
    restored = send(client, "post", f"/api/stores/app-module-speex/revisions/{revisions[-1]['id']}/restore", ...)
    assert same(dump("app-module-speex"), store)
    for answer in (restored, patched, put):
        undo(client, answer)
        assert dump("app-module-speex")["state"]["engines"] == store["state"]["engines"]
    assert nothing_in_clear()
    marked = {"state": {"engines": {"e": {"credentials": {"apiKey": "bigagi-secret:"}}}}}
    again = send(client, "patch", "/api/stores/app-module-speex", marked)
    assert "Bigagi-Change" not in again and same(dump("app-module-speex"), store)


def test_a_patch_of_what_is_left_over_keeps_its_keys():
    from tests.stores.imports import dump

    client = sign_in()
    body = MODELS | {"name": "app-models", "state": MODELS["state"] | {"extraKey": KEY}}
    send(client, "post", "/api/stores", body, 201)
    send(client, "patch", "/api/stores/app-models", {"state": {"confServiceId": "x"}})
    send(client, "patch", "/api/stores/app-models", {"state": {"modelAssignments": {"fastUtil": {"modelId": "z"}}}})
    kept = dump("app-models")["state"]
    assert (kept["extraKey"], kept["confServiceId"], kept["sources"][0]["setup"]["oaiKey"]) == (KEY, "x", KEY)
    assert nothing_in_clear()


def test_a_damaged_member_keeps_its_key_when_it_is_sent_back(tmp_path, fast_imports):
    from tests.stores.imports import dump

    client = sign_in()
    service = MODELS["state"]["sources"][0]
    twice = [service, service | {"label": "The same id"}]
    bring_in_store(tmp_path, "app-models", MODELS | {"state": MODELS["state"] | {"sources": twice}})
    value, _ = give(client, "app-models")
    assert_unchanged(client, "app-models")
    value["state"]["sources"].insert(0, {"id": "new", "label": "New", "setup": {}})
    send(client, "put", "/api/stores/app-models", value)
    assert dump("app-models")["state"]["sources"][1:] == twice
    assert nothing_in_clear()


# --- real files ------------------------------------------------------------------------------------------------------


def real_exports(real_data):
    return sorted((real_data / "exports").glob("*.json"))


def test_every_store_of_the_real_files_is_put_as_it_is_given(real_data, fast_imports):
    client = sign_in()
    checked = 0
    for path in real_exports(real_data):
        import_path(path)
        for store in read(client.get("/api/stores?page_size=200"))["results"]:
            assert_unchanged(client, store["href"].removeprefix("/api/stores/"))
            checked += 1
    assert checked > 20


def test_real_stores_are_deleted_and_come_back(real_data, fast_imports):
    client = sign_in()
    for path in real_exports(real_data):
        import_path(path)
    for store in read(client.get("/api/stores?page_size=200"))["results"]:
        before, _ = give(client, store["name"])
        answer = send(client, "delete", f"{store['href']}?confirm=true", ..., 204)
        read_problem(client.get(store["href"]), 404)
        undo(client, answer)
        assert same(give(client, store["name"])[0], before)
        assert_unchanged(client, store["name"])
