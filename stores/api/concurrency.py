"""Revisions as ETags: `"<primary key>-<revision>"`, strong."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import models
from django.shortcuts import get_object_or_404
from django.utils.http import parse_etags
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from stores.records.preconditions import counter_of, etag_of
from stores.records.sql import fetch

Row = TypeVar("Row", bound=models.Model)

TRIES = 3


def is_known(request: Request, etag: str) -> bool:
    """Tell whether the client already has this representation (If-None-Match)."""
    known = [tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-None-Match", ""))]
    return etag in known or known == ["*"]


def not_modified(etag: str) -> Response:
    """Return the answer without a body."""
    return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": etag})


def answer_revision(
    request: Request,
    record: Row,
    build: Callable[[Row], Any],
    sequence_of: Callable[[Row], int | None] = lambda record: None,
) -> Response:
    """Return what `build` makes of the record, or 304, under the ETag of the record's revision.

    A body is read by several statements. A transaction would hold the database's write lock, so instead the revision is
    checked again afterwards, and the body rebuilt if it changed. `sequence_of` returns the progress of
    an answer that is being generated in the record: such a response must not be cached.
    """
    for _ in range(TRIES):
        sequence = sequence_of(record)
        etag = etag_of(record, sequence)
        headers = {} if sequence is None else {"Cache-Control": "no-store"}
        if is_known(request, etag):
            return not_modified(etag)
        body = build(record)
        # The start of an answer raises the revision, so only its progress has to be checked again.
        is_same = _revision_of(record) == record.revision  # type: ignore[attr-defined]  # records with an ETag have one
        if is_same and (sequence is None or sequence_of(record) == sequence):
            return Response(body, headers={"ETag": etag} | headers)
        record = get_object_or_404(type(record)._default_manager, pk=record.pk)
    # Under constant writes the body may mix two revisions: it gets no ETag.
    return Response(body, headers=headers)


def _revision_of(record: models.Model) -> int | None:
    label = record._meta.label
    rows = fetch(f"SELECT revision FROM {{{label}}} WHERE id = %s", [record.pk])
    return rows[0][0] if rows else None


def answer_of_store(request: Request, store: str, build: Callable[[], Any]) -> Response:
    """Return what `build` makes, or 304, under the ETag of the counter of a store that is kept as rows."""
    for _ in range(TRIES):
        etag = etag_of(counter_of(store))
        if is_known(request, etag):
            return not_modified(etag)
        body = build()
        if etag_of(counter_of(store)) == etag:
            return Response(body, headers={"ETag": etag})
    return Response(body)
