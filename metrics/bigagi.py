"""big-AGI's `app-metrics` in and out of this app's rows (`bigagi-format.md` § 6)."""

from collections.abc import Iterable, Sequence
from typing import Any

from metrics.baselines import (
    Counted,
    describe_devices,
    drop_other,
    keep_other,
    kept_others,
    replace_others,
    tidy_others,
)
from metrics.history.recording import mark_imports, tell_imports
from metrics.models import UsageBaseline
from stores.models import ImportedRecord, MigrationRun
from stores.records.codecs import Rows
from stores.records.registry import StoreSpec
from stores.records.table_collections import TableCollection


class UsageBaselines(TableCollection):
    """Totals by service. An import knows which browser counted them; counts of others are kept separately. Writes
    through the API do not change those."""

    store, key, kind, model = "app-metrics", "serviceMetrics", "baseline", UsageBaseline
    shape = "map"
    id_in_record = False
    paths = {
        "total_costs": "totalCosts",
        "total_savings": "totalSavings",
        "total_input_tokens": "totalInputTokens",
        "total_output_tokens": "totalOutputTokens",
        "usage_count": "usageCount",
        "first_usage": "firstUsageDate",
        "last_usage": "lastUsageDate",
    }

    def insert(self, batch: Sequence[tuple[Rows, int]], run: MigrationRun | None = None) -> None:
        records = [self._build(rows, position) for rows, position in batch]
        # What is put back here was brought by the import that brought it last.
        devices = {} if run is not None else _imported_devices([rows.uid for rows, _ in batch])
        for record in records:
            record.device = devices.get(record.uid, "") if run is None else run.source_device
        UsageBaseline.objects.bulk_create(records)
        if run is not None:
            for record, baseline in zip(records, self.load(records), strict=True):
                drop_other(record.uid, Counted(record.device, baseline))

    def replace(self, record: Any, rows: Rows, run: MigrationRun | None = None) -> None:
        if run is not None:
            [stored] = self.load([record])
            before = Counted(record.device, stored)
            after = Counted(run.source_device, self.to_json(rows.uid, rows.columns, rows.extra))
            if before.is_same_browser(after):
                record.device = run.source_device or record.device
            else:
                keep_other(record.uid, before)
                record.device = run.source_device
            drop_other(record.uid, Counted(record.device, after.baseline))
        super().replace(record, rows, run)

    def observe(self, records: Sequence[tuple[str, Any]], run: MigrationRun) -> None:
        here = self.find(uid for uid, _ in records)
        for uid, baseline in records:
            row: Any = here.get(uid)
            if row is None or not isinstance(baseline, dict):
                continue
            [stored] = self.load([row])
            passed = Counted(run.source_device, baseline)
            if not passed.is_same_browser(Counted(row.device, stored)):
                keep_other(uid, passed)
            elif passed.device and not row.device:
                UsageBaseline.objects.filter(pk=row.pk).update(device=passed.device)

    def read_beside(self, uids: Iterable[str]) -> dict[str, Any]:
        wanted = list(uids)
        devices = dict(UsageBaseline.objects.filter(uid__in=wanted).values_list("uid", "device"))
        return {uid: {"device": devices.get(uid), "others": kept_others(uid)} for uid in wanted}

    def write_beside(self, uid: str, state: Any) -> None:
        if state["device"] is not None:
            UsageBaseline.objects.filter(uid=uid).update(device=state["device"])
        replace_others(uid, state["others"])

    def tidy(self) -> None:
        tidy_others()


def _imported_devices(uids: Sequence[str]) -> dict[str, str]:
    imported = ImportedRecord.objects.filter(kind=UsageBaselines.kind, uid__in=uids).exclude(run=None)
    return dict(imported.values_list("uid", "run__source_device"))


BASELINES = UsageBaselines()
APP_METRICS = StoreSpec(
    "app-metrics",
    collections=(BASELINES,),
    phase="metrics",
    inspect=describe_devices,
    mark=mark_imports,
    tell_since=tell_imports,
    is_last=True,
)
