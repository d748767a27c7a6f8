"""Reading every row as the program does, and comparing records with their digests: what is damaged inside a row,
SQLite's own check does not see."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.db import models, transaction

from stores.backups.snapshots import CANNOT_READ
from stores.records import registry
from stores.records.codecs import Unreadable
from stores.records.collections import Collection
from stores.records.dump import records_of
from stores.records.errors import Conflict

BATCH = 500
"""Rows that are read one by one where one of them cannot be read."""

MOST = 20
"""Rows and records that are named."""


def find_unreadable_rows() -> list[str]:
    """Return the rows that cannot be read, as `chats_message 12: why`; at most `MOST`."""
    found: list[str] = []
    for model in apps.get_models(include_auto_created=True):
        for words in _read(model):
            found.append(f"{model._meta.db_table} {words}")
            if len(found) == MOST:
                return found
    return found


def find_changed_records() -> list[str]:
    """Return the records whose JSON is not that of their `content_hash`, by kind and name; at most `MOST`.

    All rows must be readable.
    """
    found: list[str] = []
    for collection in registry.all_collections():
        for row, record in records_of(collection):
            if _hash(collection, record, row.uid) != row.content_hash and _is_changed(collection, row.uid):
                found.append(f"the {collection.kind} “{collection.name_of(record)[:NAME]}” differs from its digest")
                if len(found) == MOST:
                    return found
    return found


NAME = 60
"""Characters of a record's name."""


def _is_changed(collection: Collection, uid: str) -> bool:
    """Look again, at one moment: somebody may have written between the row and its parts."""
    with transaction.atomic():
        row = collection.rows().filter(uid=uid).first()
        if row is None:
            return False
        try:
            collection.check_free(row)
        except Conflict:
            return False  # An answer is being written; the digest comes at its end.
        [record] = collection.load([row])
        return _hash(collection, record, uid) != str(row.content_hash)


def _hash(collection: Collection, record: Any, uid: str) -> str:
    try:
        return collection.to_rows(record, uid).content_hash
    except Unreadable:
        return ""


def _read(model: type[models.Model]) -> Iterator[str]:
    last: Any = None
    while True:
        rows = model._base_manager.order_by("pk")
        if last is not None:
            rows = rows.filter(pk__gt=last)
        try:
            for row in rows.iterator(chunk_size=BATCH):
                last = row.pk
            return
        except Exception as error:  # Whatever the database or a field says of the bytes: the row cannot be read.
            reason = _first_line(error)
        try:
            keys = list(rows.values_list("pk", flat=True)[:BATCH])
        except CANNOT_READ as error:
            yield f"cannot be read further: {_first_line(error)}"
            return
        if not keys:
            yield f"cannot be read: {reason}"
            return
        for key in keys:
            try:
                model._base_manager.get(pk=key)
            except ObjectDoesNotExist:
                pass  # Deleted meanwhile.
            except Exception as error:
                yield f"{key}: {_first_line(error)}"
            last = key


def _first_line(error: Exception) -> str:
    # Neither the value nor what is around it: it may be a message or a key.
    if isinstance(error, CANNOT_READ):
        return (str(error).strip().splitlines() or [type(error).__name__])[0].partition(" with text ")[0]
    return f"its content is damaged ({type(error).__name__})"
