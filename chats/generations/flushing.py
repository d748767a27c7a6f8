"""Generations in the database while they stream: text, events and leases. Synchronous."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from chats.bigagi import rows as table
from chats.bigagi.message import fragment_to_row
from chats.generations.requests import StartedGeneration
from chats.models import Generation, GenerationEvents
from stores.background.leases import next_end
from stores.records.codecs import JSONObject
from stores.records.errors import SecretsUnreadable
from stores.records.sealing import Masker, Sealer
from stores.records.sql import execute_many, insert_rows


@dataclass
class GenerationFlush:
    """What is new since the last flush: the fragments from number `start` on, which are new or longer, and the events
    `first` to `last` as they were sent."""

    generation: StartedGeneration
    start: int
    fragments: list[JSONObject]
    first: int
    last: int
    frames: str


def flush_all(flushes: Sequence[GenerationFlush], running: Sequence[StartedGeneration]) -> set[str]:
    """Store what is new of all generations, in one transaction, and renew their leases; return the ids of those that
    are to be stopped. Nothing is written of one that another server closed meanwhile, as while this machine slept."""
    if not running:
        return set()
    keys = [generation.row.pk for generation in running]
    open_ones = Generation.objects.filter(pk__in=keys, status=Generation.Status.RUNNING)
    with transaction.atomic():
        # Before anything is written: on PostgreSQL, nobody can close them from now on.
        open_ones.update(lease_until=next_end())
        is_to_stop = dict(open_ones.values_list("uid", "stop_requested"))
        held = [flush for flush in flushes if flush.generation.row.uid in is_to_stop]
        for flush in held:
            store_fragments(flush)
        store_events(held)
    return {uid for generation in running if is_to_stop.get(uid := generation.row.uid, True)}


def store_fragments(flush: GenerationFlush) -> None:
    """Write the fragments: those that are stored have changed, others are new."""
    sealer = Sealer()
    for position, fragment in enumerate(flush.fragments, flush.start):
        # What looks like a key must not be stored in clear, not even for a moment.
        try:
            sealed = sealer.seal(fragment)
        except SecretsUnreadable:
            # The generation goes on, and so do the others of this transaction; the end says so.
            sealed = Masker().seal(fragment)
        row = fragment_to_row(sealed, position)
        if position < flush.generation.stored_fragments:
            table.grow_fragment(flush.generation.message_pk, row)
        else:
            table.insert_fragments(flush.generation.message_pk, [row])
    sealer.save()


def store_events(flushes: Sequence[GenerationFlush]) -> None:
    """Write down the events that were sent."""
    sent = [flush for flush in flushes if flush.frames]
    insert_rows(
        GenerationEvents,
        ("generation", "first", "last", "frames"),
        [(flush.generation.row.pk, flush.first, flush.last, flush.frames) for flush in sent],
    )
    execute_many(
        "UPDATE {chats.Generation} SET sequence = %s WHERE id = %s",
        [(flush.last, flush.generation.row.pk) for flush in sent],
    )
