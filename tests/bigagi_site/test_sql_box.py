"""The read-only SQL box: what it answers. What it withstands is in `test_sql_attacks.py`."""

import json
import sqlite3
from contextlib import closing
from html.parser import HTMLParser

import pytest
from django.db import connection, models
from django.template.loader import render_to_string

from bigagi_site.inspection import policy, sql_box
from stores.models import Secret
from tests.api import make_chat, make_folder, make_message, make_service, sign_in

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the SQL box reads SQLite's file"),
]

KEY = "sk-Seeded0123456789abcdefghWXYZ"


def ask(client, sql, **members):
    return client.post("/sqlite-test/sql", json.dumps({"sql": sql, **members}), content_type="application/json")


def rows_of(client, sql, **members):
    answer = ask(client, sql, **members)
    assert answer.status_code == 200, answer.content
    return answer.json()["rows"]


def test_a_row_is_found_with_parameters():
    make_chat("one")
    client = sign_in()
    response = ask(client, "SELECT uid, position FROM chats_conversation WHERE uid = ?", parameters=["one"])
    answer = response.json()
    assert answer["columns"] == ["uid", "position"]
    assert answer["rows"] == [["one", 0]]
    assert (answer["row_count"], answer["is_cut"]) == (1, False)
    assert 0 < answer["ms"] < 5000
    assert "no-store" in response["Cache-Control"]
    assert rows_of(client, "SELECT uid FROM chats_conversation WHERE uid = :uid", parameters={"uid": "x"}) == []


def test_cells_are_shown_as_a_browser_can_hold_them():
    long = "é" * 5000
    [row] = rows_of(
        sign_in(),
        "SELECT NULL, 1, 1.5, 'é工🐈', 9007199254740991, 9007199254740993, -9223372036854775808, x'00ff10', ?, 9e999,"
        " CAST(x'41ff42' AS TEXT)",
        parameters=[long],
    )
    assert row[:7] == [None, 1, 1.5, "é工🐈", 9007199254740991, "9007199254740993", "-9223372036854775808"]
    assert row[7] == {"blob": 3}
    assert row[8] == {"text": "é" * 2000, "length": 5000}
    assert row[9:] == ["inf", "A\ufffdB"]


@pytest.mark.parametrize(
    "sql",
    [
        "select 1",
        "  -- why\n /* what */ SELECT 1",
        "SELECT 1;",
        "SELECT 1; -- done",
        "VALUES (1), (2)",
        "WITH m AS (SELECT id FROM chats_message) SELECT count(*) FROM m",
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT count(*) FROM n",
        "SELECT count(*) FROM CHATS_MESSAGE",
        'SELECT "uid" FROM "main"."chats_conversation"',
        "SELECT rowid FROM chats_conversation",
        "SELECT c.uid, count(m.id) FROM chats_conversation c LEFT JOIN chats_message m ON m.conversation_id = c.id"
        " GROUP BY 1 HAVING count(*) > 0 ORDER BY 2 DESC",
        "SELECT count(*) FROM chats_conversation NATURAL JOIN chats_folder",
        "SELECT rank() OVER (ORDER BY id) FROM chats_message",
        "SELECT value FROM chats_message, json_each(coalesce(metrics, '[]'))",
        "SELECT key, value FROM json_tree('{\"a\": [1]}')",
        "SELECT strftime('%Y-%m', created / 1000, 'unixepoch'), printf('%.2f', 1) FROM chats_message",
        "SELECT json_extract('{\"a\": 1}', '$.a'), '{}' ->> '$.b'",
        "SELECT sql FROM sqlite_master WHERE name = 'chats_message'",
        "SELECT count(*) FROM sqlite_schema",
        "PRAGMA table_info(chats_message)",
        "PRAGMA index_list('chats_message')",
        "PRAGMA page_count",
        "EXPLAIN SELECT 1",
        "EXPLAIN QUERY PLAN SELECT * FROM chats_message",
        "SELECT ';', '-- no comment', 'DROP TABLE x'",
    ],
)
def test_what_only_reads_is_run(sql):
    make_chat("one")
    rows_of(sign_in(), sql)


def test_too_many_rows_are_cut_and_told():
    sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT i FROM n"
    client = sign_in()
    answer = ask(client, sql, parameters=[1001]).json()
    assert (answer["row_count"], len(answer["rows"]), answer["is_cut"]) == (1000, 1000, True)
    assert ask(client, sql, parameters=[1000]).json()["is_cut"] is False


def test_the_plan_is_a_tree_and_the_statement_is_not_run():
    client = sign_in()
    statement = "SELECT role FROM chats_message UNION SELECT uid FROM chats_conversation"
    answer = ask(client, statement, plan=True).json()
    assert "rows" not in answer
    assert answer["plan"][0]["detail"] == "COMPOUND QUERY"
    assert "chats_message" in json.dumps(answer["plan"][0]["children"])
    assert ask(client, f"EXPLAIN {statement}", plan=True).json()["plan"] == answer["plan"]


