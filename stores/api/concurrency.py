"""Revisions as ETags: `"<primary key>-<revision>"`, strong."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db import models
from django.shortcuts import get_object_or_404
from django.utils.http import parse_etags
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

Row = TypeVar("Row", bound=models.Model)

TRIES = 3


def etag_of(record: Any) -> str:
    """Return the ETag of a row that has a revision."""
    return f'"{record.pk}-{record.revision}"'


def is_known(request: Request, etag: str) -> bool:
    """Tell whether the client has this representation already (If-None-Match)."""
    known = [tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-None-Match", ""))]
    return etag in known or known == ["*"]


def not_modified(etag: str) -> Response:
    """Return the answer without a body."""
    return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": etag})


def answer_revision(request: Request, record: Row, build: Callable[[Row], Any]) -> Response:
    """Return what `build` makes of the record, or 304, under the ETag of the record's revision.

    A body is read by several statements. A transaction would hold the database's write lock, so the revision is
    looked at again afterwards, and the body built anew where somebody wrote in between.
    """
    for _ in range(TRIES):
        etag = etag_of(record)
        if is_known(request, etag):
            return not_modified(etag)
        body = build(record)
        fresh = get_object_or_404(type(record)._default_manager, pk=record.pk)
        if etag_of(fresh) == etag:
            return Response(body, headers={"ETag": etag})
        record = fresh
    # Written to all the time: a body that may be of two revisions gets no ETag.
    return Response(body)
