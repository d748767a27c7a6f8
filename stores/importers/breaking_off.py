"""The end of an import that cannot go on, told in its run."""

import structlog
from django.db import DatabaseError

from stores.importers.lease import TAKEN_UP, LeaseLost
from stores.importers.run import Progress
from stores.models import MigrationRun
from stores.querysets import how_to_resume
from stores.records.faults import fault_of

logger = structlog.get_logger("stores")


def tell_closed(progress: Progress, error: LeaseLost) -> None:
    """Say that another server has closed the run, or taken it up; its row is that one's."""
    logger.warning("an import had been closed by another server", run=progress.run and progress.run.pk)
    progress.fail()
    words, resumed = str(error), 0
    if progress.run is not None:
        resumed = progress.run.resumed
        progress.run.refresh_from_db()
    if progress.run is not None and progress.run.resumed > resumed:
        words = TAKEN_UP
    elif progress.run is not None:
        progress.run.blocked_by = words
    progress.error("", words)


def tell_broken_off(progress: Progress, error: Exception, *, is_preview: bool) -> None:
    """Say that the run was broken off by a fault, and how it goes on."""
    assert progress.run is not None
    fault = fault_of(error)
    message = fault.what if fault else f"{type(error).__name__}: {error}."
    remedy = fault.remedy if fault else "Fix this."
    progress.error("", message)
    # What was compared before does not end the run: it can be resumed.
    progress.certificate = None
    words = f"{message} What was imported until then is stored. {remedy} {how_to_resume(progress.run)}"
    if is_preview:
        words = f"{message} Nothing was imported. {remedy} Then send the file again."
    try:
        progress.finish(MigrationRun.Status.ERROR, words)
    except LeaseLost as lost:
        tell_closed(progress, lost)
    except DatabaseError:
        # A full disk takes not even this. Who is told now is told the truth; the row is closed by the next look at
        # it, or by the server's thread as soon as there is room.
        logger.warning("the end of an import could not be stored yet", run=progress.run.pk, exc_info=True)
