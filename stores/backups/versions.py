"""Whether the tables of the database are those of this program: a backup may be older, or newer."""

from functools import cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


@cache
def _ours() -> frozenset[tuple[str, str]]:
    return frozenset(MigrationLoader(None).graph.nodes)


def find_missing() -> list[str]:
    """Return the migrations that the database lacks, as `chats.0001_initial`: it is of an earlier version."""
    return _named(_ours() - _applied())


def find_unknown() -> list[str]:
    """Return the migrations that the database has and this program does not: it is of a newer version."""
    apps = {app for app, _ in _ours()}
    return _named({key for key in _applied() - _ours() if key[0] in apps})


def describe_other_version() -> str:
    """Return in words that the database is of another version, and what to do; or nothing."""
    if unknown := find_unknown():
        return (
            f"The database is of a newer version of bigagi: it has {unknown[-1]}, which this version does not know. "
            "Update bigagi."
        )
    if missing := find_missing():
        return (
            f"The database is of an earlier version of bigagi: it is without {missing[0]}. To bring it to this "
            "version: uv run manage.py migrate (start does so, too, after a backup)."
        )
    return ""


def _applied() -> set[tuple[str, str]]:
    return set(MigrationRecorder(connection).applied_migrations())


def _named(keys: frozenset[tuple[str, str]] | set[tuple[str, str]]) -> list[str]:
    return [".".join(key) for key in sorted(keys)]
