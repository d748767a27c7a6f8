"""Bulk SQL where the ORM's bulk calls measured ten times slower."""

import datetime
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import Any, TypeVar

from django.apps import apps
from django.db import connection, models
from django.utils import timezone

from stores.records.iteration import batched

Row = TypeVar("Row", bound=models.Model)

_TABLE = re.compile(r"\{([a-z]+\.[A-Za-z]+)\}")

KEYS_A_QUERY = 10_000
"""Parameters of one statement: SQLite takes 250,000, PostgreSQL 65,535."""

ROWS_A_FETCH = 1_000


def allocate_ids(model: type[models.Model], count: int) -> Sequence[int]:
    """Return `count` unused primary keys, rising. Call it in the transaction that inserts the rows."""
    if count == 0:
        return range(0)
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # Key by key, since a block would need a lock on the table, for which two that have both written to it
            # would wait for ever.
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count]
            )
            return [key for (key,) in cursor.fetchall()]
        # The write lock is held from the start of the transaction, so nobody else takes the same keys.
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
        row = cursor.fetchone()
        first = (row[0] if row else 0) + 1
        return range(first, first + count)


def insert_rows(model: type[models.Model], names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows of database values, in the order of the field names."""
    statement = _insert_values_statement(model, tuple(names), connection.vendor)
    with connection.cursor() as cursor:
        if len(rows) == 1:
            cursor.execute(statement, rows[0])
        elif rows:
            cursor.executemany(statement, rows)


def insert_one(row: models.Model) -> None:
    """Insert a new row and give it its key, as `save` does, without signals: for what every write does, since the ORM
    takes longer to build the statement than the database to run it."""
    model = type(row)
    values = [
        field.get_db_prep_save(field.pre_save(row, add=True), connection)
        for field in model._meta.concrete_fields
        if not field.primary_key
    ]
    with connection.cursor() as cursor:
        cursor.execute(_insert_statement(model, connection.vendor), values)
        row.pk = cursor.fetchone()[0]
    row._state.adding, row._state.db = False, connection.alias


def insert_values(model: type[models.Model], names: Sequence[str], values: Sequence[Any]) -> int:
    """Insert one row of database values, in the order of the field names; return its key."""
    statement = _insert_values_statement(model, tuple(names), connection.vendor, returns_key=True)
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.fetchone()[0])


@cache
def _insert_values_statement(
    model: type[models.Model], names: tuple[str, ...], vendor: str, *, returns_key: bool = False
) -> str:
    quote = connection.ops.quote_name
    columns = ", ".join(quote(_column(model, name)) for name in names)
    returning = f" RETURNING {quote('id')}" if returns_key else ""
    return f"INSERT INTO {quote(model._meta.db_table)} ({columns}) VALUES ({marks(names)}){returning}"


@cache
def _insert_statement(model: type[models.Model], vendor: str) -> str:
    meta, quote = model._meta, connection.ops.quote_name
    columns = [quote(str(field.column)) for field in meta.concrete_fields if not field.primary_key]
    names = ", ".join(columns)
    return f"INSERT INTO {quote(meta.db_table)} ({names}) VALUES ({marks(columns)}) RETURNING {quote('id')}"


def select_rows(
    model: type[models.Model], names: Sequence[str], owner: str, keys: Sequence[int]
) -> Iterator[tuple[Any, ...]]:
    """Yield rows of database values (JSON as text), in the order of the field names, of those whose `owner` is one of
    the keys."""
    quote = connection.ops.quote_name
    columns = ", ".join(quote(_column(model, name)) for name in names)
    for some in batched(keys, KEYS_A_QUERY):
        marks = ", ".join(["%s"] * len(some))
        where = f"{quote(_column(model, owner))} IN ({marks})"
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {columns} FROM {quote(model._meta.db_table)} WHERE {where}", some)
            while rows := cursor.fetchmany(ROWS_A_FETCH):
                yield from rows


def _column(model: type[models.Model], name: str) -> str:
    return str(model._meta.get_field(name).column)  # type: ignore[union-attr]  # no relation of others is asked for


def fetch(statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Return the rows of one statement in which `{table}` of a model's label is its table, as `{chats.Message}`.

    For the few reads that every request makes: to build them by the ORM takes longer than to run them."""
    with connection.cursor() as cursor:
        cursor.execute(_with_tables(statement), parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def find_row(model: type[Row], name: str, value: Any, *, locks: bool = False) -> Row | None:
    """Return the row with this value of a unique field, or None; if it `locks`, nobody else writes it until the
    transaction ends.

    For what every request looks for: the ORM makes the statement anew each time, which takes three times as long."""
    rows = model._default_manager.raw(_row_statement(model, name, connection.vendor, locks=locks), [value])
    return next(iter(rows), None)


@cache
def _row_statement(model: type[models.Model], name: str, vendor: str, *, locks: bool) -> str:
    quote, meta = connection.ops.quote_name, model._meta
    columns = ", ".join(quote(str(field.column)) for field in meta.concrete_fields)
    lock = " FOR UPDATE" if locks and vendor == "postgresql" else ""
    return f"SELECT {columns} FROM {quote(meta.db_table)} WHERE {quote(_column(model, name))} = %s LIMIT 1{lock}"


def update_row(model: type[models.Model], pk: int, values: Mapping[str, Any], *, raises: str) -> None:
    """Write these values of a row's fields, by the fields' names, and raise the whole number `raises` by one."""
    fields = [model._meta.get_field(name) for name in values]
    columns = ", ".join(f"{connection.ops.quote_name(_column(model, name))} = %s" for name in values)
    held = [field.get_db_prep_save(value, connection) for field, value in zip(fields, values.values(), strict=True)]  # type: ignore[union-attr]
    execute(f"UPDATE {{{model._meta.label}}} SET {columns}, {raises} = {raises} + 1 WHERE id = %s", [*held, pk])


def execute(statement: str, parameters: Sequence[Any] = ()) -> int:
    """Run one statement, tables written as in `fetch`; return how many rows it changed."""
    with connection.cursor() as cursor:
        cursor.execute(_with_tables(statement), parameters)
        return int(cursor.rowcount)


def execute_many(statement: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run one statement for each row of parameters, tables written as in `fetch`."""
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_with_tables(statement), rows)


def marks(values: Collection[Any]) -> str:
    """Return the placeholders of a list of values."""
    return ", ".join(["%s"] * len(values))


@lru_cache(maxsize=500)
def _with_tables(statement: str) -> str:
    return _TABLE.sub(_table, statement)


def _table(match: re.Match[str]) -> str:
    return connection.ops.quote_name(apps.get_model(match[1])._meta.db_table)


def now() -> Any:
    """Return the present time as the database takes it."""
    return as_stored(timezone.now())


def as_stored(moment: datetime.datetime) -> Any:
    """Return a time as the database takes it."""
    return connection.ops.adapt_datetimefield_value(moment.astimezone(datetime.UTC))


@contextmanager
def durably() -> Iterator[None]:
    """Let what is committed inside, and all before it, survive a power loss: SQLite is told to wait for the disk."""
    # Inside a transaction SQLite refuses to change it: whoever began that one decides.
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA synchronous=FULL")
        try:
            yield
        finally:
            cursor.execute("PRAGMA synchronous=NORMAL")


def tune_for_long_job() -> None:
    """Let this connection do a long job in little memory.

    The write-ahead log is copied back less often: what many transactions change, as the ends of indexes, is copied once
    for all of them.
    """
    if connection.vendor == "sqlite":
        connection.keep_apart()  # type: ignore[attr-defined]  # Of `stores.sqlite`.
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA cache_size=-16384")
            cursor.execute("PRAGMA wal_autocheckpoint=8000")
