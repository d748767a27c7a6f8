"""A column's time in ms since the epoch, as big-AGI has times, for queries and indexes."""

from typing import Any

from django.db.models import BigIntegerField, Func


class Milliseconds(Func):
    """The time of a `DateTimeField`. Its SQL has no parameters: SQLite finds no index on an expression that has."""

    output_field = BigIntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        template = "CAST(ROUND((julianday(%(expressions)s) - 2440587.5) * 86400000) AS INTEGER)"
        return self.as_sql(compiler, connection, template=template, **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        # An index takes only what does not depend on the session's time zone.
        template = "CAST(EXTRACT(EPOCH FROM %(expressions)s AT TIME ZONE 'UTC') * 1000 AS bigint)"
        return self.as_sql(compiler, connection, template=template, **context)
