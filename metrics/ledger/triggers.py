"""Database triggers that protect the ledger and maintain its sums.

Triggers refuse to change, delete, truncate or replace an event, whether by the ORM, the admin or other SQL.
Others add each new event to the rollups in the same statement. SQLite drops a table's triggers silently when a
migration alters the table, so they are created after each migration, and checked at each start and by `/api/ready`.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, transaction
from django.db.migrations import Migration

from metrics.ledger.sums import (
    COUNTED,
    DAY_KEY,
    DETAIL_KEY,
    DIMENSIONS,
    EMPTY,
    QUARTER_KEY,
    add_up,
    day_of,
    measures_of_event,
    quarter_of,
)
from metrics.models import UsageDay, UsageDayDetail, UsageEvent, UsageQuarter, ZoneOffset
from metrics.models.rollups import MEASURES

LEDGER = UsageEvent._meta.db_table
QUARTERS, DETAILS, DAYS = (model._meta.db_table for model in (UsageQuarter, UsageDayDetail, UsageDay))
ZONE = ZoneOffset._meta.db_table

ADD_UP = "metrics_ledger_add_up"

_BODY = "$body$"
REFUSAL = "The ledger is append-only: write an event that takes this one back."


def create_triggers() -> list[str]:
    """Create triggers that are missing or differ from this version's; return their names."""
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Two processes can start at once.
            cursor.execute(f"LOCK TABLE {LEDGER} IN SHARE ROW EXCLUSIVE MODE")
        missing = find_missing_triggers()
        statements = _statements()
        for name in missing:
            for statement in statements[name]:
                cursor.execute(statement)
    return missing


def make_way(plan: Sequence[tuple[Migration, bool]], **kwargs: Any) -> None:
    """Drop the trigger that maintains the sums, before a migration of the tables that it names: SQLite would refuse to
    alter them, and PostgreSQL does not notice. After the migration it is recreated, and the sums are rebuilt."""
    if any(migration.app_label == "metrics" for migration, _ in plan):
        drop_triggers([ADD_UP])


def drop_triggers(names: Iterable[str] | None = None) -> None:
    """Drop some or all triggers, for tests that empty all tables."""
    with transaction.atomic(), connection.cursor() as cursor:
        for name in _statements() if names is None else names:
            on = f" ON {LEDGER}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{on}")


def find_missing_triggers() -> list[str]:
    """Return the names of triggers that are missing or differ from this version's."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT t.tgname, d.description || ' ' || p.prosrc FROM pg_trigger t"
                " JOIN pg_proc p ON p.oid = t.tgfoid"
                " JOIN pg_description d ON d.objoid = t.oid AND d.classoid = 'pg_trigger'::regclass"
                " WHERE t.tgrelid = to_regclass(%s) AND t.tgenabled = 'A'",
                [LEDGER],
            )
        else:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [LEDGER])
        found = dict(cursor.fetchall())
    return [name for name, statements in _statements().items() if found.get(name) != _mark(statements)]


def _mark(statements: list[str]) -> str:
    """Return what the database keeps of a trigger that is as it should be: of PostgreSQL's, the comment (which says
    when it fires) and the function's text."""
    if connection.vendor != "postgresql":
        return statements[-1]
    function, _, trigger, *_ = statements
    return f"{trigger} {function.split(_BODY)[1]}"


def _statements() -> dict[str, list[str]]:
    """Return the statements that make each trigger, by its name."""
    return _for_postgresql() if connection.vendor == "postgresql" else _for_sqlite()


