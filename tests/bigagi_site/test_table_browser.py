"""The table browser: which tables there are, how they are built, and their rows; and what it does not show."""

import json

import pytest
from django.db import connection

from chats.models import Folder
from stores.models import Secret
from tests.api import make_chat, make_folder, make_message, make_service, sign_in

pytestmark = pytest.mark.django_db

KEY = "sk-Seeded0123456789abcdefghWXYZ"


def get(client, path, status=200):
    answer = client.get(f"/sqlite-test/tables{path}")
    assert answer.status_code == status, answer.content
    assert "no-store" in answer["Cache-Control"]
    return answer.json()


def test_every_table_is_listed_by_its_app_with_its_rows():
    make_chat("one", messages=[make_message("m0"), make_message("m1")])
    groups = {group["app"]: group["tables"] for group in get(sign_in(), "")["groups"]}
    listed = {table["name"]: table for tables in groups.values() for table in tables}
    with connection.cursor() as cursor:
        assert set(listed) == set(connection.introspection.table_names(cursor, include_views=True))
    assert {"chats", "stores", "llms", "metrics", "workspace", "auth"} <= set(groups)
    assert listed["chats_message"]["rows"] == {"count": 2, "is_exact": True}
    assert listed["chats_message"]["closed"] == ""
    assert listed["chats_message"]["meaning"].startswith("One message of a conversation.")
    assert listed["auth_user"]["closed"]


def test_more_rows_than_are_counted_are_told(monkeypatch):
    monkeypatch.setattr("bigagi_site.inspection.tables.COUNTED_IN_LIST", 2)
    for at in range(3):
        make_folder(f"folder-{at}", at)
    [chats] = [group["tables"] for group in get(sign_in(), "")["groups"] if group["app"] == "chats"]
    [folders] = [table for table in chats if table["name"] == "chats_folder"]
    assert folders["rows"] == {"count": 2, "is_exact": False}


def test_a_table_is_described():
    described = get(sign_in(), "/chats_message")
    columns = {column["name"]: column for column in described["columns"]}
    assert columns["id"]["is_key"] and not columns["uid"]["is_key"]
    assert columns["conversation_id"]["refers_to"] == "chats_conversation"
    assert columns["role"]["is_nullable"] and not columns["uid"]["is_nullable"]
    assert columns["role"]["meaning"] == "user, assistant or system."
    indexes = {index["name"]: index for index in described["indexes"]}
    assert indexes["chats_message_position"]["columns"] == ["conversation_id", "position"]
    assert "CREATE INDEX" in indexes["chats_message_position"]["sql"]
    assert indexes["chats_message_unique_in_conversation"]["kind"] == "unique"
    assert described["rows"] == {"count": 0, "is_exact": True}
    if connection.vendor == "sqlite":
        assert described["sql"].startswith('CREATE TABLE "chats_message"')
    images = [
        index for index in get(sign_in(username="two"), "/chats_fragment")["indexes"] if "images" in index["name"]
    ]
    assert "WHERE" in images[0]["sql"]


def test_every_table_can_be_described():
    client = sign_in()
    with connection.cursor() as cursor:
        names = connection.introspection.table_names(cursor, include_views=True)
    for name in names:
        assert get(client, f"/{name}")["columns"]


def test_triggers_are_shown():
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            pytest.skip("a trigger is made by other words there")
        cursor.execute("CREATE TRIGGER told AFTER INSERT ON chats_folder BEGIN SELECT 1; END")
    [trigger] = get(sign_in(), "/chats_folder")["triggers"]
    assert trigger["name"] == "told" and trigger["sql"].startswith("CREATE TRIGGER told")


def test_rows_come_page_by_page():
    for at in range(120):
        Folder.objects.create(uid=f"folder-{at}", position=at, content_hash="")
    client = sign_in()
    seen, after, pages = [], "", 0
    while after is not None:
        page = get(client, f"/chats_folder/rows?after={after}")
        seen += [row[page["columns"].index("uid")] for row in page["rows"]]
        after = page["next"]
        pages += 1
    assert seen == [f"folder-{at}" for at in range(120)]
    assert pages == 3


def test_every_open_table_shows_its_rows_and_no_other():
    client = sign_in()
    for group in get(client, "")["groups"]:
        for table in group["tables"]:
            answer = client.get(f"/sqlite-test/tables/{table['name']}/rows")
            assert answer.status_code == (403 if table["closed"] else 200), table
            assert table["closed"] in answer.json().get("detail", "")


def test_long_texts_and_bytes_are_told_by_their_length():
    make_chat("one", messages=[make_message("m0", "é" * 3000)])
    client = sign_in()
    page = get(client, "/chats_fragment/rows")
    assert page["rows"][0][page["columns"].index("text")] == {"text": "é" * 2000, "length": 3000}


def test_no_secret_is_shown():
    make_service(setup={"oaiKey": KEY})
    make_chat("one", messages=[make_message("m0", f"{'x' * 1985} {KEY}")])
    assert Secret.objects.exists()
    client = sign_in()
    page = get(client, "/llms_service/rows")
    assert json.loads(page["rows"][0][page["columns"].index("setup")]) == {"oaiKey": "bigagi-secret:"}
    page = get(client, "/chats_fragment/rows")
    assert page["rows"][0][page["columns"].index("text")]["text"] == f"{'x' * 1985} bigagi-secret:"
    for name in ("stores_secret", "auth_user", "django_session", "bigagi_site_token", "stores_idempotencykey"):
        assert "rows" not in get(client, f"/{name}/rows", 403)


@pytest.mark.parametrize("name", ["one", "sqlite_master", "dbstat", "chats_folder;", '"chats_folder"', "CHATS_FOLDER"])
def test_a_table_that_is_none_is_told(name):
    client = sign_in()
    assert "no table" in get(client, f"/{name}", 404)["detail"]
    assert "no table" in get(client, f"/{name}/rows", 404)["detail"]


@pytest.mark.parametrize("after", ["x", "1 OR 1=1", "9" * 30, "-" + "9" * 30])
def test_a_key_that_is_none_is_told(after):
    problem = get(sign_in(), f"/chats_folder/rows?after={after}", 400)
    assert problem["errors"][0]["pointer"] == "?after"


def test_who_may_not_see_all_sees_no_table():
    client = sign_in(is_staff=False)
    for path in ("", "/chats_folder", "/chats_folder/rows"):
        assert "groups" not in get(client, path, 403)
