"""The ledger is append-only: the database refuses whatever else is asked of it."""

import threading
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, migrations, models, transaction
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState
from django.test.utils import CaptureQueriesContext

from bigagi_site.sql_views.keeping import drop_views
from metrics.ledger.keeping import keep_ledger
from metrics.ledger.rollups import find_differences
from metrics.ledger.triggers import LEDGER, drop_triggers, find_missing_triggers
from metrics.ledger.zone import is_current
from metrics.models import UsageDay, UsageEvent, UsageQuarter, ZoneOffset
from tests.metrics.events import NOON, make_event

pytestmark = [pytest.mark.django_db, pytest.mark.each_database]

COLUMNS = "id, at, source, service, vendor, model, conversation, message, estimated, cost_code, price_source, outcome"
VALUES = "'test', '', '', '', '', '', false, '', '', ''"
STATEMENTS = [
    f"UPDATE {LEDGER} SET cost_nano_usd = 0",
    f"UPDATE {LEDGER} SET id = id + 1000",
    f"DELETE FROM {LEDGER}",
    f"DELETE FROM {LEDGER} WHERE id > 0",
]
REPLACEMENTS = [
    "INSERT OR REPLACE INTO {t} ({c}, calls, change) SELECT {c}, calls, change FROM {t}",
    "REPLACE INTO {t} ({c}, calls, change) SELECT {c}, calls, change FROM {t}",
    "INSERT OR REPLACE INTO {t} (at, source, service, vendor, model, conversation, message, estimated, cost_code,"
    " price_source, outcome, calls, change, call) SELECT at, source, service, vendor, model, conversation, message,"
    " estimated, cost_code, price_source, outcome, calls, change, call FROM {t}",
    "INSERT INTO {t} ({c}, calls, change) SELECT {c}, calls, change FROM {t} WHERE true"
    " ON CONFLICT (id) DO UPDATE SET at = 0",
    "INSERT OR IGNORE INTO {t} ({c}, calls, change) SELECT {c}, calls, change FROM {t}",
]


def write_event(**facts: Any) -> UsageEvent:
    """Write an event, and let PostgreSQL look at once whether what it refers to is there: until then it refuses to
    alter the table for that reason."""
    event = make_event(**facts)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return event


def refuse(statement: str) -> None:
    before = list(UsageEvent.objects.order_by("pk").values())
    refused = pytest.raises(DatabaseError, match=r"append-only|duplicate|conflict")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert list(UsageEvent.objects.order_by("pk").values()) == before


@pytest.mark.parametrize("statement", STATEMENTS)
def test_raw_sql_cannot_alter_or_delete(statement: str) -> None:
    make_event(call="a" * 32)
    refuse(statement)


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite alone can replace")
@pytest.mark.parametrize("statement", REPLACEMENTS)
def test_raw_sql_cannot_replace(statement: str) -> None:
    make_event(call="a" * 32)
    refuse(statement.format(t=LEDGER, c=COLUMNS))


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite alone can replace")
def test_a_correction_cannot_be_replaced() -> None:
    event = make_event()
    make_event(corrects=event, calls=-1)
    refuse(
        f"INSERT OR REPLACE INTO {LEDGER} (at, source, service, vendor, model, conversation, message, estimated,"
        f" cost_code, price_source, outcome, calls, change, corrects_id) VALUES (1, {VALUES}, 1, '', {event.pk})"
    )


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite alone has a key before it is made")
@pytest.mark.parametrize("key", [-1, 0])
def test_no_row_can_keep_others_out(key: int) -> None:
    with pytest.raises(DatabaseError, match="positive"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {LEDGER} ({COLUMNS}, calls, change) VALUES ({key}, 5, {VALUES}, 1, '')",
        )
    make_event()
    assert UsageEvent.objects.count() == 1


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has no TRUNCATE")
@pytest.mark.parametrize("how", ["", " CASCADE", " RESTART IDENTITY CASCADE"])
def test_the_table_cannot_be_truncated(how: str) -> None:
    write_event()
    refuse(f"TRUNCATE {LEDGER}{how}")


