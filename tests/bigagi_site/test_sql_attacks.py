"""The read-only SQL box under attack: nothing secret gets out, nothing changes, and no statement runs for long."""

import hashlib
import json
import sqlite3
import time
from contextlib import closing

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from bigagi_site.inspection import sql_box
from bigagi_site.models import SignInLink, Token
from bigagi_site.tokens import create_token
from chats.models import Fragment
from stores.models import IdempotencyKey, Secret
from tests.api import make_chat, make_message, make_service, sign_in
from tests.nightly import by_day

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the SQL box reads SQLite's file"),
]

KEY = "sk-Seeded0123456789abcdefghWXYZ"
PASSWORD = "pbkdf2_sha256$1$LEAKEDSALT$LEAKEDPASSWORDHASH"
SECONDS = 0.5
CLOSED = [
    *("auth_user", "auth_group", "auth_permission", "auth_user_groups", "auth_user_user_permissions"),
    *("auth_group_permissions", "django_session", "django_admin_log", "bigagi_site_token", "bigagi_site_signinlink"),
    *("stores_secret", "stores_idempotencykey", "sqlite_sequence"),
]

DENIED = {
    # Closed tables, by every name and every way round.
    **{f"closed-{table}": f"SELECT * FROM {table}" for table in CLOSED},
    "column": "SELECT password FROM auth_user",
    "count": "SELECT count(*) FROM auth_user",
    "exists": "SELECT EXISTS (SELECT 1 FROM stores_secret)",
    "rowid": "SELECT rowid FROM auth_user",
    "oid": "SELECT _rowid_, oid FROM django_session",
    "upper-case": "SELECT PASSWORD FROM AUTH_USER",
    "upper-case-count": "SELECT COUNT(*) FROM AUTH_USER",
    "double-quotes": 'SELECT "password" FROM "auth_user"',
    "brackets": "SELECT [password] FROM [auth_user]",
    "backticks": "SELECT `password` FROM `auth_user`",
    "single-quotes": "SELECT password FROM 'auth_user'",
    "schema": "SELECT password FROM main.auth_user",
    "quoted-schema": 'SELECT password FROM "MAIN"."AUTH_USER"',
    "comment-inside": "SELECT password/**/FROM/**/auth_user",
    "comment-first": "-- harmless\n/* SELECT 1 */ SELECT password FROM auth_user",
    "alias": "SELECT c.password FROM auth_user AS c",
    "alias-of-open-table": "SELECT chats_conversation.password FROM auth_user AS chats_conversation",
    "subquery": "SELECT * FROM (SELECT password AS uid FROM auth_user)",
    "scalar-subquery": "SELECT uid, (SELECT password FROM auth_user LIMIT 1) FROM chats_conversation",
    "cte": "WITH chats_conversation AS (SELECT password AS uid FROM auth_user) SELECT uid FROM chats_conversation",
    "cte-recursive": "WITH RECURSIVE r AS (SELECT password p FROM auth_user UNION SELECT p FROM r) SELECT p FROM r",
    "cte-materialized": "WITH x AS MATERIALIZED (SELECT * FROM stores_secret) SELECT * FROM x",
    "join": "SELECT u.password FROM chats_conversation c JOIN auth_user u ON 1",
    "left-join": "SELECT c.uid FROM chats_conversation c LEFT JOIN auth_user u ON u.password LIKE 'p%'",
    "comma-join": "SELECT * FROM chats_conversation, auth_user",
    "natural-join-oracle": f"SELECT 1 FROM (SELECT '{PASSWORD}' AS password) NATURAL JOIN auth_user",
    "using-oracle": f"SELECT 1 FROM (SELECT '{PASSWORD}' AS password) JOIN auth_user USING (password)",
    "natural-join-of-join": "SELECT 1 FROM (SELECT id FROM chats_message) NATURAL JOIN stores_secret",
    "natural-join-then-explain": ("/* */ SELECT 1 FROM (SELECT '' AS password) NATURAL JOIN auth_user /* */ EXPLAIN"),
    "natural-join-between-comments": (
        "/* */ SELECT 1 FROM (SELECT '' AS password) NATURAL JOIN auth_user AS /* */ EXPLAIN -- SELECT 1"
    ),
    "natural-join-explained": "EXPLAIN SELECT 1 FROM (SELECT '' AS password) NATURAL JOIN auth_user",
    "natural-join-plan": "EXPLAIN QUERY PLAN SELECT 1 FROM (SELECT '' AS password) NATURAL JOIN auth_user",
    "full-join-using": "SELECT 1 FROM (SELECT '' AS last4) FULL JOIN stores_secret USING (last4)",
    "union": "SELECT uid FROM chats_conversation UNION ALL SELECT password FROM auth_user",
    "except": "SELECT 'x' EXCEPT SELECT password FROM auth_user",
    "in-table": "SELECT 1 WHERE 'x' IN (SELECT password FROM auth_user)",
    "in-bare-table": "SELECT 1 WHERE (1, 2, 3, 4, 5) IN stores_secret",
    "order-by": "SELECT uid FROM chats_conversation ORDER BY (SELECT password FROM auth_user)",
    "limit": "SELECT uid FROM chats_conversation LIMIT (SELECT length(password) FROM auth_user)",
    "case-oracle": "SELECT CASE WHEN (SELECT substr(password, 1, 1) FROM auth_user) = 'p' THEN 1 ELSE 0 END",
    "window": "SELECT first_value(password) OVER () FROM auth_user",
    "values-subquery": "VALUES ((SELECT password FROM auth_user))",
    "group-concat": "SELECT group_concat(hex(ciphertext)) FROM stores_secret",
    "indexed-by": "SELECT digest FROM bigagi_site_token INDEXED BY sqlite_autoindex_bigagi_site_token_1",
    "json-of-rows": "SELECT json_group_array(json_object('p', password)) FROM auth_user",
    "json-each-of-closed": "SELECT value FROM auth_user, json_each(json_array(password))",
    "explain-of-denied": "EXPLAIN SELECT password FROM auth_user",
    "plan-of-denied": "EXPLAIN QUERY PLAN SELECT * FROM auth_user WHERE password = 'x'",
    # What SQLite itself would tell.
    "dbstat": "SELECT * FROM dbstat",
    "dbstat-natural": "SELECT 1 FROM (SELECT 'auth_user' AS name) NATURAL JOIN dbstat",
    "dbpage": "SELECT data FROM sqlite_dbpage",
    "stmt": "SELECT sql FROM sqlite_stmt",
    "stat4": "SELECT * FROM sqlite_stat4",
    "temp-master": "SELECT * FROM sqlite_temp_master",
    "temp-schema": "SELECT * FROM temp.sqlite_master",
    "pragma-function": "SELECT * FROM pragma_table_info('auth_user')",
    "pragma-function-natural": "SELECT 1 FROM (SELECT 'password' AS name) NATURAL JOIN pragma_table_info('auth_user')",
    "pragma-database-list": "SELECT file FROM pragma_database_list",
    "fts5vocab": "SELECT * FROM fts5vocab",
    "fts3tokenize": "SELECT * FROM fts3tokenize('simple', 'a b')",
    # Functions that reach out, or blow up.
    "load-extension": "SELECT load_extension('/tmp/evil')",
    "fts3-tokenizer": "SELECT fts3_tokenizer('simple')",
    "readfile": "SELECT readfile('/etc/passwd')",
    "writefile": "SELECT writefile('/tmp/pwned', 'x')",
    "edit": "SELECT edit('x', 'vi')",
    "zeroblob": "SELECT zeroblob(1000000000)",
    "hex-zeroblob": "SELECT hex(zeroblob(500000000))",
    "randomblob": "SELECT randomblob(1000000000)",
    "sqlite-log": "SELECT sqlite_log(1, 'x')",
    # Statements that do not read.
    "insert": "INSERT INTO chats_folder (uid) VALUES ('x')",
    "insert-returning": "INSERT INTO chats_folder (uid) VALUES ('x') RETURNING *",
    "replace": "REPLACE INTO chats_folder (uid) VALUES ('x')",
    "update": "UPDATE auth_user SET is_superuser = 1",
    "update-cte": "WITH x AS (SELECT 1) UPDATE auth_user SET password = ''",
    "delete": "DELETE FROM chats_conversation",
    "delete-cte": "WITH x AS (SELECT 1) DELETE FROM chats_conversation RETURNING *",
    "delete-explained": "EXPLAIN DELETE FROM chats_conversation",
    "create-table": "CREATE TABLE evil (x)",
    "create-temp-table": "CREATE TEMP TABLE evil AS SELECT * FROM auth_user",
    "create-view": "CREATE VIEW evil AS SELECT * FROM auth_user",
    "create-temp-view": "CREATE TEMP VIEW chats_conversation AS SELECT * FROM auth_user",
    "create-trigger": "CREATE TRIGGER t AFTER INSERT ON chats_folder BEGIN DELETE FROM auth_user; END",
    "create-virtual": "CREATE VIRTUAL TABLE evil USING fts5vocab('main', 'x', 'row')",
    "create-index": "CREATE INDEX evil ON auth_user (password)",
    "drop": "DROP TABLE chats_conversation",
    "alter": "ALTER TABLE chats_folder RENAME TO evil",
    "attach": "ATTACH '/tmp/evil.sqlite3' AS evil",
    "attach-memory": "ATTACH ':memory:' AS evil",
    "detach": "DETACH main",
    "vacuum": "VACUUM",
    "vacuum-into": "VACUUM INTO '/tmp/stolen.sqlite3'",
    "reindex": "REINDEX",
    "analyze": "ANALYZE",
    "begin": "BEGIN IMMEDIATE",
    "commit": "COMMIT",
    "savepoint": "SAVEPOINT evil",
    "rollback": "ROLLBACK",
    "pragma-writable-schema": "PRAGMA writable_schema=ON",
    "pragma-query-only": "PRAGMA query_only=OFF",
    "pragma-journal-mode": "PRAGMA journal_mode=DELETE",
    "pragma-key": "PRAGMA key='x'",
    "pragma-user-version": "PRAGMA user_version=7",
    "pragma-user-version-call": "PRAGMA user_version(7)",
    "pragma-page-size": "PRAGMA page_size=512",
    "pragma-heap-limit": "PRAGMA hard_heap_limit=1",
    "pragma-temp-store-directory": "PRAGMA temp_store_directory='/tmp'",
    "pragma-wal-checkpoint": "PRAGMA wal_checkpoint(TRUNCATE)",
    "pragma-database-list-statement": "PRAGMA database_list",
    "pragma-integrity-check": "PRAGMA integrity_check",
    "pragma-optimize": "PRAGMA optimize",
    "pragma-quoted": 'PRAGMA "writable_schema"=1',
    "pragma-comment": "PRAGMA/**/main./**/writable_schema=1",
    # Two statements, and what hides one.
    "two-statements": "SELECT 1; DELETE FROM chats_conversation",
    "two-selects": "SELECT 1; SELECT password FROM auth_user",
    "empty-first": "; SELECT password FROM auth_user",
    "comment-last": "SELECT 1 -- \n; DROP TABLE chats_conversation",
    "nested-comment": "/* /* */ DELETE FROM chats_conversation -- */",
    "nul": "SELECT 1\x00; SELECT password FROM auth_user",
    "nul-in-name": "SELECT password FROM auth\x00_user",
    "byte-order-mark": "\ufeffDELETE FROM chats_conversation",
    "lookalike": "SELECT password FROM аuth_user",
    "fullwidth": "ＳＥＬＥＣＴ password FROM auth_user",
    "kelvin-sign": "SELECT * FROM boo\u212a",
    "lone-surrogate": "SELECT '\ud800' FROM auth_user",
    "explain-explain": "EXPLAIN EXPLAIN SELECT password FROM auth_user",
    "query-plan-first": "QUERY PLAN SELECT password FROM auth_user",
    "blank": "  \n\t ",
    "only-a-comment": "-- nothing",
    "only-a-semicolon": ";",
    "only-an-open-comment": "/* nothing",
    "not-sql": "hello",
    "dot-command": ".dump",
}

