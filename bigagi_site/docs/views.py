"""What the views with plain names hold, and queries to begin with."""

from django.utils.html import format_html

from bigagi_site.docs.database import Column, Query, Table
from bigagi_site.sql_views.definitions import VIEWS, View

# Each runs on SQLite and on PostgreSQL, and stands between double quotes in a shell.
VIEW_QUERIES = [
    Query(
        "What each month cost, by model",
        "SELECT substr(time, 1, 7) AS month, model, sum(calls) AS calls, sum(cost_usd) AS usd "
        "FROM usage GROUP BY 1, 2 ORDER BY 1 DESC, 2",
    ),
    Query(
        "The most expensive chats",
        "SELECT title, messages, cost_usd FROM chats WHERE cost_usd > 0 ORDER BY cost_usd DESC LIMIT 10",
    ),
    Query(
        "A chat from beginning to end; put its id (in its address) in the place of the query",
        "SELECT time, role, text FROM messages WHERE chat = (SELECT id FROM chats ORDER BY number DESC LIMIT 1) "
        "ORDER BY position",
    ),
    Query(
        "Messages with a word in them, the newest first",
        "SELECT chat_title, time, role, text FROM messages WHERE lower(text) LIKE '%bridge%' "
        "ORDER BY time_ms DESC LIMIT 20",
    ),
    Query("The largest files", "SELECT kind, name, size, chat, path FROM files ORDER BY size DESC LIMIT 10"),
]


def describe_view(view: View) -> Table:
    """Return what there is to say of a view, as of a table."""
    columns = [Column(column.name, column.type, column.is_nullable, column.meaning) for column in view.columns]
    return Table(view.name, "views", view.name, format_html("{}", view.meaning), columns, [])


def view_tables() -> list[Table]:
    """Return the views, as tables."""
    return [describe_view(view) for view in VIEWS.values()]
