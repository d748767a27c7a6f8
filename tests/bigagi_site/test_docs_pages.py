"""The documentation's pages: what they tell is true, and complete."""

import ast
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection

from bigagi_site.docs import diagram
from bigagi_site.docs.database import FOREIGN_TABLES, QUERIES, foreign_tables, own_tables
from bigagi_site.docs.views import VIEW_QUERIES
from bigagi_site.sql_views.definitions import VIEWS
from stores.records.problem_details import KINDS
from tests.api import make_chat, make_file, make_folder, make_message, read_problem, sign_in
from tests.metrics.events import make_event

pytestmark = pytest.mark.any_database

PAGES = ["/api/docs", "/api/docs/five-minutes", "/api/docs/troubleshooting", "/api/docs/database"]
SOURCES = [path for name in ("bigagi_site", "stores", "llms", "metrics", "workspace", "chats") for path in [Path(name)]]
CARRIERS = {"Fault": 0, "Problem": None, "problem_response": None, "describe_problem": None, "Conflict": 1}
"""What takes the kind of a problem, by keyword or at this place."""


def get(path):
    answer = sign_in().get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.getvalue()[:500]
    return answer.getvalue().decode()


def kinds_in_code():
    found = {"error", "conflict", *KINDS.values()}
    root = Path(settings.BASE_DIR)
    for path in (file for source in SOURCES for file in (root / source).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(getattr(node, "func", None), "id", getattr(getattr(node, "func", None), "attr", ""))
            if isinstance(node, ast.Call) and name in CARRIERS:
                given = [keyword.value for keyword in node.keywords if keyword.arg == "kind"]
                place = CARRIERS[name]
                given += node.args[place : place + 1] if place else []
                found |= {value.value for value in given if isinstance(value, ast.Constant) and value.value}
    return found


def test_the_walk_finds_kinds_however_they_are_given():
    assert {"not-confirmed", "id-taken", "asset-damaged", "not-found", "in-flight"} <= kinds_in_code()


@pytest.mark.django_db
def test_every_problem_leads_to_an_entry():
    entries = set(re.findall(r'<h3 id="([a-z-]+)"', get("/api/docs/troubleshooting")))
    assert kinds_in_code() <= entries
    assert {
        *("store-not-made", "server-error", "data-not-persisting", "file-locked", "wrong-path"),
        *("changed-meanwhile", "missing-key", "provider-down", "chat-will-not-start"),
    } <= entries


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_links_within_the_pages_lead_somewhere(path):
    client = sign_in()
    text = get_with(client, path)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    for link in set(re.findall(r'(?:href|src|srcset)="([^"]+)"', text)):
        if link.startswith("#"):
            assert link[1:] in ids, link
        elif link.startswith("/api"):
            assert client.get(unescape(link)).status_code == 200, link
        else:
            assert link.startswith("/"), f"{link} is of another host"


def get_with(client, path):
    return client.get(path, headers={"Accept": "text/html"}).getvalue().decode()


@pytest.mark.django_db
@pytest.mark.parametrize("path", PAGES)
def test_pages_have_no_inline_style_and_no_inline_script(path):
    text = get(path)
    assert not re.search(r"<style|\sstyle=|<script(?![^>]*\bsrc=)|\son[a-z]+=", text)
    assert 'aria-current="page"' in text


@pytest.mark.django_db
def test_every_table_and_column_is_described():
    text = get("/api/docs/database")
    described = {table.name for _, tables in own_tables() for table in tables}
    described |= {table.name for table in foreign_tables()}
    # SQLite's own, and the shadow tables of a search index.
    there = {
        name for name in connection.introspection.table_names() if not re.search(r"^sqlite_|_(?:fts|search)", name)
    }
    assert there <= described
    for name in there:
        assert f'id="{name}"' in text
    for model in apps.get_models():
        for field in model._meta.local_fields:
            assert f"<code>{field.column}</code>" in text
    assert set(FOREIGN_TABLES) <= described


@pytest.mark.parametrize("label", settings.GRAPH_MODELS["app_labels"])
def test_every_field_and_every_model_says_what_it_means(label):
    for model in apps.get_app_config(label).get_models(include_auto_created=True):
        assert model.__doc__ and not model.__doc__.startswith(f"{model.__name__}("), model
        for field in model._meta.get_fields():
            if field.concrete and not getattr(field, "primary_key", False):
                assert field.help_text, f"{model.__name__}.{field.name} has no help text"


@pytest.mark.django_db
def test_the_lines_to_look_for_oneself_work():
    make_chat(messages=[make_message(text="A bridge")])
    make_folder()
    make_file()
    make_event(conversation="chat")
    is_sqlite = connection.vendor == "sqlite"
    text = unescape(get("/api/docs/database"))
    assert is_sqlite or "psql" in text
    for query in [*VIEW_QUERIES, *(QUERIES if is_sqlite else [])]:
        assert f'"{query.sql}"' in text
        # The shell takes what stands between double quotes as it is.
        assert not re.search(r'["$`\\!]', query.sql)
        with connection.cursor() as cursor:
            cursor.execute(query.sql)
            assert cursor.fetchall() or "stores_change" in query.sql
    assert "sqlite3 -readonly -box " in text or not is_sqlite
    for view in VIEWS.values():
        for column in view.columns:
            assert f"<code>{column.name}</code>" in text and column.meaning in text


@pytest.mark.django_db
@pytest.mark.parametrize("label", settings.GRAPH_MODELS["app_labels"])
def test_each_app_has_a_diagram_in_both_colours(label):
    if shutil.which("dot") is None:
        pytest.skip("no Graphviz is installed")
    client = sign_in()
    pictures = [client.get(f"/api/docs/database/{label}.svg?theme={theme}") for theme in ("light", "dark")]
    assert {picture["Content-Type"] for picture in pictures} == {"image/svg+xml"}
    assert pictures[0].content != pictures[1].content
    for model in apps.get_app_config(label).get_models():
        assert model.__name__.encode() in pictures[0].content


@pytest.mark.django_db
def test_without_graphviz_the_page_works_and_gives_the_text(monkeypatch):
    monkeypatch.setattr(diagram.shutil, "which", lambda name: None)
    diagram.draw_svg.cache_clear()
    try:
        text = get("/api/docs/database")
        assert "<picture>" not in text and "Graphviz" in text
        answer = sign_in(username="two").get("/api/docs/database/chats.svg")
        assert answer["Content-Type"].startswith("text/vnd.graphviz")
        assert b"chats_models_conversation_Message" in answer.content
    finally:
        diagram.draw_svg.cache_clear()


@pytest.mark.django_db
def test_an_unknown_diagram_is_a_problem():
    client = sign_in()
    read_problem(client.get("/api/docs/database/nothing.svg"), 404)
    read_problem(client.get("/api/docs/database/chats.svg?theme=pink"), 400)


def test_the_command_draws_the_same_tables():
    from django.core.management import call_command

    out = Path(settings.DATA_DIR) / "models.dot"
    call_command("graph_models", dot=True, outputfile=str(out))
    text = out.read_text()
    assert "Conversation" in text and "MigrationRun" in text and "knox_models_AbstractAuthToken [" not in text


def test_the_five_minutes_work_as_they_are_written(server, tmp_path):
    token = server.manage("create_token", "five minutes").stdout.strip()
    text = server.sign_in().get("/api/docs/five-minutes").text
    shell = [unescape(code) for code in re.findall(r'<code class="language-shell">(.*?)</code>', text, re.S)]
    [python] = [unescape(code) for code in re.findall(r'<code class="language-python">(.*?)</code>', text, re.S)]
    assert len(shell) == 3 and all(server.url in code for code in shell)
    environment = os.environ | {"BIGAGI_TOKEN": token, "no_proxy": "*"}
    if shutil.which("curl") is None:
        pytest.skip("no curl is installed")
    for code in shell:
        ran = subprocess.run(
            ["sh", "-c", code.replace("curl ", "curl --fail-with-body ", 1)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
    ran = subprocess.run(
        [sys.executable, "-c", python], env=environment, capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    assert ran.stdout.splitlines() == ["By curl 2 messages", "By Python", "By curl"], ran.stderr


def test_the_readonly_path_is_that_of_the_server(server):
    text = unescape(server.sign_in().get("/api/docs/database").text)
    if "DATABASE_URL" in server.environment:
        assert "psql" in text
        return
    [path] = set(re.findall(r"sqlite3 -readonly -box (\S+)", text))
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        for query in QUERIES:
            database.execute(query.sql).fetchall()