BOMBS = {
    "recursion": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
    "recursion-kept": "WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n) SELECT max(i) FROM n",
    "recursion-sorted": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n ORDER BY -i",
    "recursion-texts": (
        "WITH RECURSIVE n(t) AS (SELECT 'aaaaaaaaaaaaaaaa' UNION ALL SELECT t || t FROM n) SELECT count(*) FROM n"
    ),
    "memory": (
        "WITH RECURSIVE n(i, t) AS (SELECT 1, printf('%.*c', 9000000, 'x') UNION ALL SELECT i + 1, t || i FROM n)"
        " SELECT count(*) FROM (SELECT DISTINCT t FROM n)"
    ),
    "cartesian": "SELECT count(*) FROM chats_fragment a, chats_fragment b, chats_fragment c, chats_fragment d",
    "cartesian-sorted": (
        "SELECT a.text FROM chats_fragment a, chats_fragment b, chats_fragment c, chats_fragment d ORDER BY random()"
    ),
    "cartesian-distinct": "SELECT count(DISTINCT a.id * b.id) FROM chats_fragment a, chats_message b, chats_message c",
    "window": "SELECT count(*) OVER (ORDER BY a.id, b.id) FROM chats_fragment a, chats_fragment b, chats_fragment c",
    "like": "SELECT count(*) FROM chats_fragment a, chats_fragment b WHERE a.text LIKE '%e%e%e%e%e%e%e%e%e%e%e%Q'",
    "glob": f"SELECT printf('%.*c', 3000000, 'a') GLOB '{'*a?' * 60}b'",
    "replace": "SELECT length(" + "replace(" * 8 + "'aaaaaaaa'" + ", 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa')" * 8 + ")",
    "replace-nested": "SELECT length(replace(printf('%.*c', 6000000, 'a'), 'a', 'bbbbbbbbbb'))",
    "instr": "SELECT instr(printf('%.*c', 30000000, 'a'), printf('%.*c', 15000000, 'a') || 'b')",
    "printf-width": "SELECT length(printf('%2000000000d', 1))",
    "printf-repeat": "SELECT length(printf('%.*c', 2000000000, 'x'))",
    "printf-precision": "SELECT length(printf('%.2000000000f', 1.5))",
    "format-comma": "SELECT length(format('%,2000000000d', 1))",
    "group-concat": (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
        " SELECT length(group_concat(printf('%.*c', 1000000, 'x'))) FROM n"
    ),
    "json-nested": f"SELECT json('{'[' * 9000}')",
    "json-patch": "SELECT json_patch('{}', '{" + '"a":{' * 3000 + "}" * 3000 + "')",
    "json-each-cross": (
        "SELECT count(*) FROM " + ", ".join(f"json_each('[{','.join('1' * 60)}]') j{at}" for at in range(8))
    ),
    "json-tree-deep": "SELECT count(*) FROM json_tree(printf('%.*c', 1900, '[') || printf('%.*c', 1900, ']'))",
    "deep-expression": f"SELECT {'(' * 5000}1{')' * 5000}",
    "deep-not": f"SELECT {'NOT ' * 4000}1",
    "long-sum": f"SELECT {'+'.join('1' * 4000)}",
    "many-unions": " UNION ALL ".join(["SELECT 1"] * 600),
    "wide": f"SELECT {','.join('1' * 3000)}",
    "wide-join": f"SELECT * FROM {','.join(['chats_message'] * 30)}",
    "many-joins": f"SELECT count(*) FROM {','.join(f'chats_fragment f{at}' for at in range(60))}",
    "exponential-views": (
        "WITH a0 AS (SELECT 1 x UNION SELECT 2), "
        + ", ".join(f"a{at} AS (SELECT a.x FROM a{at - 1} a JOIN a{at - 1} b ON a.x = b.x)" for at in range(1, 22))
        + " SELECT count(*) FROM a21"
    ),
    "many-parameters": f"SELECT {','.join('?' * 400)}",
    "parameter-number": "SELECT ?9999999",
    "huge-statement": f"SELECT '{'x' * 200_000}'",
    "huge-result": "SELECT a.*, b.* FROM chats_fragment a, chats_fragment b",
    "long-cells": "SELECT printf('%.*c', 8000000, 'x') FROM chats_fragment",
    "blob": "SELECT CAST(text AS BLOB) FROM chats_fragment",
    "not-utf-8": "SELECT CAST(x'ff00fe41c3' AS TEXT)",
    "numbers": "SELECT 9e999, -9e999, 9223372036854775807, 0.0 / 0",
    "index-by-math": "SELECT pow(10, 400), exp(1e9), sqrt(-1), mod(1, 0), log(0)",
}


