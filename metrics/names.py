"""The services, vendors and models named in the ledger, which may no longer exist elsewhere."""

from metrics.models import UsageDay
from stores.records.sql import fetch

LIMIT = 500
"""Names that a list of choices has at most."""

_NAMES = """SELECT name FROM (
    WITH RECURSIVE names(name) AS (
        SELECT MIN({column}) FROM {{metrics.UsageEvent}}
        UNION ALL
        SELECT (SELECT MIN({column}) FROM {{metrics.UsageEvent}} WHERE {column} > names.name)
        FROM names WHERE names.name IS NOT NULL
    )
    SELECT name FROM names WHERE name IS NOT NULL LIMIT %s
) found"""


def find_services() -> list[str]:
    """Return the ids of the services in the ledger, by name."""
    return _find("service")


def find_models() -> list[str]:
    """Return the ids of the models in the ledger, by name."""
    return _find("model")


def find_vendors() -> list[str]:
    """Return the vendors of calls that count, by name."""
    # Vendors are few, and have no index of their own.
    days = UsageDay.objects.filter(dimension=UsageDay.Dimension.VENDOR).order_by("key")
    return list(days.values_list("key", flat=True).distinct()[:LIMIT])


def _find(column: str) -> list[str]:
    # A skip scan over the index; DISTINCT would read the whole ledger.
    return [name for (name,) in fetch(_NAMES.format(column=column), [LIMIT])]
