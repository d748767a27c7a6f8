"""Writing the ledger: one event with its sums beside a plain insert, and a rebuild beside one INSERT … SELECT."""

import random
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from django.core.management import call_command
from django.db import connection, transaction

from llms.pricing.formula import Cost
from llms.pricing.price import Priced
from llms.pricing.tokens import Tokens
from metrics.ledger.recording import EndedCall, record_call
from metrics.ledger.rollups import NAMES, quarters_of_ledger, rebuild_rollups
from metrics.ledger.sums import QUARTER_KEY
from metrics.ledger.triggers import LEDGER, QUARTERS, create_triggers, drop_triggers
from metrics.models import UsageEvent
from stores.records.sql import insert_rows
from tests.benchmarks.measuring import print_table

SERVICES, MODELS_EACH = 20, 3
IN_USE = 12
"""Models that are in use at a time."""
YEARS = 3
END = int(time.time()) * 1000 - 3_600_000
"""The ledger's last call, in ms: the dashboard looks at today."""
START = END - YEARS * 365 * 86_400_000
RECORD, REBUILD = 2.0, 3.0
WRITES, BLOCK = 1_500, 250
"""Calls of each kind, and how many go by turns."""
NAMES_OF_EVENT = (
    *("at", "source", "service", "vendor", "model", "conversation", "message"),
    *("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "estimated"),
    *("cost_nano_usd", "cost_code", "price_source", "ms_to_first_token", "ms_total", "outcome", "calls", "change"),
)


def fill(events: int) -> None:
    """Add so many calls over three years to the ledger."""
    call_command("migrate", verbosity=0)
    drop_triggers()
    with transaction.atomic():
        insert_rows(UsageEvent, NAMES_OF_EVENT, list(make_events(events)))
    create_triggers()
    rebuild_rollups()


def make_events(count: int) -> Iterator[tuple[Any, ...]]:
    """Yield database values of calls as people make them: a model is used for some months, one much and others seldom,
    and gives way to a newer one."""
    chance = random.Random(5)
    models = [(f"service-{at % SERVICES}", f"vendor-{at % 7}", at) for at in range(SERVICES * MODELS_EACH)]
    weights = [1 / (1 + at) for at in range(IN_USE)]
    step = (END - START) / count
    for at in range(count):
        newest = at * (len(models) - IN_USE) // count
        service, vendor, model = models[newest + chance.choices(range(IN_USE), weights)[0]]
        first, new, out = round(chance.lognormvariate(6.5, 0.7)), chance.randrange(10, 8000), chance.randrange(5, 2000)
        is_failed = chance.random() < 0.02
        yield (
            *(round(START + at * step), chance.choices(["chat", "import", "api"], [6, 3, 1])[0], service, vendor),
            *(f"{service}-model-{model}", f"chat-{at // 40}", f"message-{at}"),
            *(
                new,
                chance.randrange(3000) if at % 3 else None,
                None,
                out,
                out // 3 if at % 5 == 0 else None,
                at % 50 == 0,
            ),
            *(None if at % 40 == 0 else new * 150 + out * 600, "no-pricing" if at % 40 == 0 else "", "model"),
            *(first, first + out * 20, "timeout" if is_failed else "done", 1, ""),
        )


def measure_rebuild() -> bool:
    """Compare the rebuild of all sums with the one statement that makes the quarter-hours alone."""
    ours, plain = [], []
    for _ in range(3):
        plain.append(_seconds(_plain_rebuild))
        ours.append(_seconds(rebuild_rollups))
    ratio = statistics.median(ours) / statistics.median(plain)
    print_table(
        ["events", "quarter-hours", "one INSERT … SELECT … GROUP BY, s", "rebuild, s", "ratio"],
        [
            [
                f"{_count(LEDGER):,}",
                f"{_count(QUARTERS):,}",
                f"{statistics.median(plain):.1f}",
                f"{statistics.median(ours):.1f}",
                f"{ratio:.2f} (≤ {REBUILD})",
            ]
        ],
    )
    return ratio <= REBUILD


def _plain_rebuild() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {QUARTERS}")
        cursor.execute(f"INSERT INTO {QUARTERS} ({', '.join(QUARTER_KEY)}, {NAMES}) {quarters_of_ledger()}")


def measure_record() -> bool:
    """Compare the recording of a call with that of the same row into the same table without its sums."""
    calls = list(make_events(WRITES * 2))
    ours: list[float] = []
    plain: list[float] = []
    for block in range(0, len(calls), BLOCK):
        is_plain = block // BLOCK % 2 == 0
        if is_plain:
            with connection.cursor() as cursor:
                cursor.execute("DROP TRIGGER metrics_ledger_add_up")
        seconds = []
        for at, values in enumerate(calls[block : block + BLOCK], block):
            facts = dict(zip(NAMES_OF_EVENT, values, strict=True)) | {"at": END + at * 1000}
            seconds.append(_seconds(partial(_record, facts)))
        # The first of a block is compiled anew.
        (plain if is_plain else ours).extend(seconds[1:])
        create_triggers()
    ratio = statistics.median(ours) / statistics.median(plain)
    print_table(
        ["recording one call", "a plain insert, ms", "with its sums, ms", "ratio"],
        [
            [
                "one transaction",
                f"{statistics.median(plain) * 1000:.3f}",
                f"{statistics.median(ours) * 1000:.3f}",
                f"{ratio:.2f} (≤ {RECORD})",
            ]
        ],
    )
    return ratio <= RECORD


def _record(facts: dict[str, Any]) -> None:
    with transaction.atomic():
        record_call(
            EndedCall(
                **{
                    name: facts[name]
                    for name in ("at", "source", "service", "vendor", "model", "conversation", "message")
                },
                tokens=Tokens(
                    facts["input_tokens"],
                    facts["cache_read_tokens"],
                    None,
                    facts["output_tokens"],
                    facts["reasoning_tokens"],
                ),
                is_estimated=facts["estimated"],
                priced=Priced(Cost(facts["cost_nano_usd"], facts["cost_code"]), "model"),
                reported_nano_usd=None,
                first_ms=facts["ms_to_first_token"],
                total_ms=facts["ms_total"],
                outcome=facts["outcome"],
                raw_usage=None,
            )
        )


def _seconds(act: Callable[[], Any]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT COUNT(*) FROM {table}")
        return int(cursor.fetchone()[0])
