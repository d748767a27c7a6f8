"""Preconditions of writes (If-Match), which prevent lost updates (`ARCHITECTURE.md`, law 7)."""

import re
from typing import Any

from django.utils.http import parse_etags

from stores.models import StoreCounter

_SEQUENCE = re.compile(r'\A("\d+-\d+)-\d+"\Z')
"""An ETag that tells also how far something is written that goes on: writes compare the revision alone."""


class Stale(Exception):
    """The record has changed since the client read it; `etag` is the current one, None if the record is gone."""

    def __init__(self, etag: str | None) -> None:
        super().__init__("changed in the meantime")
        self.etag = etag


class Precondition:
    """The ETags of If-Match, one of which the record must have; none given: whatever it has."""

    def __init__(self, header: str | None = None) -> None:
        self._etags = None if header is None else [_SEQUENCE.sub(r'\1"', etag) for etag in parse_etags(header)]

    def check(self, etag: str | None) -> None:
        """Raise `Stale` where the record has another ETag; None: there is no record. Call it in the transaction that
        writes."""
        if self._etags is None or (self._etags == ["*"] and etag is not None):
            return
        # If-Match compares strongly: a weak tag never matches (RFC 9110, section 13.1.1).
        if etag is None or etag not in self._etags:
            raise Stale(etag)


ANY = Precondition()


def etag_of(record: Any, sequence: int | None = None) -> str:
    """Return the strong ETag of a row that has a revision: `"<primary key>-<revision>"`, and behind it the sequence of
    what is being written there."""
    return f'"{record.pk}-{record.revision}"' if sequence is None else f'"{record.pk}-{record.revision}-{sequence}"'


def counter_of(store: str, *, for_update: bool = False) -> StoreCounter:
    """Return the counter of a store kept as rows; `0-0` before its first change."""
    counters = StoreCounter.objects.select_for_update() if for_update else StoreCounter.objects.all()
    return counters.filter(name=store).first() or StoreCounter(pk=0, name=store, revision=0)
