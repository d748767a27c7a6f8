"""The views with plain names: what they show, that they are there, and that migrations are not in their way."""

from dataclasses import replace
from unittest.mock import patch

import pytest
from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.core.management.sql import emit_pre_migrate_signal
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, migrations, models, transaction
from django.db.migrations.state import ProjectState

from bigagi_site.sql_views.definitions import VIEWS
from bigagi_site.sql_views.dependents import describe_blocked
from bigagi_site.sql_views.keeping import drop_views, find_missing_views, keep_views
from chats.models import Conversation, Message
from stores.models import Secret
from stores.records.key_shapes import KEY_SHAPE
from tests.api import make_asset, make_chat, make_file, make_folder, make_message, read, sign_in
from tests.metrics.events import NOON, make_event

pytestmark = [pytest.mark.django_db, pytest.mark.each_database]

KEY = "sk-Seeded0123456789abcdefghWXYZ"


def select(sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def part(pt, position, **members):
    ft = {"doc": "attachment", "ma": "void"}.get(pt, "content")
    return {"ft": ft, "fId": f"f{position}", "title": "notes.md", "part": {"pt": pt, **members}}


def test_a_chat_and_its_messages_are_shown_in_plain_words():
    thought = part("ma", 0, aType="reasoning", aText="Hmm.")
    texts = [part("text", at + 1, text=text) for at, text in enumerate(("First.", "Second.", "Third."))]
    doc = part("doc", 9, vdt="text/plain", data={"idt": "text", "text": "Été"}, ref="notes-md", l1Title="notes.md")
    question = make_message("m0", "Which bridges?", created=1_785_576_600_005, userFlags=["aix.skip", "starred"])
    question["fragments"].append(doc)
    answer = make_message("m1", role="assistant", created=1_785_576_601_000) | {"fragments": [thought, *texts]}
    answer["generator"] = {"mgt": "aix", "name": "GPT", "aix": {"vId": "openai", "mId": "openai-gpt-4o"}}
    make_chat("one", messages=[question, answer], userTitle="Bridges", created=1_785_576_600_000, updated=None)
    make_folder("work", conversationIds=["one"], title="Work")
    make_folder("fun", 1, conversationIds=["one"], title="Fun")
    make_event(conversation="one", message="m1", cost_nano_usd=450_000_000)
    make_event(conversation="one", message="m1", cost_nano_usd=1, source="test")
    make_event(conversation="one", message="", cost_nano_usd=None)

    [chat] = select("SELECT * FROM chats")
    assert chat["number"] == Conversation.objects.get().pk
    assert (chat["id"], chat["title"], chat["folders"], chat["messages"]) == ("one", "Bridges", "Work, Fun", 2)
    assert (chat["created"], chat["updated"], bool(chat["is_archived"])) == ("2026-08-01T09:30:00.000Z", None, False)
    assert float(chat["cost_usd"]) == 0.45
    first, second = select("SELECT * FROM messages WHERE chat = 'one' ORDER BY position")
    assert (first["role"], first["text"], first["time"]) == ("user", "Which bridges?", "2026-08-01T09:30:00.005Z")
    assert (first["time_ms"], bool(first["is_starred"]), first["cost_usd"]) == (1_785_576_600_005, True, None)
    assert second["text"] == "First.\n\nSecond.\n\nThird."
    assert (second["reasoning"], second["model"]) == ("Hmm.", "openai-gpt-4o")
    assert (float(second["cost_usd"]), bool(second["is_starred"])) == (0.45, False)
    [file] = select("SELECT * FROM files")
    assert (file["kind"], file["name"], file["size"], file["chat"], file["message"]) == (
        *("document", "notes.md", 5, "one", "m0"),
    )
    assert file["text"] == "Été" and file["created"] == first["time"]


def test_the_ledger_is_in_dollars_without_tests():
    make_event(cost_nano_usd=1_500_000_001)
    make_event(cost_nano_usd=None, cost_code="free")
    make_event(cost_nano_usd=None, cost_code="no-pricing", conversation="one")
    make_event(source="test")
    rows = select("SELECT * FROM usage ORDER BY number")
    assert [row["cost_usd"] if row["cost_usd"] is None else float(row["cost_usd"]) for row in rows] == [
        *(1.500000001, 0.0, None),
    ]
    assert (rows[0]["time_ms"], rows[0]["calls"], rows[0]["chat"], rows[2]["chat"]) == (NOON, 1, None, "one")
    assert rows[0]["time"].startswith("2026-")


def test_files_are_those_of_all_kinds(settings, tmp_path):
    settings.ASSETS_DIR = tmp_path
    make_asset("picture", label="Porto")
    make_file("list", name="list.txt", content="é", size=99)
    rows = {row["kind"]: row for row in select("SELECT * FROM files")}
    assert rows.keys() == {"image", "text file"}
    assert (rows["text file"]["size"], rows["text file"]["text"]) == (2, "é")
    assert rows["image"]["name"] == "Porto"


def test_odd_times_and_values_do_not_end_a_query():
    for at, time in enumerate((-(2**62), 10**17, 253_402_300_799_999, None)):
        make_chat(f"odd-{at}", messages=[make_message("m0", created=time)], created=time)
    assert [row["created"] for row in select("SELECT * FROM chats ORDER BY number")] == [
        *(None, None, "9999-12-31T23:59:59.999Z", None),
    ]
    assert len(select("SELECT * FROM messages")) == 4


def test_no_secret_is_in_them():
    make_chat("one", messages=[make_message("m0", f"my key is {KEY}")])
    assert Secret.objects.exists()
    for name in VIEWS:
        shown = str(select(f"SELECT * FROM {name}"))
        assert KEY not in shown and not KEY_SHAPE.search(shown)
    ciphertexts = [bytes(secret.ciphertext).decode() for secret in Secret.objects.all()]
    assert not any(text in str(select("SELECT * FROM messages")) for text in ciphertexts)


def test_a_chats_messages_are_found_by_an_index():
    explain = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # On so few rows it would read them all.
            cursor.execute("SET LOCAL enable_seqscan = off")
    plan = str(select(f"{explain} SELECT text, cost_usd FROM messages WHERE chat = 'one' ORDER BY position"))
    assert "SCAN m" not in plan and "Seq Scan" not in plan
    # PostgreSQL may take a unique index of the same columns.
    others = ("chats_message_position", "chats_fragment_position") if connection.vendor == "sqlite" else ()
    for index in ("metrics_event_message", *others):
        assert index in plan
    plan = str(select(f"{explain} SELECT text FROM messages WHERE time_ms > 5 ORDER BY time_ms LIMIT 5"))
    assert "chats_message_created" in plan


def test_lost_and_older_views_are_told_and_made_anew():
    def found():
        return {message.id for message in run_checks(tags=[Tags.database], databases=["default"])}

    assert find_missing_views() == [] and found() == set()
    with connection.cursor() as cursor:
        cursor.execute("DROP VIEW usage")
        cursor.execute("DROP VIEW chats")
        cursor.execute("CREATE VIEW chats AS SELECT 1 AS older")
    assert find_missing_views() == ["chats", "usage"]
    assert found() == {"bigagi.W003"}
    answer = read(sign_in().get("/api/ready"))
    assert "chats, usage" in answer["warnings"][0]
    assert keep_views() == ["chats", "usage"]
    assert find_missing_views() == [] and keep_views() == []


def test_a_table_of_the_owners_with_such_a_name_is_left_alone():
    with connection.cursor() as cursor:
        cursor.execute("DROP VIEW files")
        cursor.execute("CREATE TABLE files (mine integer)")
    assert keep_views() == []
    drop_views()
    assert select("SELECT * FROM files") == []
    assert "Rename" in read(sign_in().get("/api/ready"))["warnings"][0]


def test_nothing_is_made_for_tables_of_another_version():
    drop_views()
    with patch("bigagi_site.sql_views.keeping.versions.find_missing", return_value=["chats.0003"]):
        assert keep_views() == []
    assert find_missing_views() == list(VIEWS)


@pytest.mark.django_db(transaction=True)
def test_a_migration_rebuilds_tables_that_views_name():
    make_chat("one", messages=[make_message("m0", "Here")])
    operation = migrations.AlterField("Message", "role", models.CharField(max_length=30, null=True, blank=True))
    back = migrations.AlterField("Message", "role", Message._meta.get_field("role").clone())
    # As `migrate` does.
    plan = [(migrations.Migration("0099_longer_role", "chats"), False)]
    emit_pre_migrate_signal(verbosity=0, interactive=False, db=DEFAULT_DB_ALIAS, plan=plan)
    for step in (operation, back):
        state = ProjectState.from_apps(Message._meta.apps)
        after = state.clone()
        step.state_forwards("chats", after)
        with connection.schema_editor() as editor:
            step.database_forwards("chats", editor, state, after)
    assert find_missing_views() == list(VIEWS)
    call_command("migrate", verbosity=0)
    assert find_missing_views() == []
    assert select("SELECT text FROM messages") == [{"text": "Here"}]


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite binds no view to what it names")
def test_views_of_the_owners_stand_through_a_migration():
    make_chat("one", messages=[make_message("m0", "Here")])
    older = {"chats": replace(VIEWS["chats"], columns=VIEWS["chats"].columns[:-1])}
    try:
        with patch.dict(VIEWS, older):
            drop_views()
            keep_views()
            select_none("CREATE VIEW mine AS SELECT title FROM chats", 'CREATE VIEW "My own" AS SELECT * FROM mine')
        plan = [(migrations.Migration("0099_more", "chats"), False)]
        emit_pre_migrate_signal(verbosity=0, interactive=False, db=DEFAULT_DB_ALIAS, plan=plan)
        assert select("SELECT * FROM mine") == [{"title": "(untitled)"}]
        # A column is added at the end of the one below; the others are made anew.
        assert sorted(keep_views()) == sorted(VIEWS)
        assert find_missing_views() == [] and "updated_ms" in select("SELECT * FROM chats")[0]

        with pytest.raises(DatabaseError) as caught:
            select_none("ALTER TABLE chats_conversation ALTER user_title TYPE varchar(9)")
        assert 'build on what changes: "My own", mine. Note their definitions' in describe_blocked(caught.value)
        other = {"chats": replace(VIEWS["chats"], columns=VIEWS["chats"].columns[1:])}
        with patch.dict(VIEWS, other):
            assert keep_views() == [] and find_missing_views() == ["chats"]
            assert '"My own", mine. Drop those' in read(sign_in().get("/api/ready"))["warnings"][0]
    finally:
        select_none("DROP VIEW IF EXISTS mine CASCADE")


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL drops no view that another one builds on")
def test_a_view_of_the_owners_in_a_migrations_way_is_named():
    # What a migration meets that rebuilds a table: the view's own is gone then.
    with pytest.raises(DatabaseError) as caught, transaction.atomic():
        select_none("CREATE VIEW mine AS SELECT * FROM dropped", "ALTER TABLE chats_pinnedchat RENAME TO rebuilt")
    assert "build on what changes: mine. Note their definitions" in describe_blocked(caught.value)


def select_none(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def test_the_table_browser_shows_their_rows_page_by_page():
    long = "é" * 3000
    make_chat("one", messages=[make_message(f"m{at}", long if at == 0 else f"{KEY} {at}") for at in range(60)])
    make_event(conversation="one", message="m0")
    client = sign_in()
    groups = read(client.get("/sqlite-test/tables"))["groups"]
    assert groups[0]["app"] == "views" and [table["name"] for table in groups[0]["tables"]] == list(VIEWS)
    described = read(client.get("/sqlite-test/tables/messages"))
    assert [column["name"] for column in described["columns"]] == [column.name for column in VIEWS["messages"].columns]
    assert all(column["meaning"] for column in described["columns"])
    assert described["sql"].startswith("CREATE VIEW messages") or connection.vendor != "sqlite"
    first = read(client.get("/sqlite-test/tables/messages/rows"))
    second = read(client.get(f"/sqlite-test/tables/messages/rows?after={first['next']}"))
    assert (len(first["rows"]), len(second["rows"]), second["next"]) == (50, 10, None)
    text = first["columns"].index("text")
    assert first["rows"][0][text] == {"text": "é" * 2000, "length": 3000}
    assert first["rows"][1][text] == "bigagi-secret: 1"
    assert client.get("/sqlite-test/tables/messages/rows?after=-1").status_code == 400
    for name in VIEWS:
        assert client.get(f"/sqlite-test/tables/{name}/rows").status_code == 200
