"""What the commands that read the database have in common."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from stores.management.faults import is_not_set_up
from stores.records.faults import describe_fault


class ReadingCommand(BaseCommand):
    """A command that tells in one line that there is no database, and ends quietly when nobody reads on."""

    # Neither URLs nor templates are needed, and checking them costs more than a small import.
    requires_system_checks = []

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            result = super().execute(*args, **options)
            # Here, and not at exit, where Python could only ignore that the disk or the pipe takes nothing more.
            sys.stdout.flush()
            return result
        except DatabaseError as error:
            if not is_not_set_up(error):
                # `manage.py` says which, as for every command.
                raise
            raise CommandError(
                f"The database in {settings.DATA_DIR} cannot be read: {describe_fault(error)}. "
                "If this is a new installation, run `manage.py start` once or import a file.",
                returncode=2,
            ) from error
        except BrokenPipeError:
            # As behind `| head`: what is still to be flushed at exit must not complain again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
