"""The calls that chats' messages tell of, handed to the ledger."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Q, QuerySet

from chats.bigagi import rows as table
from chats.bigagi.message import MESSAGE
from chats.models import Conversation, Message
from metrics.history.codec import MessageCall, call_of_facts, call_of_message
from metrics.history.recording import record_history
from metrics.history.taking_back import take_back_runs
from metrics.models import UsageEvent
from stores.models import MigrationRun, RunRecord
from stores.querysets import undone_imports
from stores.records.codecs import JSONObject, Rows
from stores.records.iteration import batched

MESSAGES_A_BATCH = 500


def record_calls(chats: Sequence[Rows], run: int) -> int:
    """Write the events of the calls that imported chats tell of and that the ledger has not; return how many."""
    return record_history([pair for rows in chats for pair in calls_of(rows)], run)


def calls_of(rows: Rows) -> Iterator[tuple[str, MessageCall]]:
    """Yield the calls that a chat's messages tell of, with the chat's id."""
    times = (rows.columns["updated"], rows.columns["created"])
    for part in rows.parts:
        # Whatever metrics there are stand in their column: it takes any JSON.
        if part.columns["metrics"] is not None:
            call = _call_of(part.uid, part.columns, part.extra, times)
            if call is not None:
                yield rows.uid, call


def _call_of(
    uid: str, columns: Mapping[str, Any], extra: JSONObject, chat_times: tuple[Any, ...]
) -> MessageCall | None:
    """Return the call that a message's row tells of."""
    if "generator" in extra or "created" in extra or extra.get("updated") is not None:
        return call_of_message(MESSAGE.join(columns, extra) | {"id": uid}, chat_times)
    # To join the header takes as long as all the rest.
    times = (columns["created"], columns["updated"], *chat_times)
    names = ("vendor_id", "model_id", "stop_reason", "metrics")
    return call_of_facts(uid, times, *(columns[name] for name in names))


def count_messages() -> int:
    """Return how many messages here can tell of a call."""
    return _with_metrics().count()


def calls_here() -> Iterator[tuple[int, list[tuple[str, MessageCall]]]]:
    """Yield the calls that messages here tell of, with their chats' ids, in batches, and of how many messages. No
    query stays open between them."""
    last = 0
    while True:
        keys = list(_with_metrics().filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:MESSAGES_A_BATCH])
        if not keys:
            return
        last = keys[-1]
        yield len(keys), calls_of_messages(keys)


def _with_metrics() -> QuerySet[Message]:
    return Message.objects.filter(metrics__isnull=False)


def calls_of_messages(keys: Sequence[int]) -> list[tuple[str, MessageCall]]:
    """Return the calls that these messages tell of."""
    found = list(table.messages_of(keys, "id"))
    chats: dict[int, tuple[str, Any, Any]] = {
        pk: (uid, updated, created)
        for pk, uid, updated, created in Conversation.objects.filter(pk__in={owner for _, owner, *_ in found})
        .order_by()
        .values_list("pk", "uid", "updated", "created")
    }
    calls = []
    for _, owner, _, uid, columns, extra in found:
        chat, *times = chats[owner]
        call = _call_of(uid, columns, extra, tuple(times))
        if call is not None:
            calls.append((chat, call))
    return calls


def undo_calls(run: MigrationRun, by: MigrationRun) -> Iterator[None]:
    """Take back the calls that a run found in messages; or, where it is an undo itself, bring them back. Calls of
    chats that are kept stay, and those that other messages here tell of, as copies do."""
    is_import = run.purpose == MigrationRun.Purpose.IMPORT
    # What others had to leave since a copy told of it goes when the last copy does.
    runs = [run.pk, *undone_imports()] if is_import else [run.pk]
    undos = [by.pk, *MigrationRun.objects.filter(based_on__in=runs).values_list("pk", flat=True)]
    decided = RunRecord.objects.filter(run__in=undos, kind="conversation", outcome="skipped")
    kept = set(decided.values_list("uid", flat=True))

    def stand(events: Sequence[tuple[UsageEvent, Any]]) -> set[int]:
        counted = [(event, call) for event, call in events if event.calls > 0]
        told = _calls_told([event for event, _ in counted])
        of_kept = {event.pk for event, _ in events if event.conversation in kept}
        return of_kept | {event.pk for event, call in counted if call in told}

    return take_back_runs(runs, by.pk, stand)


def _calls_told(events: Sequence[UsageEvent]) -> set[str]:
    """Return the digests of the calls that messages here tell of, among those that can be of these events."""
    if not events:
        return set()
    at_that_time = Q(created__in={event.at for event in events})
    without_time = Q(created=None, uid__in={event.message for event in events})
    keys = list(_with_metrics().filter(at_that_time | without_time).values_list("pk", flat=True))
    return {call.call for some in batched(keys, MESSAGES_A_BATCH) for _, call in calls_of_messages(some)}
