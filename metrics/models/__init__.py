"""What was used: totals that big-AGI counted, the ledger of single calls with its sums, and logs."""

from metrics.models.baselines import OtherBaseline, UsageBaseline
from metrics.models.events import UsageEvent
from metrics.models.logs import LogEntry
from metrics.models.requests import ApiRequest
from metrics.models.rollups import UsageDay, UsageDayDetail, UsageQuarter, ZoneOffset
from metrics.models.wishes import Budget, CountingStart

__all__ = [
    "ApiRequest",
    "Budget",
    "CountingStart",
    "LogEntry",
    "OtherBaseline",
    "UsageBaseline",
    "UsageDay",
    "UsageDayDetail",
    "UsageEvent",
    "UsageQuarter",
    "ZoneOffset",
]
