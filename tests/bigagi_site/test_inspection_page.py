"""The tabs of the panel that look into the database: the table browser and the SQL box, in the browser."""

import os
from pathlib import Path

import pytest

from tests.chats.chat_page import expect, make_chat

pytestmark = pytest.mark.browser

NO_SQL = pytest.mark.skipif(
    os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="the SQL box reads SQLite's file"
)


def open_tab(page, name):
    page.goto(f"/sqlite-test#{name}")
    expect(page.locator(f"#panel-{name}[data-ready]")).to_be_visible()


def is_in_width(page):
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def run(page, sql, key="Control+Enter"):
    page.get_by_label("Statement", exact=True).fill(sql)
    page.keyboard.press(key)


@NO_SQL
def test_a_statement_is_run_planned_and_saved(server, page, tmp_path):
    make_chat(server, '=1+1, a "title"', "Q", "A")
    page.set_viewport_size({"width": 390, "height": 844})
    open_tab(page, "sql")
    sql = "SELECT auto_title, user_title, -5 AS n, x'00ff' AS b FROM chats_conversation WHERE user_title LIKE '=%'"
    run(page, sql)
    expect(page.locator("#sql-status")).to_contain_text("1 row in ")
    expect(page.locator("#sql-result th")).to_have_text(["auto_title", "user_title", "n", "b"])
    expect(page.locator("#sql-result tbody td")).to_have_text(["NULL", '=1+1, a "title"', "-5", "2 bytes"])
    assert is_in_width(page)

    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    saved = Path(download.value.path()).read_bytes().decode()
    assert saved == 'auto_title,user_title,n,b\r\n,"\'=1+1, a ""title""",-5,(2 bytes)\r\n'
    with page.expect_download() as download:
        page.get_by_role("button", name="Download JSON").click()
    assert '"user_title"' in Path(download.value.path()).read_text()

    page.get_by_role("button", name="Query plan").click()
    expect(page.locator("#sql-result li")).to_contain_text(["chats_conversation"])
    expect(page.get_by_role("button", name="Download CSV")).to_be_hidden()


@NO_SQL
def test_errors_stand_at_the_statement_and_cuts_are_told(page):
    open_tab(page, "sql")
    field = page.get_by_label("Statement", exact=True)
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#sql-error")).to_have_text("Write a statement first, or choose an example.")
    expect(field).to_be_focused()
    run(page, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT i FROM n")
    expect(page.locator("#sql-status")).to_contain_text("1,000 rows in")
    expect(page.locator("#sql-status")).to_contain_text("limited to 1,000 rows: there are more")
    expect(page.locator("#sql-error")).to_be_hidden()
    run(page, "SELECT uid FROM chats_conversation WHERE 0")
    expect(page.locator("#sql-result")).to_have_text("The statement returned no rows.")
    page.get_by_label("Examples").select_option(label="Messages per month")
    assert field.input_value().startswith("SELECT strftime")
    expect(field).to_be_focused()


@NO_SQL
def test_a_denied_statement_is_told(server, browser):
    context = browser.new_context(base_url=server.url)
    session = server.sign_in().cookie("bigagi_session")
    context.add_cookies([{"name": "bigagi_session", "value": session, "url": server.url}])
    page = context.new_page()
    open_tab(page, "sql")
    run(page, "SELECT * FROM auth_user")
    expect(page.locator("#sql-error")).to_have_text(
        "The table auth_user cannot be read here: its app stores users, sessions or tokens."
    )
    expect(page.get_by_label("Statement", exact=True)).to_have_attribute("aria-invalid", "true")
    context.close()


def test_a_table_is_found_read_and_queried(server, page):
    for at in range(3):
        make_chat(server, f"Chat {at}", *["Q", "A"] * 15)
    open_tab(page, "tables")
    page.get_by_label("Find a table").fill("chats_mess")
    expect(page.locator("#tables-status")).to_have_text("1 table")
    page.locator("#tables-list").get_by_role("button", name="chats_message").click()
    detail = page.locator("#tables-detail")
    expect(detail.get_by_role("heading", name="chats_message", exact=True)).to_be_focused()
    expect(detail.get_by_role("region", name="Columns (")).to_contain_text("conversation_id")
    expect(detail.get_by_role("region", name="Indexes and rules (")).to_contain_text("chats_message_position")
    rows = detail.get_by_role("region", name="Rows of chats_message")
    expect(rows.locator("tbody tr")).to_have_count(50)
    detail.get_by_role("button", name="Next").click()
    expect(detail.get_by_text("Page 2: ")).to_be_visible()
    detail.get_by_role("button", name="Previous").click()
    expect(detail.get_by_text("Page 1: 50 rows")).to_be_visible()
    detail.get_by_role("button", name="chats_conversation").click()
    expect(detail.get_by_role("heading", name="chats_conversation", exact=True)).to_be_focused()
    page.set_viewport_size({"width": 390, "height": 844})
    assert is_in_width(page)
    if page.locator("#tab-sql").count():
        held = []
        page.route("**/sqlite-test/sql.*", lambda route: held.append(route))
        with page.expect_request("**/sqlite-test/sql.*"):
            detail.get_by_role("button", name="Query this table").click()
        expect(page.locator("#panel-sql[inert]")).to_be_visible()
        held.pop().continue_()
        expect(page.get_by_label("Statement", exact=True)).to_be_focused()
        page.keyboard.press("Control+Enter")
        expect(page.locator("#sql-status")).to_contain_text("rows in")


def test_a_closed_table_says_so_under_its_own_address(page):
    page.goto("/sqlite-test#tables/auth_user")
    detail = page.locator("#tables-detail")
    expect(detail).to_contain_text("Rows are not shown: its app stores users, sessions or tokens.")
    expect(detail).to_contain_text("password")
    expect(detail.get_by_role("button", name="Query this table")).to_have_count(0)