def _additions() -> list[str]:
    """Return the statements that add the event NEW to the rollups."""
    measures = measures_of_event("NEW.")
    start = quarter_of("NEW.at")
    day = day_of(start, ZONE, connection.vendor)
    names = ", ".join(MEASURES)
    values = ", ".join(measures[name] for name in MEASURES)
    divided = " UNION ALL ".join(
        f"SELECT '{dimension}' AS dimension, {f'NEW.{column}' if column else EMPTY} AS key"
        for dimension, column in DIMENSIONS.items()
    )
    return [
        f"INSERT INTO {QUARTERS} ({', '.join(QUARTER_KEY)}, {names})"
        f" VALUES ({start}, NEW.service, NEW.vendor, NEW.model, NEW.source, {values})"
        f" ON CONFLICT ({', '.join(QUARTER_KEY)}) DO UPDATE SET {add_up(QUARTERS)}",
        f"INSERT INTO {DETAILS} ({', '.join(DETAIL_KEY)}, {names})"
        f" VALUES ({day}, NEW.service, NEW.vendor, NEW.model, NEW.source, {values})"
        f" ON CONFLICT ({', '.join(DETAIL_KEY)}) DO UPDATE SET {add_up(DETAILS)}",
        f"INSERT INTO {DAYS} ({', '.join(DAY_KEY)}, {names})"
        f" SELECT d.dimension, {day}, d.key, {values} FROM ({divided}) d WHERE true"
        f" ON CONFLICT ({', '.join(DAY_KEY)}) DO UPDATE SET {add_up(DAYS)}",
    ]


def _for_sqlite() -> dict[str, list[str]]:
    # INSERT OR REPLACE deletes without the delete trigger: what it would replace is looked for before.
    there = f"id = NEW.id OR {LEDGER}.call = NEW.call OR corrects_id = NEW.corrects_id"
    bodies = {
        "metrics_ledger_no_update": f"BEFORE UPDATE ON {LEDGER} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
        "metrics_ledger_no_delete": f"BEFORE DELETE ON {LEDGER} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
        "metrics_ledger_no_replace": f"BEFORE INSERT ON {LEDGER} WHEN EXISTS (SELECT 1 FROM {LEDGER} WHERE {there})"
        f" BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
        # An event that has no key yet has -1 there: with a row of that key each would look like its replacement.
        "metrics_ledger_no_odd_key": f"AFTER INSERT ON {LEDGER} WHEN NEW.id < 1"
        " BEGIN SELECT RAISE(ABORT, 'The keys of the ledger are positive.'); END",
        ADD_UP: f"AFTER INSERT ON {LEDGER} WHEN NEW.{COUNTED} BEGIN {'; '.join(_additions())}; END",
    }
    return {name: [f"DROP TRIGGER IF EXISTS {name}", f"CREATE TRIGGER {name} {body}"] for name, body in bodies.items()}


def _for_postgresql() -> dict[str, list[str]]:
    refuse = f"BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END"
    add_up = f"BEGIN {'; '.join(_additions())}; RETURN NULL; END"
    # Two transactions that write several events each would deadlock on rows of the rollups.
    in_turn = f"BEGIN PERFORM pg_advisory_xact_lock('{LEDGER}'::regclass::bigint); RETURN NULL; END"
    row, statement = "FOR EACH ROW", "FOR EACH STATEMENT"
    bodies = {
        "metrics_ledger_in_turn": (in_turn, "BEFORE INSERT", statement),
        "metrics_ledger_no_update": (refuse, "BEFORE UPDATE", row),
        "metrics_ledger_no_delete": (refuse, "BEFORE DELETE", row),
        "metrics_ledger_no_truncate": (refuse, "BEFORE TRUNCATE", statement),
        ADD_UP: (add_up, "AFTER INSERT", f"{row} WHEN (NEW.{COUNTED})"),
    }
    made = {}
    for name, (body, when, each) in bodies.items():
        trigger = f"CREATE TRIGGER {name} {when} ON {LEDGER} {each} EXECUTE FUNCTION {name}()"
        made[name] = [
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS {_BODY} {body}; {_BODY}",
            f"DROP TRIGGER IF EXISTS {name} ON {LEDGER}",
            trigger,
            # To tell an older one.
            f"COMMENT ON TRIGGER {name} ON {LEDGER} IS {_quoted(trigger)}",
            # Also for a session that skips other triggers, such as replication.
            f"ALTER TABLE {LEDGER} ENABLE ALWAYS TRIGGER {name}",
        ]
    return made


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