@pytest.fixture(scope="module")
def seeded(django_db_setup, django_db_blocker):
    """Yield a signed-in client, and what no answer may hold; the rows are committed, as the box reads the file."""
    with django_db_blocker.unblock():
        client = sign_in()
        user = User.objects.get()
        User.objects.filter(pk=user.pk).update(password=PASSWORD)
        # The session's own check of the password is kept up with it.
        user.refresh_from_db()
        client.force_login(user)
        token, text = create_token(user, "program", is_read_only=False, lifetime=None)
        SignInLink.objects.create(user=user, digest="5eed" * 16, expires_at="2099-01-01T00:00Z")
        IdempotencyKey.objects.create(user=user, key="LEAKEDIDEMPOTENCYKEY", digest="d1" * 32, owner="LEAKEDOWNER")
        for at in range(40):
            texts = [make_message(f"m{n}", f"I see trees, and {at} keys: {KEY}") for n in range(10)]
            make_chat(f"chat-{at}", at, messages=texts)
        make_service(setup={"oaiKey": KEY})
        secrets = [
            *(PASSWORD, "LEAKEDSALT", "LEAKEDPASSWORDHASH", KEY, text, token.digest, token.token_key, "5eed" * 16),
            *("LEAKEDIDEMPOTENCYKEY", "LEAKEDOWNER", client.cookies["bigagi_session"].value),
            *(bytes(secret.ciphertext).decode() for secret in Secret.objects.all()),
        ]
        assert Secret.objects.exists() and Token.objects.exists() and Fragment.objects.count() == 400
        yield client, [*secrets, *(secret.encode().hex() for secret in secrets)]
        call_command("flush", verbosity=0, interactive=False)


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(sql_box, "SECONDS", SECONDS)


