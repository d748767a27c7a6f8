"""Why a file is not imported, or a run not resumed, told over REST."""

from collections.abc import Iterator
from contextlib import contextmanager

from stores.api.bodies import BrokenOff
from stores.api.problems import Problem
from stores.importers import previews
from stores.importers.incoming import NoSpace, Refused
from stores.importers.one_run import AlreadyRunning
from stores.importers.resuming import NotResumable


@contextmanager
def run_problems() -> Iterator[None]:
    """Tell why a file is not imported."""
    try:
        yield
    except AlreadyRunning as error:
        raise Problem(409, f"{str(error)[:1].upper()}{str(error)[1:]}", kind="import-running") from error
    except NoSpace as error:
        raise Problem(507, str(error), kind="disk-full") from error
    except Refused as error:
        raise Problem(400, str(error), kind="not-a-backup") from error
    except NotResumable as error:
        status, kind = (410, "file-gone") if error.is_gone else (409, "not-resumable")
        raise Problem(status, str(error), kind=kind) from error
    except previews.NotRunnable as error:
        raise Problem(409, str(error), kind="no-preview") from error
    except previews.FileGone as error:
        raise Problem(410, str(error), kind="file-gone") from error
    except BrokenOff as error:
        raise Problem(400, "The body was cut off. Send the whole file again.") from error
