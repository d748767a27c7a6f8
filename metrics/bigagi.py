"""big-AGI's `app-metrics` in and out of this app's rows (`bigagi-format.md` § 6)."""

from metrics.models import UsageBaseline
from stores.codecs import Columns
from stores.collections import TableCollection
from stores.registry import StoreSpec


class UsageBaselines(TableCollection):
    store, key, kind, model = "app-metrics", "serviceMetrics", "baseline", UsageBaseline
    shape = "map"
    id_in_record = False
    columns = Columns(
        UsageBaseline,
        {
            "total_costs": "totalCosts",
            "total_savings": "totalSavings",
            "total_input_tokens": "totalInputTokens",
            "total_output_tokens": "totalOutputTokens",
            "usage_count": "usageCount",
            "first_usage": "firstUsageDate",
            "last_usage": "lastUsageDate",
        },
    )


BASELINES = UsageBaselines()
APP_METRICS = StoreSpec("app-metrics", collections=(BASELINES,), phase="metrics")
