"""The ledger at a million events: recording, rebuilding, series and the dashboard, beside SQL written by hand."""

import os
import tempfile
from pathlib import Path

import django

from tests.benchmarks.measuring import build_environment


def run(*, quick: bool) -> int:
    """Measure everything and print the tables; return 1 where a target is missed."""
    with tempfile.TemporaryDirectory(prefix="bigagi-benchmark-") as name:
        data = Path(name) / "data"
        data.mkdir()
        os.environ.update(build_environment(data))
        os.environ.pop("DATABASE_URL", None)
        os.environ["BIGAGI_TIME_ZONE"] = "Europe/Berlin"
        django.setup()
        # What follows needs Django's settings.
        from tests.benchmarks.metrics import ledger, opening, reads

        events = 20_000 if quick else 1_000_000
        ledger.fill(opening.FEW)
        few = opening.open_dashboard()
        ledger.fill(events)
        is_met = [ledger.measure_rebuild(), ledger.measure_record(), reads.measure()]
        is_met.append(opening.compare(few, opening.open_dashboard(), events))
    return 0 if all(is_met) or quick else 1
