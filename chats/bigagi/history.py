"""The calls that chats' messages tell of, handed to the ledger."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from chats.bigagi import rows as table
from chats.bigagi.message import MESSAGE
from chats.models import Conversation, Message
from metrics.history.codec import MessageCall, call_of_facts, call_of_message
from metrics.history.recording import record_history
from stores.records.codecs import JSONObject, Rows

MESSAGES_A_BATCH = 500


def record_calls(chats: Sequence[Rows]) -> int:
    """Write the events of the calls that imported chats tell of and that the ledger has not; return how many."""
    return record_history([pair for rows in chats for pair in calls_of(rows)])


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