def ask(client, sql, **members):
    return client.post("/sqlite-test/sql", json.dumps({"sql": sql, **members}), content_type="application/json")


def fingerprint():
    """Return a digest of all that the database holds, but for the log of warnings, which tells of refused requests."""
    digest = hashlib.sha256()
    with closing(sqlite3.connect(connection.settings_dict["NAME"])) as file:
        for line in file.iterdump():
            if not line.startswith(('INSERT INTO "metrics_logentry"', 'INSERT INTO "sqlite_sequence"')):
                digest.update(line.encode())
        digest.update(str(file.execute("PRAGMA user_version").fetchone()).encode())
        assert file.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    return digest.hexdigest()


_last: dict[str, str] = {}


def attack(seeded, sql, **members):
    """Ask, and check what holds for every answer; return it."""
    client, secrets = seeded
    before = _last.get("fingerprint") or fingerprint()
    started = time.monotonic()
    answer = ask(client, sql, **members)
    assert time.monotonic() - started < SECONDS + sql_box.START_SECONDS + 1
    body = answer.content.decode().lower()
    assert [secret for secret in secrets if secret.lower() in body] == []
    assert "bigagi-secret:ref:" not in body
    assert "traceback" not in body
    assert len(body) < 8_000_000
    assert answer.status_code in (200, 400, 422), body[:500]
    if answer.status_code != 200:
        problem = answer.json()
        assert problem["status"] == answer.status_code
        assert problem["detail"].strip()
        assert len(problem["detail"]) < 500
    _last["fingerprint"] = fingerprint()
    assert _last["fingerprint"] == before
    return answer


