"""Monthly budgets, and the spending so far."""

import time
from dataclasses import dataclass

from django.db import transaction

from metrics.days import month_of, start_of, today
from metrics.models import Budget
from stores.models import Change
from stores.records.journal.recorder import Origin, record_change
from stores.records.sql import fetch, insert_one
from stores.records.units import format_usd

ALL = ""
"""The value that means all services."""
WARNING_PERCENT = 80
MAX_NANO_USD = 2**53

OK, WARNING, OVER = "ok", "warning", "over"


@dataclass(frozen=True)
class BudgetState:
    """A current budget, with the spending of this month in the owner's time zone."""

    service: str
    """The service's id; empty: all services together."""
    nano_usd: int
    spent_nano_usd: int
    """By the calls in the ledger whose cost is known."""
    unpriced: int
    """Calls of the month whose cost is not known, and so not in it."""
    month_start: int
    """In ms since the epoch."""
    month_end: int

    @property
    def share(self) -> float | None:
        """Return the share of the budget spent, 1 being all; None if the budget is 0."""
        return self.spent_nano_usd / self.nano_usd if self.nano_usd else None

    @property
    def percent(self) -> int:
        """Return the percentage spent, as a whole number; 100 or more if all was spent."""
        if not self.nano_usd:
            return 100 if self.spent_nano_usd > 0 else 0
        return self.spent_nano_usd * 100 // self.nano_usd

    @property
    def state(self) -> str:
        """Return `over` above the budget, `warning` from 80 percent, otherwise `ok`."""
        if self.spent_nano_usd > self.nano_usd:
            return OVER
        return WARNING if self.spent_nano_usd > 0 and self.percent >= WARNING_PERCENT else OK

    def __str__(self) -> str:
        return f"{format_usd(self.spent_nano_usd)} of {format_usd(self.nano_usd)} this month"


_STATEMENT = """SELECT b.service, b.nano_usd, COALESCE(SUM(d.cost_nano_usd), 0), COALESCE(SUM(d.unpriced), 0)
    FROM {metrics.Budget} b LEFT JOIN {metrics.UsageDay} d
        ON d.dimension = CASE WHEN b.service = '' THEN 'all' ELSE 'service' END AND d.key = b.service
        AND d.day >= %s AND d.day < %s
    WHERE b.nano_usd IS NOT NULL AND b.taken_back_by = '' AND NOT EXISTS (
        SELECT 1 FROM {metrics.Budget} newer
        WHERE newer.service = b.service AND newer.taken_back_by = '' AND newer.id > b.id
    )
    GROUP BY b.service, b.nano_usd ORDER BY b.service
"""


def read_budgets() -> list[BudgetState]:
    """Return the current budgets, that of all services first, with one statement over the month's days."""
    first, after = month_of(today())
    rows = fetch(_STATEMENT, [str(first), str(after)])
    return [
        BudgetState(service, int(nano_usd), int(spent), int(unpriced), start_of(first), start_of(after))
        for service, nano_usd, spent, unpriced in rows
    ]


def find_budget(service: str) -> BudgetState | None:
    """Return the budget of a service, or of all; None: it has none."""
    return next((budget for budget in read_budgets() if budget.service == service), None)


def set_budget(origin: Origin, service: str, nano_usd: int | None) -> Change | None:
    """Set or remove a monthly budget; return the journal entry, or None if nothing changed."""
    with transaction.atomic():
        found = Budget.objects.filter(service=service, taken_back_by="").first()
        if (None if found is None else found.nano_usd) == nano_usd:
            return None
        whose = service or "all services"
        action = "remove a budget" if nano_usd is None else "set a budget"
        with record_change(origin, action, whose, is_kept=True) as entry:
            pass
        assert entry.change is not None
        insert_one(
            Budget(
                service=service,
                nano_usd=nano_usd,
                made_at=round(time.time() * 1000),
                change=str(entry.change.pk),
                taken_back_by="",
            )
        )
    return entry.change
