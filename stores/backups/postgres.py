"""PostgreSQL's own programs: they dump the database, read a dump, and put it back."""

import os
import shutil
import subprocess
from pathlib import Path

from django.conf import settings
from django.db import connection

from stores.backups.unfinished import new_folder


class ProgramFailed(Exception):
    """A program that is not installed, or that failed; the message has its last words."""


def dump(target: Path) -> None:
    """Dump the database, as it is at this moment, to the file `target`. Raises ProgramFailed."""
    _run("pg_dump", "--format=custom", "--no-owner", f"--file={target}", _name())


def read_dump(path: Path) -> None:
    """Read the dump to its end. Raises ProgramFailed."""
    # As SQL to nowhere: its list alone would not read the rows.
    _run("pg_restore", f"--file={os.devnull}", str(path))


def put_back(dumped: Path) -> None:
    """Make the database what the dump holds, in one transaction. Raises ProgramFailed."""
    # Not `pg_restore --clean`: it leaves the tables that are newer than the copy, and the next migration trips on them.
    tables = [connection.ops.quote_name(name) for name in connection.introspection.table_names()]
    drops = {"TABLE": tables, "FUNCTION": _find_trigger_functions()}
    connection.close()
    drop = "".join(f"DROP {kind} {', '.join(names)} CASCADE;" for kind, names in drops.items() if names)
    with new_folder(settings.DATA_DIR) as folder:
        script = folder / "restore.sql"
        _run("pg_restore", "--no-owner", f"--file={script}", str(dumped))
        options = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1")
        command = ("--command", drop) if drop else ()
        _run("psql", *options, *command, f"--file={script}", f"--dbname={_name()}")


_TRIGGER_FUNCTIONS = """SELECT p.oid::regprocedure::text FROM pg_proc p
    WHERE p.pronamespace = current_schema()::regnamespace AND p.prorettype = 'trigger'::regtype AND NOT EXISTS (
        SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
"""


def _find_trigger_functions() -> list[str]:
    """Return what triggers run, as PostgreSQL names it; without what extensions brought."""
    with connection.cursor() as cursor:
        cursor.execute(_TRIGGER_FUNCTIONS)
        return [name for (name,) in cursor.fetchall()]


def _name() -> str:
    return str(connection.settings_dict["NAME"])


def _run(program: str, *arguments: str) -> None:
    if shutil.which(program) is None:
        raise ProgramFailed(f"{program} is not installed: install PostgreSQL's client programs")
    # Variables rather than a URL: the password must not stand in the list of processes.
    settings_dict = connection.settings_dict
    names = {"HOST": "PGHOST", "PORT": "PGPORT", "USER": "PGUSER", "PASSWORD": "PGPASSWORD"}
    environment = os.environ | {names[key]: str(settings_dict[key]) for key in names if settings_dict[key]}
    done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True)
    if done.returncode:
        raise ProgramFailed(f"{program} failed: {done.stderr.strip().splitlines()[-1] if done.stderr else 'no reason'}")
