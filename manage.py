#!/usr/bin/env python
"""Run bigagi's commands; `manage.py start` sets everything up and serves."""

import gc
import os
import sys

from django.core.management import execute_from_command_line
from django.db import OperationalError, connection

from stores.management.faults import telling_faults


def main() -> None:
    """Run the command. Without a data folder SQLite only says that it cannot open a file: say what is missing."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bigagi_site.settings")
    with telling_faults():
        try:
            execute_from_command_line(sys.argv)
        except OperationalError:
            from django.conf import settings

            if connection.vendor != "sqlite" or settings.DATA_DIR.is_dir():
                raise
            sys.stderr.write(
                f"The data folder {settings.DATA_DIR} does not exist. "
                "Run `uv run manage.py start` once: it sets it up.\n"
            )
            sys.exit(2)


# What a start makes stays: to look for garbage among it after each 700 objects took a quarter of its time.
gc.set_threshold(20_000, 20, 20)

if __name__ == "__main__":
    main()