def test_there_are_enough_attacks():
    assert len(DENIED) + len(BOMBS) > 150


@pytest.mark.parametrize("name", by_day(list(DENIED), each=2))
def test_it_is_denied(seeded, name):
    answer = attack(seeded, DENIED[name])
    assert answer.status_code == 400, answer.content[:300]
    assert "rows" not in answer.json()


@pytest.mark.parametrize("name", ["natural-join-oracle", "column", "delete", "dbstat-natural", "two-statements"])
def test_the_plan_of_it_is_denied_too(seeded, name):
    assert attack(seeded, DENIED[name], plan=True).status_code == 400


@pytest.mark.parametrize("name", by_day(list(BOMBS), each=2))
def test_it_does_no_harm(seeded, name):
    attack(seeded, BOMBS[name])
    # The box goes on to work.
    assert ask(seeded[0], "SELECT 1").status_code == 200


@pytest.mark.parametrize(
    "parameters", ["x", 1, True, {"a": []}, [[]], [{}], [2**63], [2**70], ["\ud800"], {"a": {}}, [1, 2], {}, None]
)
def test_parameters_of_a_wrong_kind_are_told(seeded, parameters):
    answer = attack(seeded, "SELECT ?", parameters=parameters)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/parameters"


def test_a_parameter_is_never_sql(seeded):
    answer = attack(seeded, "SELECT ?", parameters=["x'; DELETE FROM auth_user; --"])
    assert answer.json()["rows"] == [["x'; DELETE FROM auth_user; --"]]


def test_the_time_is_over_while_it_sorts(seeded):
    for name in ("recursion", "recursion-sorted", "cartesian-sorted"):
        answer = attack(seeded, BOMBS[name])
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["code"] in ("time", "memory")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"1", b"null", b'{"sql": 1}', b'{"sql": null}', b"\xff", b"[" * 9999]
)
def test_a_body_that_is_none_is_told(seeded, body):
    answer = seeded[0].post("/sqlite-test/sql", body, content_type="application/json")
    assert answer.status_code == 400
    assert "sql" in answer.json()["detail"]
