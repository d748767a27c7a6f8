"""The calls that big-AGI's files tell of, read from the raw JSON without our reader, and the ledger's sums."""

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

from metrics.models import UsageDay, UsageEvent, UsageQuarter
from tests.stores.imports import stores_of

JSONObject = dict[str, Any]


def raw_messages(path: Path) -> list[JSONObject]:
    """Return the messages of a backup that have metrics, with numbers as the decimals that stand in the file."""
    storage = json.loads(path.read_bytes())["storage"]
    [entry] = [one for one in storage["indexedDB"]["keyval-store"]["keyval"] if one["key"] == "app-chats"]
    chats = json.loads(entry["value"], parse_float=Decimal)["state"]["conversations"]
    messages = [message for chat in chats for message in chat["messages"]]
    return [message for message in messages if message.get("generator", {}).get("metrics")]


def raw_calls(path: Path) -> list[JSONObject]:
    """Return one message of each call: copies have the same model, time and metrics."""
    calls = {}
    for message in raw_messages(path):
        generator = message["generator"]
        calls[generator["aix"]["mId"], message["created"], repr(sorted(generator["metrics"].items()))] = message
    return list(calls.values())


def raw_services(path: Path) -> dict[str, str]:
    """Return the service of each model."""
    return {model["id"]: model["sId"] for model in stores_of(path)["app-models"]["state"]["llms"]}


def sum_raw(calls: list[JSONObject], services: dict[str, str]) -> dict[str, Counter[str]]:
    """Return calls, nano-dollars and tokens by service."""
    sums: dict[str, Counter[str]] = {}
    for message in calls:
        metrics, model = message["generator"]["metrics"], message["generator"]["aix"]["mId"]
        cents = Decimal(metrics.get("$c", 0))
        nano = cents * 10_000_000
        assert nano == int(nano)
        sums.setdefault(services.get(model) or model.partition("-")[0], Counter()).update(
            calls=1,
            cost=int(nano),
            input=metrics.get("TIn", 0) + metrics.get("TCacheRead", 0) + metrics.get("TCacheWrite", 0),
            output=metrics.get("TOut", 0),
        )
    return sums


def sum_ledger(**conditions: Any) -> dict[str, Counter[str]]:
    """Return the same of the ledger, row by row."""
    sums: dict[str, Counter[str]] = {}
    for event in UsageEvent.objects.filter(**conditions).exclude(source="test"):
        sums.setdefault(event.service, Counter()).update(
            calls=event.calls,
            cost=event.cost_nano_usd or 0,
            input=(event.input_tokens or 0) + (event.cache_read_tokens or 0) + (event.cache_write_tokens or 0),
            output=(event.output_tokens or 0) + (event.reasoning_tokens or 0),
        )
    return sums


def ledger_rows() -> list[tuple[Any, ...]]:
    """Return the ledger without its keys, in an order of its own."""
    names = [field.name for field in UsageEvent._meta.concrete_fields if field.name not in ("id", "corrects")]
    return sorted(UsageEvent.objects.values_list(*names), key=repr)


def rollup_rows() -> tuple[list[Any], list[Any]]:
    """Return the rollups' calls and costs: quarter-hours by start and model, days by what divides them."""
    names = ("start", "service", "vendor", "model", "source", "calls", "cost_nano_usd")
    quarters = UsageQuarter.objects.values_list(*names)
    days = UsageDay.objects.values_list("dimension", "day", "key", "calls", "cost_nano_usd")
    return sorted(quarters), sorted(days)
