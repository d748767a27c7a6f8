"""Sessions that are stored together with what they stand for."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.http import HttpRequest


@contextmanager
def storing_session(request: HttpRequest) -> Iterator[None]:
    """Store the session and what the block stores together: where one fails, as on a full disk, neither is."""
    with transaction.atomic():
        yield
        request.session.save()
        # The middleware sends the cookie of a session that was modified, and stores it once more before that, which
        # could fail when all is done already.
        request.session.save = _is_saved  # type: ignore[method-assign]


def _is_saved(must_create: bool = False) -> None:
    """Stand in for the `save` of a session that has been saved."""