def test_the_orm_cannot_alter_or_delete() -> None:
    event = make_event(call="a" * 32)
    for act in (
        lambda: UsageEvent.objects.update(cost_nano_usd=0),
        lambda: UsageEvent.objects.all().delete(),
        lambda: event.delete(),
        lambda: event.save(),
        lambda: UsageEvent.objects.bulk_update([event], ["service"]),
        lambda: UsageEvent.objects.all()._raw_delete("default"),
        lambda: UsageEvent.objects.bulk_create([UsageEvent(at=1, source="chat", call="a" * 32)]),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()
    assert UsageEvent.objects.get().cost_nano_usd == 450_000


@pytest.mark.parametrize("verb", ["INSERT", "INSERT OR REPLACE", "INSERT OR IGNORE", "REPLACE"])
def test_a_new_row_is_added_up_however_it_is_inserted(verb: str) -> None:
    if connection.vendor != "sqlite" and verb != "INSERT":
        pytest.skip("SQLite alone has these verbs")
    for _ in range(2):
        with connection.cursor() as cursor:
            cursor.execute(
                f"{verb} INTO {LEDGER} (at, source, service, vendor, model, conversation, message, estimated,"
                f" cost_code, price_source, outcome, calls, change) VALUES (5, 'chat', '', '', '', '', '', false, '',"
                " '', '', 1, '')"
            )
    assert UsageQuarter.objects.get().calls == 2
    assert find_differences() == []


def test_test_calls_count_nowhere() -> None:
    make_event(source="test")
    assert UsageEvent.objects.count() == 1
    assert not UsageQuarter.objects.exists() and not UsageDay.objects.exists()


def test_a_dropped_trigger_is_missed_and_made_again() -> None:
    write_event()
    drop_triggers()
    missing = find_missing_triggers()
    assert len(missing) == 5
    write_event()
    assert find_differences()
    assert keep_ledger() == missing
    assert find_missing_triggers() == []
    # What was written meanwhile was added up by nobody.
    assert find_differences() == []
    assert keep_ledger() == []
    assert UsageQuarter.objects.get().calls == 2
    refuse(STATEMENTS[0])


def test_at_a_start_nothing_is_written_while_clocks_are_the_same(settings) -> None:
    settings.OWNER_TIME_ZONE = "Europe/Berlin"
    make_event()
    keep_ledger()
    with CaptureQueriesContext(connection) as queries:
        assert keep_ledger() == []
    assert [query["sql"] for query in queries if not query["sql"].startswith("SELECT")] == []
    # Other rules than those by which days were added up.
    ZoneOffset.objects.filter(starts=ZoneOffset.objects.last().starts).update(offset_ms=0)
    UsageDay.objects.all().delete()
    keep_ledger()
    assert is_current() and find_differences() == []


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="the trigger's text is SQLite's")
def test_a_trigger_of_another_version_is_made_anew() -> None:
    make_event()
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER metrics_ledger_no_update")
        cursor.execute(
            f"CREATE TRIGGER metrics_ledger_no_update BEFORE UPDATE ON {LEDGER} WHEN false BEGIN SELECT 1; END"
        )
    assert find_missing_triggers() == ["metrics_ledger_no_update"]
    keep_ledger()
    refuse(STATEMENTS[0])


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL alone has these")
@pytest.mark.parametrize(
    "statement",
    [
        f"ALTER TABLE {LEDGER} DISABLE TRIGGER metrics_ledger_no_update",
        f"ALTER TABLE {LEDGER} ENABLE TRIGGER metrics_ledger_no_update",
        f"ALTER TABLE {LEDGER} ENABLE REPLICA TRIGGER metrics_ledger_no_update",
        f"DROP TRIGGER metrics_ledger_no_update ON {LEDGER}",
        "CREATE OR REPLACE FUNCTION metrics_ledger_no_update() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RETURN NEW; END $$",
        "COMMENT ON TRIGGER metrics_ledger_no_update ON {LEDGER} IS 'another'".replace("{LEDGER}", LEDGER),
    ],
)
def test_a_trigger_that_was_made_harmless_is_missed_and_made_again(statement: str) -> None:
    write_event()
    with connection.cursor() as cursor:
        cursor.execute(statement)
    assert keep_ledger() == ["metrics_ledger_no_update"]
    assert find_missing_triggers() == []
    refuse(STATEMENTS[0])


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="PostgreSQL alone has these")
@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_session_that_replicates_cannot_alter_either(statement: str) -> None:
    make_event()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
    refuse(statement)


@pytest.mark.django_db(transaction=True)
def test_a_migration_that_alters_the_table_leaves_it_guarded() -> None:
    make_event()
    operation = migrations.AlterField("UsageEvent", "outcome", models.CharField(max_length=30, blank=True))
    back = migrations.AlterField("UsageEvent", "outcome", UsageEvent._meta.get_field("outcome").clone())
    # As `migrate` does.
    drop_views()
    for step in (operation, back):
        state = ProjectState.from_apps(UsageEvent._meta.apps)
        after = state.clone()
        step.state_forwards("metrics", after)
        with connection.schema_editor() as editor:
            step.database_forwards("metrics", editor, state, after)
    if connection.vendor == "sqlite":
        # What makes the rest necessary.
        assert len(find_missing_triggers()) == 5
    call_command("migrate", verbosity=0)
    assert find_missing_triggers() == []
    for statement in STATEMENTS:
        refuse(statement)
    make_event(at=NOON)
    assert find_differences() == []


@pytest.mark.django_db(transaction=True)
def test_tables_of_sums_can_be_migrated_back_and_forth() -> None:
    make_event()
    applied = MigrationExecutor(connection).loader.applied_migrations
    newest = max(name for app, name in applied if app == "metrics")
    try:
        # Where the sums came: all of their tables go, which the trigger names.
        call_command("migrate", "metrics", "0003", verbosity=0)
        assert UsageEvent.objects.values_list("cost_nano_usd", flat=True).get() == 450_000
    finally:
        call_command("migrate", "metrics", newest, verbosity=0)
    assert find_missing_triggers() == []
    assert UsageQuarter.objects.get().cost_nano_usd == 450_000
    assert find_differences() == []


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
def test_writers_of_several_events_each_take_turns() -> None:
    failed: list[Exception] = []

    def write(services: str) -> None:
        try:
            for _ in range(20):
                with transaction.atomic():
                    for service in services:
                        make_event(service=service)
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    # In opposite orders, so that each would wait for a row that another has.
    writers = [threading.Thread(target=write, args=(order,)) for order in ("abc", "cba", "bca")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failed == []
    assert UsageDay.objects.get(dimension="all").calls == 3 * 20 * 3
    assert find_differences() == []
