"""Snapshots: the database as one file, taken while it is in use, checked, and restored."""

import hashlib
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection

from stores.background.partial_files import delete_left_over, name_partial
from stores.backups import postgres
from stores.backups.sqlite_files import (
    DamagedDatabase,
    SnapshotError,
    copy_readable,
    end_log,
    log_files,
    open_database,
    sqlite_errors,
)
from stores.backups.unfinished import give_name, new_folder
from stores.records.private_files import open_private

CHUNK = 2**20
"""Bytes copied at a time."""

CANNOT_READ = DatabaseError, UnicodeDecodeError
"""What reading a damaged database raises: SQLite's words on it can hold bytes that are no text."""


def is_sqlite() -> bool:
    """Tell whether the database is SQLite; else it is PostgreSQL."""
    return connection.vendor == "sqlite"


def file_name() -> str:
    """Return the name that the database's copy has in a backup."""
    return "bigagi.sqlite3" if is_sqlite() else "bigagi.pgdump"


def has_data() -> bool:
    """Tell whether there is a database with tables."""
    if is_sqlite() and not _live_path().exists():
        return False
    try:
        return bool(connection.introspection.table_names())
    except CANNOT_READ:
        # It is there and cannot be read: something to keep all the same.
        return True


def database_size() -> int:
    """Return the bytes of the database, its indexes included."""
    with connection.cursor() as cursor:
        if is_sqlite():
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()")
        else:
            cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def take_snapshot(target: Path) -> None:
    """Copy the database, as it is at this moment, to the file `target`. Raises SnapshotError."""
    if is_sqlite():
        if not _live_path().is_file():
            raise SnapshotError(f"there is no database at {_live_path()} yet. Run manage.py start first.")
        open_private(target).close()
        with sqlite_errors(), closing(open_database(_live_path())) as source, closing(sqlite3.connect(target)) as copy:
            # In one step: in several, each write of another process would make it begin again.
            source.backup(copy, pages=-1)
            # One file: in a write-ahead log the copy would need two more beside it, and change when it is read.
            copy.execute("PRAGMA journal_mode=DELETE")
    else:
        open_private(target).close()
        with _postgres_errors():
            postgres.dump(target)


