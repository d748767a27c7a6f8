"""Faults of the disk and the database in commands: one line, whichever command meets them."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from stores.records.commits import Stored, find_stored, watching_commits
from stores.records.faults import fault_of

RETURN_CODE = 2

_WORDS = {
    Stored.NOTHING: "Nothing was stored.",
    Stored.SOME: "What was done before that is stored.",
    Stored.UNKNOWN: "Whether the last step was stored is not known.",
}


def is_not_set_up(error: DatabaseError) -> bool:
    """Tell whether there is no database yet, or one without tables."""
    return fault_of(error) is None or not settings.DATA_DIR.is_dir()


@contextmanager
def telling_faults() -> Iterator[None]:
    """Run a command. Where it breaks by a fault, end the process with one line that says what is broken, what is stored
    and what to do; other exceptions pass."""
    with watching_commits():
        try:
            yield
        except (DatabaseError, InterfaceError, OSError) as error:
            fault = fault_of(error)
            if fault is None:
                raise
            stored = _WORDS[find_stored(error)]
            try:
                sys.stderr.write(f"{fault.what} {stored} {fault.remedy} The data folder is {settings.DATA_DIR}.\n")
            finally:
                sys.exit(RETURN_CODE)
