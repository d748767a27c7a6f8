"""What each table and column of the database means, read from the models."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.db.migrations.recorder import MigrationRecorder
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

OWN_KEY = "bigagi's own key of the row."

FOREIGN_TABLES = {
    "auth_user": "Who may sign in.",
    "auth_group": "Groups of users; not used.",
    "auth_permission": "Django's permissions; not used beyond “staff”.",
    "auth_user_groups": "Which user is in which group.",
    "auth_user_user_permissions": "Which user has which permission.",
    "auth_group_permissions": "Which group has which permission.",
    "django_admin_log": "The admin's own list of actions; the journal (stores_change) has them all.",
    "django_content_type": "Django's ids of its models.",
    "django_migrations": "Which migrations were applied.",
    "django_session": "Signed-in browsers.",
}


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    is_nullable: bool
    meaning: str
    target: str = ""
    """The table that it refers to."""


@dataclass(frozen=True)
class Rule:
    """An index or a constraint."""

    kind: str
    name: str
    subject: str


@dataclass(frozen=True)
class Table:
    name: str
    app: str
    model: str
    meaning: SafeString
    columns: list[Column]
    rules: list[Rule]


@dataclass(frozen=True)
class Query:
    """An example query for the owner."""

    meaning: str
    sql: str


QUERIES = [
    Query(
        "The most recently changed chats",
        "SELECT uid, coalesce(user_title, auto_title) AS title, datetime(updated / 1000, 'unixepoch') AS updated "
        "FROM chats_conversation ORDER BY updated DESC LIMIT 10",
    ),
    Query(
        "The texts of one chat, in order",
        "SELECT m.position, m.role, f.text FROM chats_message m JOIN chats_fragment f ON f.message_id = m.id "
        "WHERE m.conversation_id = (SELECT id FROM chats_conversation ORDER BY updated DESC LIMIT 1) "
        "AND f.pt = 'text' ORDER BY m.position, f.position",
    ),
    Query(
        "How many records of each kind there are",
        "SELECT (SELECT count(*) FROM chats_conversation) AS chats, (SELECT count(*) FROM chats_message) AS messages, "
        "(SELECT count(*) FROM chats_asset) AS assets",
    ),
    Query(
        "Cost per month and service (UTC)",
        "SELECT strftime('%Y-%m', at / 1000, 'unixepoch') AS month, service, sum(calls) AS calls, "
        "printf('%.4f', sum(cost_nano_usd) / 1e9) AS usd FROM metrics_usageevent WHERE source <> 'test' "
        "GROUP BY 1, 2 ORDER BY 1 DESC, 2",
    ),
    Query(
        "The latest changes, and who made them",
        "SELECT id, at, actor, action, summary FROM stores_change ORDER BY id DESC LIMIT 10",
    ),
    Query("Whether the database file is intact", "PRAGMA quick_check"),
]


def own_tables() -> list[tuple[str, list[Table]]]:
    """Return the tables of our apps, by app, in the order in which they depend on each other."""
    found = []
    for label in settings.GRAPH_MODELS["app_labels"]:
        tables = [describe_table(model) for model in apps.get_app_config(label).get_models(include_auto_created=True)]
        found.append((label, tables))
    return found


def foreign_tables() -> list[Table]:
    """Return the tables of Django and of libraries."""
    ours = set(settings.GRAPH_MODELS["app_labels"])
    theirs: list[type[models.Model]] = []
    for model in apps.get_models(include_auto_created=True, include_swapped=True):
        if model._meta.app_label not in ours:
            theirs.append(model)
    theirs.append(MigrationRecorder.Migration)
    return [describe_table(model) for model in theirs]


def describe_table(model: type[models.Model]) -> Table:
    """Return what there is to say of a model's table."""
    meta = model._meta
    doc = (model.__doc__ or "").strip()
    is_own_doc = doc and not doc.startswith(f"{model.__name__}(")
    meaning = FOREIGN_TABLES.get(meta.db_table) or (" ".join(doc.split()) if is_own_doc else "")
    return Table(
        name=meta.db_table,
        app=meta.app_label,
        model=model.__name__,
        meaning=_as_html(meaning),
        columns=[_describe_column(field) for field in meta.local_fields],
        rules=list(_rules_of(model)),
    )


def _as_html(text: str) -> SafeString:
    """Return the text with what stands between backticks as code."""
    parts = text.split("`")
    kinds = ("{}", "<code>{}</code>")
    return mark_safe("".join(format_html(kinds[at % 2], part) for at, part in enumerate(parts)))


def _describe_column(field: "models.Field[Any, Any]") -> Column:
    meaning = str(field.help_text) or (OWN_KEY if field.primary_key else f"{str(field.verbose_name).capitalize()}.")
    return Column(
        name=str(field.column),
        type=(field.db_type(connection) or "").partition(" CHECK")[0],
        is_nullable=field.null,
        meaning=meaning,
        target=field.related_model._meta.db_table if isinstance(field, models.ForeignKey) else "",
    )


def _rules_of(model: type[models.Model]) -> Iterator[Rule]:
    meta = model._meta
    for field in meta.local_fields:
        if field.primary_key:
            yield Rule("primary key", "", str(field.column))
        elif field.unique:
            yield Rule("unique", "", str(field.column))
        elif getattr(field, "db_index", False):
            yield Rule("index", "", str(field.column))
    for together in meta.unique_together:
        yield Rule("unique", "", _columns(model, together))
    for index in meta.indexes:
        subject = _columns(model, [name for name, _ in index.fields_orders]) or ", ".join(
            str(expression) for expression in index.expressions
        )
        yield Rule("partial index" if index.condition else "index", index.name, subject + _only(index.condition))
    for constraint in meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            yield Rule("unique", constraint.name, _columns(model, constraint.fields) + _only(constraint.condition))
        elif isinstance(constraint, models.CheckConstraint):
            yield Rule("check", constraint.name, _words(constraint.condition))
        else:
            yield Rule("constraint", constraint.name, "")


def _columns(model: type[models.Model], names: Any) -> str:
    return ", ".join(str(getattr(model._meta.get_field(name.lstrip("-")), "column", name)) for name in names)


def _only(condition: models.Q | None) -> str:
    return f", only where {_words(condition)}" if condition else ""


def _words(condition: Any) -> str:
    """Return a condition in words as the fields have them."""
    if isinstance(condition, tuple):
        name, value = condition
        field, _, lookup = name.partition("__")
        operator = {"": "=", "gte": "≥", "gt": ">", "lte": "≤", "lt": "<", "in": "in"}.get(lookup)
        if lookup == "isnull":
            return f"{field} is {'' if value else 'not '}null"
        return f"{field} {operator} {value}" if operator else f"{name} = {value}"
    if isinstance(condition, models.Q):
        words = f" {condition.connector.lower()} ".join(_words(child) for child in condition.children)
        return f"not ({words})" if condition.negated else words
    return str(condition)
