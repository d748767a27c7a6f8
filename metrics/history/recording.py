"""Writing the calls of messages into the ledger, each once."""

from collections.abc import Iterable, Sequence

from django.db import IntegrityError, transaction
from django.db.models import Max

from llms.models import Model, Service
from metrics.history.codec import PRICE_SOURCE, MessageCall, service_in_model_id
from metrics.history.taking_back import find_taken_back, name_run, reverse
from metrics.models import UsageDay, UsageEvent
from stores.records.iteration import batched
from stores.records.jsontext import encode
from stores.records.sql import KEYS_A_QUERY, fetch, insert_rows, marks

NAMES = (
    *("at", "source", "service", "vendor", "model", "conversation", "message"),
    *("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "estimated"),
    *("cost_nano_usd", "cost_reported_nano_usd", "cost_code", "price_source", "ms_to_first_token", "ms_total"),
    *("outcome", "raw_usage", "calls", "call", "change"),
)


def record_history(found: Sequence[tuple[str, MessageCall]], run: int | None = None) -> int:
    """Write the events of calls that are not in the ledger, given with their chats' ids; return how many. `run` is the
    import that brought them.

    Call it in the transaction that writes the messages."""
    new = find_new(found)
    while new:
        taken_back = find_taken_back([call.call for _, call in new])
        try:
            with transaction.atomic():
                reverse(list(taken_back.values()), "" if run is None else name_run(run))
                missing = [pair for pair in new if pair[1].call not in taken_back]
                insert_rows(UsageEvent, NAMES, make_rows(missing, run))
        except IntegrityError:
            # On PostgreSQL another import may have written one of them since the check.
            found_since = find_new(new)
            if len(found_since) == len(new):
                raise
            new = found_since
        else:
            break
    return len(new)


def find_new(found: Sequence[tuple[str, MessageCall]]) -> list[tuple[str, MessageCall]]:
    """Return the calls that are missing from the ledger, or were taken back with an import, each once."""
    calls: dict[str, tuple[str, MessageCall]] = {}
    for chat, call in found:
        calls.setdefault(call.call, (chat, call))
    known: set[str] = set()
    own: set[tuple[str, str]] = set()
    for some in batched(calls, KEYS_A_QUERY):
        # Raw SQL: the ORM would process each digest.
        asked = f"SELECT call FROM {{metrics.UsageEvent}} WHERE call IN ({marks(some)})"
        here = [call for (call,) in fetch(asked, some)]
        known.update(here)
        known -= find_taken_back(here).keys()
    new = [pair for digest, pair in calls.items() if digest not in known]
    for chats in batched({chat for chat, _ in new}, KEYS_A_QUERY):
        # Calls made here before events had a digest are known by their message.
        events = UsageEvent.objects.filter(conversation__in=chats, call=None).exclude(message="")
        events = events.exclude(source=UsageEvent.Source.IMPORT)
        own.update(events.order_by().values_list("conversation", "message"))
    return [(chat, call) for chat, call in new if (chat, call.message) not in own]


def make_rows(found: Sequence[tuple[str, MessageCall]], run: int | None = None) -> list[tuple[object, ...]]:
    """Return the events of calls as database values, in the order of `NAMES`."""
    services = _services_of(call for _, call in found)
    made_by = "" if run is None else name_run(run)
    return [_values(chat, call, services[call.model], made_by) for chat, call in found]


def _services_of(calls: Iterable[MessageCall]) -> dict[str, str]:
    """Return the service of each of the calls' models: that of the model here, else the one that its id names."""
    vendors = {call.model: call.vendor for call in calls}
    found: dict[str, str] = {}
    for some in batched(vendors, KEYS_A_QUERY):
        models = Model.objects.filter(uid__in=some).exclude(service_uid=None)
        found.update(models.order_by().values_list("uid", "service_uid"))  # type: ignore[arg-type]  # not None, as they are asked for
    if len(found) < len(vendors):
        services = list(Service.objects.order_by().values_list("uid", flat=True))
        for model, vendor in vendors.items():
            if model not in found:
                found[model] = service_in_model_id(model, vendor, services)
    return found


def _values(chat: str, call: MessageCall, service: str, made_by: str) -> tuple[object, ...]:
    tokens = call.tokens
    return (
        *(call.at, UsageEvent.Source.IMPORT.value, service, call.vendor, call.model, chat, call.message),
        *(tokens.input, tokens.cache_read, tokens.cache_write, tokens.output, tokens.reasoning, False),
        *(call.cost_nano_usd, call.cost_reported_nano_usd, call.cost_code, PRICE_SOURCE),
        *(call.ms_to_first_token, call.ms_total, call.outcome, encode(call.raw_usage), 1, call.call, made_by),
    )


def mark_imports() -> int:
    """Return where the ledger ends now, as the key of its last event."""
    return UsageEvent.objects.aggregate(newest=Max("pk"))["newest"] or 0


def tell_imports(mark: int) -> list[str]:
    """Tell how many calls are in the ledger from imported messages, and how many of them since it ended there."""
    imported = UsageEvent.Source.IMPORT
    days = UsageDay.objects.filter(dimension=UsageDay.Dimension.SOURCE, key=imported)
    count = sum(days.values_list("calls", flat=True))
    if not count:
        return []
    new = UsageEvent.objects.filter(pk__gt=mark, source=imported).count()
    calls = "1 call" if count == 1 else f"{count:,} calls"
    return [f"{calls} from imported messages in the ledger, {new:,} new."]