def test_references_to_secrets_are_shown_as_markers():
    make_service(setup={"oaiKey": KEY})
    make_chat("one", messages=[make_message("m0", f"{'x' * 1990} {KEY}")])
    assert Secret.objects.exists()
    client = sign_in()
    assert "ref" in connection.cursor().execute("SELECT setup FROM llms_service").fetchone()[0]
    [[setup]] = rows_of(client, "SELECT setup FROM llms_service")
    assert json.loads(setup) == {"oaiKey": "bigagi-secret:"}
    [[text]] = rows_of(client, "SELECT text FROM chats_fragment")
    assert text == {"text": f"{'x' * 1990} bigagi-secret:"[:2000], "length": 1991 + len("bigagi-secret:ref:") + 32}


def test_an_error_is_told_in_sqlites_own_words():
    problem = read_problem_of(ask(sign_in(), "SELECT FROM chats_message"), 400)
    assert 'near "FROM": syntax error' in problem["detail"]
    assert problem["errors"] == [{"pointer": "/sql", "detail": problem["detail"], "code": "syntax"}]


def test_what_is_denied_is_named():
    client = sign_in()
    told = {
        "auth_user": "users, sessions or tokens",
        "stores_secret": "encrypted keys",
        "dbstat": "Only statements that read bigagi's own tables",
    }
    for table, reason in told.items():
        detail = read_problem_of(ask(client, f"SELECT * FROM {table}"), 400)["detail"]
        assert reason in detail, detail
    oracle = "SELECT 1 FROM (SELECT '' AS password) NATURAL JOIN auth_user"
    assert "users, sessions or tokens" in read_problem_of(ask(client, oracle), 400)["detail"]
    assert "zeroblob()" in read_problem_of(ask(client, "SELECT zeroblob(9)"), 400)["detail"]
    assert "begin with SELECT" in read_problem_of(ask(client, "DELETE FROM chats_message"), 400)["detail"]
    assert "Unknown field: x" in read_problem_of(ask(client, "SELECT 1", x=1), 400)["detail"]


@pytest.fixture
def made_by_hand():
    """Views and a search table over closed tables, as somebody may have made them with another program."""
    made = {
        "VIEW": {"seen": "SELECT * FROM auth_user", "json_each": "SELECT password AS value FROM auth_user"},
        "VIRTUAL TABLE": {"found": "fts5(password)"},
        "TABLE": {"json_tree": "SELECT password AS value FROM auth_user"},
    }
    with connection.cursor() as cursor:
        for kind, things in made.items():
            for name, body in things.items():
                cursor.execute(f"CREATE {kind} {name} {'USING' if kind.startswith('VIRTUAL') else 'AS'} {body}")
        cursor.execute("INSERT INTO found SELECT password FROM auth_user")
        yield
        for kind, things in made.items():
            for name in things:
                cursor.execute(f"DROP {kind.removeprefix('VIRTUAL ')} {name}")


@pytest.mark.parametrize(
    "sql",
    [
        *(
            "SELECT password FROM seen",
            "SELECT count(*) FROM seen",
            "SELECT 1 FROM (SELECT 1 AS password) NATURAL JOIN seen",
        ),
        *("SELECT value FROM json_each", "SELECT value FROM json_each('[1]')", "SELECT value FROM json_tree"),
        "SELECT 1 FROM (SELECT 1 AS value) NATURAL JOIN json_tree",
        *("SELECT * FROM found", "SELECT * FROM found WHERE found MATCH 'a*'", "SELECT count(*) FROM found"),
        *("SELECT 1 FROM (SELECT 'x' AS password) NATURAL JOIN found", "SELECT highlight(found, 0, '', '') FROM found"),
        *(f"SELECT * FROM found_{part}" for part in ("data", "idx", "content", "docsize", "config")),
        "SELECT 1 FROM (SELECT 'x' AS c0) NATURAL JOIN found_content",
    ],
)
def test_what_somebody_made_over_closed_tables_is_closed(made_by_hand, sql):
    client = sign_in()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO json_tree SELECT password FROM auth_user")
    assert read_problem_of(ask(client, sql), 400)["errors"][0]["code"] in ("denied", "syntax")
    assert rows_of(client, "SELECT 1") == [[1]]


def test_two_statements_at_a_time_are_enough(monkeypatch):
    client = sign_in()
    monkeypatch.setattr(sql_box, "WAIT_SECONDS", 0.01)
    assert sql_box._places.acquire() and sql_box._places.acquire()
    try:
        assert read_problem_of(ask(client, "SELECT 1"), 429)["errors"][0]["code"] == "busy"
    finally:
        sql_box._places.release()
        sql_box._places.release()
    assert rows_of(client, "SELECT 1") == [[1]]


