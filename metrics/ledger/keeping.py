"""Bringing the ledger's triggers and sums to what they should be: after a migration, and at a start."""

from typing import Any

from django.db import transaction

from metrics.ledger.rollups import rebuild_days, rebuild_rollups
from metrics.ledger.triggers import create_triggers, find_missing_triggers
from metrics.ledger.zone import is_current, save_zone
from metrics.models import UsageEvent


def keep_after_migration(apps: Any = None, **kwargs: Any) -> None:
    """Keep the ledger after a migration; not after one to before there were sums."""
    if apps is None or "usageday" in apps.all_models["metrics"]:
        keep_ledger()


def keep_ledger() -> list[str]:
    """Make the triggers that are missing, and return their names; build the sums anew that nothing kept up meanwhile,
    or that are of another time zone."""
    if is_current() and not find_missing_triggers():
        return []
    with transaction.atomic():
        # First, as on PostgreSQL this lets one process at a time go on.
        missing = create_triggers()
        is_moved = save_zone()
        if missing and UsageEvent.objects.exists():
            rebuild_rollups()
        elif is_moved:
            rebuild_days()
    return missing
