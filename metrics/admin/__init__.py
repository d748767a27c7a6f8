"""The admin of usage: browser counts, the ledger of single calls with its sums, count resets and budgets, the logs."""

from metrics.admin.baselines import OtherBaselineAdmin, UsageBaselineAdmin
from metrics.admin.events import UsageEventAdmin
from metrics.admin.logs import LogEntryAdmin
from metrics.admin.requests import ApiRequestAdmin
from metrics.admin.rollups import UsageDayAdmin, UsageDayDetailAdmin, UsageQuarterAdmin, ZoneOffsetAdmin
from metrics.admin.wishes import BudgetAdmin, CountingStartAdmin

__all__ = [
    "ApiRequestAdmin",
    "BudgetAdmin",
    "CountingStartAdmin",
    "LogEntryAdmin",
    "OtherBaselineAdmin",
    "UsageBaselineAdmin",
    "UsageDayAdmin",
    "UsageDayDetailAdmin",
    "UsageEventAdmin",
    "UsageQuarterAdmin",
    "ZoneOffsetAdmin",
]