def test_a_long_reader_leaves_the_writes_alone(monkeypatch):
    monkeypatch.setattr(sql_box, "SECONDS", 1.0)
    client = sign_in()
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n, chats_message"
    make_chat("one")
    assert read_problem_of(ask(client, endless), 422)["errors"][0]["code"] == "time"
    with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=0)) as file:
        blocked, _, _ = file.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert blocked == 0


def test_a_machine_that_starts_no_process_is_told(monkeypatch):
    def refuse(*args, **kwargs):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(sql_box.subprocess, "run", refuse)
    assert "could not be started" in read_problem_of(ask(sign_in(), "SELECT 1"), 503)["detail"]


def test_it_is_open_to_staff_with_a_csrf_token_alone():
    assert read_problem_of(ask(sign_in(is_staff=False), "SELECT 1"), 403)
    client = sign_in(username="other")
    client.handler.enforce_csrf_checks = True
    assert ask(client, "SELECT 1").status_code == 403
    client.handler.enforce_csrf_checks = False
    assert client.get("/sqlite-test/sql").status_code == 405


def test_another_database_is_told(monkeypatch):
    client = sign_in()
    monkeypatch.setattr("bigagi_site.views.inspection.is_available", lambda: False)
    assert "SQLite" in read_problem_of(ask(client, "SELECT 1"), 404)["detail"]


def test_the_environment_does_not_reach_the_process(monkeypatch):
    """What reads the process's memory or environment finds no key of a provider there."""
    seen = {}
    run = sql_box.subprocess.run
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setattr(sql_box.subprocess, "run", lambda *args, **kwargs: seen.update(kwargs) or run(*args, **kwargs))
    rows_of(sign_in(), "SELECT 1")
    assert KEY not in str(seen)
    assert set(seen["env"]) <= {"LD_LIBRARY_PATH", "SYSTEMROOT"}


# --- the policy ---------------------------------------------------------------------------------------------------


def test_every_model_that_may_hold_a_secret_is_decided():
    """A new field that looks like a secret makes this fail until somebody has closed its model or said why not."""
    undecided = [
        label
        for model in policy.all_models()
        if model._meta.app_label in policy.OPEN_APPS and model._meta.label not in policy.CLOSED_MODELS
        for label in policy.suspect_fields(model)
    ]
    assert undecided == [], "list the model in CLOSED_MODELS, or the field in HARMLESS_FIELDS (inspection/policy.py)"


def test_every_app_is_decided():
    known = policy.OPEN_APPS | {"admin", "auth", "bigagi_site", "sessions"}
    assert {model._meta.app_label for model in policy.all_models()} <= known


@pytest.mark.parametrize(
    "field",
    [
        models.BinaryField(name="blob"),
        models.TextField(name="access_token"),
        models.TextField(name="password_hash"),
        models.TextField(name="apikey"),
        models.TextField(name="secret"),
        models.TextField(name="session_key"),
        models.TextField(name="key_ciphertext"),
        models.TextField(name="digest"),
        models.TextField(name="totp_salt"),
    ],
    ids=lambda field: field.name,
)
def test_a_field_that_looks_like_a_secret_closes_its_table(field, monkeypatch):
    from chats.models import Folder

    monkeypatch.setattr(Folder._meta, "concrete_fields", (*Folder._meta.concrete_fields, field))
    assert list(policy.suspect_fields(Folder)) == [f"chats.Folder.{field.name}"]
    assert policy.why_closed(Folder)
    assert "chats_folder" not in policy.open_tables()


def test_what_is_said_of_models_and_fields_is_true():
    labels = {model._meta.label for model in policy.all_models()}
    fields = {f"{model._meta.label}.{field.name}" for model in policy.all_models() for field in model._meta.fields}
    assert labels >= set(policy.CLOSED_MODELS)
    assert fields >= policy.HARMLESS_FIELDS
    tables = policy.open_tables()
    assert {"chats_message", "stores_store", "metrics_usageevent"} <= set(tables)
    assert not {"auth_user", "django_session", "stores_secret", "bigagi_site_token"} & set(tables)


def read_problem_of(answer, status):
    """Return the problem of an answer; those of pages have no entry in Troubleshooting."""
    problem = json.loads(answer.content)
    assert (answer.status_code, problem["status"]) == (status, status), problem
    assert answer["Content-Type"] == "application/problem+json"
    assert problem["detail"]
    return problem


# --- the examples of the page -------------------------------------------------------------------------------------


class Options(HTMLParser):
    """The statements that the page offers."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag == "option" and dict(attrs).get("value"):
            self.found.append(dict(attrs)["value"])


def test_the_examples_run():
    make_chat("one", user_title="Trees")
    make_folder()
    options = Options()
    options.feed(render_to_string("sqlite-test/sql.html"))
    assert len(options.found) > 8
    client = sign_in()
    for sql in options.found:
        assert ask(client, sql).status_code == 200, (sql, ask(client, sql).content)
        assert ask(client, sql, plan=True).json()["plan"]