def check_snapshot(path: Path) -> dict[str, int]:
    """Open the copy, check it whole, and return the rows of each table. Raises SnapshotError."""
    if is_sqlite():
        with sqlite_errors(), closing(open_database(path)) as copy:
            if problems := _find_problems(copy, "integrity_check", 3):
                raise DamagedDatabase(f"the database is damaged ({'; '.join(problems)})")
            tables = [row[0] for row in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            plain = [name for name in sorted(tables) if not name.startswith("sqlite_")]
            if not plain:
                # SQLite takes a file of no byte for a database where all is well.
                raise DamagedDatabase("the database is empty")
            return {name: copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in plain}
    try:
        postgres.read_dump(path)
    except postgres.ProgramFailed as error:
        raise DamagedDatabase(f"the dump cannot be read ({error})") from error
    with connection.cursor() as cursor:
        names = sorted(connection.introspection.table_names(cursor))
        quoted = {name: connection.ops.quote_name(name) for name in names}
        counts = {}
        for name in names:
            cursor.execute(f"SELECT count(*) FROM {quoted[name]}")
            counts[name] = cursor.fetchone()[0]
        return counts


def find_damage(*, is_quick: bool, pause: Callable[[float], None] | None = None) -> list[str]:
    """Read the live database, and return in words what is wrong with its pages; PostgreSQL watches over its own.

    A quick check does not compare indexes with their tables. `pause` is called now and then with the seconds that the
    reading took since the last call. Raises SnapshotError where the database cannot be looked at.
    """
    if not is_sqlite():
        return []
    check = "quick_check" if is_quick else "integrity_check"
    try:
        with sqlite_errors(), closing(open_database(_live_path())) as database:
            if pause:
                database.set_progress_handler(_call_between(pause), 20_000)
            return _find_problems(database, check, 10)
    except DamagedDatabase as error:
        return [str(error.__cause__ or error)]


def _call_between(pause: Callable[[float], None]) -> Callable[[], int]:
    last = time.perf_counter()

    def go_on() -> int:
        nonlocal last
        pause(time.perf_counter() - last)
        last = time.perf_counter()
        return 0

    return go_on


def _find_problems(database: sqlite3.Connection, check: str, most: int) -> list[str]:
    problems = [str(row[0]) for row in database.execute(f"PRAGMA {check}({most})")]
    return [] if problems == ["ok"] else [line for text in problems for line in text.splitlines()][:most]


def copy_in(snapshot: Path) -> tuple[Path, str]:
    """Copy the file `snapshot` beside the live database, and return the copy with its SHA-256.

    PostgreSQL takes the file from where it is. Who calls deletes the copy, with `discard`.
    """
    digest = hashlib.sha256()
    if not is_sqlite():
        with snapshot.open("rb") as file:
            return snapshot, hashlib.file_digest(file, "sha256").hexdigest()
    live = _live_path()
    live.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    incoming = _copy_beside(live)
    try:
        with snapshot.open("rb") as file, open_private(incoming) as copy:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
    except BaseException:
        incoming.unlink(missing_ok=True)
        raise
    return incoming, digest.hexdigest()


def _copy_beside(live: Path) -> Path:
    return live.with_name(name_partial(f".{live.name}"))


def delete_left_over_copies() -> None:
    """Delete copies beside the live database that processes which are gone were making."""
    if is_sqlite():
        delete_left_over(_live_path().parent, f".{_live_path().name}")


def discard(incoming: Path) -> None:
    """Delete what `copy_in` made, unless it has become the database."""
    if is_sqlite():
        for path in (incoming, *log_files(incoming), incoming.with_name(f"{incoming.name}-journal")):
            path.unlink(missing_ok=True)


def mend_indexes(copy: Path) -> bool:
    """Build all indexes of a damaged copy anew from their tables; tell whether it holds together then.

    Nothing else is mended: what would make a damaged table look whole could hide that rows are gone.
    """
    if not is_sqlite():
        return False
    try:
        with sqlite_errors(), closing(open_database(copy)) as database:
            database.execute("REINDEX")
            is_referring = database.execute("PRAGMA foreign_key_check").fetchone() is None
        check_snapshot(copy)
    except SnapshotError:
        return False
    return is_referring


def mend_live() -> Path:
    """Build the indexes of the live SQLite database anew; return the folder that keeps the damaged one.

    Raises SnapshotError, and then leaves the database as it was.
    """
    live = _live_path()
    copy = _copy_beside(live)
    connection.close()
    try:
        take_snapshot(copy)
        try:
            check_snapshot(copy)
        except DamagedDatabase:
            if not mend_indexes(copy):
                raise
        aside = set_aside()
        put_in_place(copy)
    finally:
        discard(copy)
    return aside


def put_in_place(incoming: Path) -> None:
    """Make the database what the checked file of `copy_in` holds, in one step. Raises SnapshotError."""
    if not is_sqlite():
        with _postgres_errors():
            postgres.put_back(incoming)
        return
    live = _live_path()
    end_log(live)
    incoming.replace(live)


def set_aside() -> Path:
    """Copy the damaged SQLite database, with its log, into the backups as it is; return the folder."""
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-damaged-{uuid.uuid4().hex[:4]}"
    with new_folder(settings.BACKUPS_DIR) as folder:
        for file in (_live_path(), *log_files(_live_path())):
            if file.exists():
                copy_readable(file, folder / file.name)
        return give_name(folder, settings.BACKUPS_DIR / name)


def _live_path() -> Path:
    return Path(connection.settings_dict["NAME"])


@contextmanager
def _postgres_errors() -> Iterator[None]:
    try:
        yield
    except postgres.ProgramFailed as error:
        raise SnapshotError(str(error)) from error
