"""What `manage.py start` does before it serves: data folder, key files, socket, database, owner."""

import errno
import json
import os
import socket
import tempfile
import threading
from typing import Any

import structlog
from django.conf import settings
from django.core.management import call_command
from django.core.management.utils import get_random_secret_key
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from filelock import FileLock, Timeout

from bigagi_site.checks import LOOPBACK
from bigagi_site.services import create_owner, get_owner
from bigagi_site.sql_views.dependents import describe_blocked
from bigagi_site.sql_views.keeping import keep_views
from chats.generations.abandoned import close_all_abandoned
from llms.calls.events import CallFailed
from llms.catalog import env_key
from llms.services.refresh import refresh_environment
from llms.vendors.endpoint import NotCallable
from metrics.ledger.keeping import keep_ledger
from stores.backups.creation import Backup, BackupError, create_backup, server_lock
from stores.backups.intact import describe_emptied_database, describe_way_back
from stores.importers.incoming import tidy_uploads
from stores.importers.one_run import close_dead_runs
from stores.importers.uploads import resume_by_itself
from stores.models import MigrationRun
from stores.records.faults import DAMAGED, DISK_FULL, describe_fault, fault_of
from stores.records.keyfile import KeyFileError, create_key_file
from stores.records.keys import is_unused, note_keys, tell_foreign, why_unreadable
from stores.records.private_files import write_private_once

logger = structlog.get_logger("llms")

WILDCARDS = {"0.0.0.0", "::", "[::]"}


class StartupError(Exception):
    """A reason why the server cannot start; the message says how to fix it."""


def prepare_data_dir() -> None:
    """Make the data folder and Django's key file where they are missing. Raises StartupError."""
    # Keeps the database private even if the folder already existed and is readable by others.
    os.umask(0o077)
    try:
        settings.DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=settings.DATA_DIR):
            pass
        if not os.environ.get("SECRET_KEY"):
            write_private_once(settings.SECRET_KEY_FILE, get_random_secret_key() + "\n")
            settings.SECRET_KEY = settings.SECRET_KEY_FILE.read_text().strip()
    except OSError as error:
        hint = "Free some space" if fault_of(error) is DISK_FULL else "Make it writable"
        hint = f"{hint}, or set BIGAGI_DATA_DIR to another folder."
        raise StartupError(f"The data folder {settings.DATA_DIR} is not writable ({error.strerror}). {hint}") from error


def prepare_key_file() -> list[str]:
    """Make the key file for secrets, unless some were sealed already; return what is wrong with it.

    A new key could not decrypt them, and would be in the way when the owner puts theirs back.
    """
    if is_unused():
        try:
            create_key_file()
        except KeyFileError as error:
            return [f"{error} API keys cannot be stored. Make the folder writable, or set BIGAGI_KEY_FILE."]
    note_keys()
    return [text for text in (why_unreadable() or tell_foreign(),) if text]


def open_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens on the address. Raises StartupError."""
    bare = host.strip("[]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(bare, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        # From now on requests wait until the server is ready, so that the link works as soon as it is printed.
        listener.listen(128)
    except (OSError, OverflowError) as error:
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            hint = f"Stop the program that uses it, or choose another port: manage.py start --port {port + 1}"
            raise StartupError(f"Port {port} on {host} is in use. {hint}") from error
        raise StartupError(f"Cannot listen on {host}, port {port}: {error}") from error
    return listener


def acquire_lock() -> FileLock:
    """Return the lock of the data folder, held. Raises StartupError while another server has it."""
    lock = server_lock()
    try:
        lock.acquire()
    except Timeout as error:
        url = read_server_url()
        raise StartupError(f"A server is already using {settings.DATA_DIR}: {url}") from error
    return lock


def write_server_url(url: str) -> None:
    """Store the address of the running server, for `sign_in_link`. Raises StartupError."""
    path = settings.DATA_DIR / "server.json"
    partial = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        partial.write_text(json.dumps({"url": url, "pid": os.getpid()}) + "\n")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StartupError(f"{path} cannot be written: {describe_fault(error)}") from error


def read_server_url() -> str:
    """Return where the server is or was last; the default address before the first start."""
    try:
        return str(json.loads((settings.DATA_DIR / "server.json").read_text())["url"])
    except (OSError, ValueError, KeyError):
        return "http://127.0.0.1:8000"


def prepare_database() -> Backup | None:
    """Migrate the database and make the first owner; return the backup that was taken before, if one was.

    Raises StartupError for a database that cannot be opened, has lost all of its bytes, is newer than this program, or
    cannot be backed up.
    """
    if reason := describe_emptied_database():
        raise StartupError(reason)
    try:
        executor = MigrationExecutor(connection)
        applied = executor.loader.applied_migrations
        if unknown := sorted(".".join(key) for key in set(applied) - set(executor.loader.disk_migrations)):
            hint = "Update bigagi, or restore a backup made by this version."
            raise StartupError(f"The database is newer than this program (it has {unknown[-1]}). {hint}")
        backup = None
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            backup = create_backup("before-migrate") if applied else None
            call_command("migrate", interactive=False, verbosity=0)
        # The time zone has changed, or triggers were dropped.
        if missing := keep_ledger():
            structlog.get_logger("metrics").warning(
                "ledger triggers were missing; triggers and sums were rebuilt", triggers=missing
            )
        # A backup of an earlier version has none.
        keep_views()
        if get_owner() is None:
            create_owner()
    except DatabaseError as error:
        text = f"{DAMAGED.what} {describe_way_back()}" if fault_of(error) is DAMAGED else describe_blocked(error)
        text = text or describe_fault(error)
        raise StartupError(f"The database {describe_database()} cannot be used: {text}") from error
    except BackupError as error:
        raise StartupError(f"The database needs a backup before it is migrated. {error}") from error
    return backup


def finish_preparing() -> list[str]:
    """Close what a previous server left unfinished, or go on with it, and make the key file; return what is wrong with
    that one.

    Raises StartupError.
    """
    try:
        close_broken_imports()
        close_broken_generations()
        fetch_environment_models()
        faults = prepare_key_file()
        # What is resumed needs the keys.
        resume_by_itself()
        return faults
    except (DatabaseError, OSError) as error:
        if fault_of(error) is None:
            raise
        raise StartupError(f"The server cannot start: {describe_fault(error)}") from error


def close_broken_generations() -> None:
    """Close answers that a previous server left unfinished; those of another one on the same database go on."""
    close_all_abandoned()


def fetch_environment_models() -> None:
    """Ask the provider of OPENAI_API_KEY for its models, in a thread: the server does not wait for it."""
    if env_key():
        threading.Thread(target=_fetch_environment_models, name="environment-models", daemon=True).start()


def _fetch_environment_models() -> None:
    try:
        refresh_environment()
    except CallFailed as error:
        logger.warning("the models of the service from the environment could not be listed", kind=error.kind)
    except NotCallable as error:
        logger.warning("the models of the service from the environment could not be listed", reason=str(error))
    except Exception:
        logger.exception("the models of the service from the environment could not be listed")
    finally:
        connection.close()


def close_broken_imports() -> None:
    """Mark imports whose process has ended as failed, and delete uploaded files that no run needs."""
    close_dead_runs()
    needed = MigrationRun.objects.exclude(source_path="").values_list("source_path", flat=True)
    tidy_uploads({key.partition("/")[0] for key in needed})


def describe_database() -> str:
    """Return where the database is, without its password."""
    database: dict[str, Any] = connection.settings_dict
    if connection.vendor == "sqlite":
        return str(database["NAME"])
    return f"{connection.vendor}://{database['HOST'] or 'localhost'}/{database['NAME']}"


def is_loopback(host: str) -> bool:
    """Tell whether only programs on this machine reach the address."""
    return host in LOOPBACK or host == "::1" or host.startswith("127.")


def fill_allowed_hosts(host: str, port: int) -> str:
    """Allow the host names of `host`; return the base URL of the pages."""
    names = _names_of_this_machine() if host in WILDCARDS else [f"[{host}]" if ":" in host.strip("[]") else host]
    if host.startswith("["):
        names = [host]
    known = list(settings.ALLOWED_HOSTS)
    settings.ALLOWED_HOSTS = known + [name for name in names if name not in known]
    scheme = "https" if settings.HTTPS else "http"
    origins = [f"{scheme}://{name}{suffix}" for name in names for suffix in ("", f":{port}")]
    settings.CSRF_TRUSTED_ORIGINS = [*settings.CSRF_TRUSTED_ORIGINS, *origins]
    if settings.HTTPS:
        public = [name for name in settings.ALLOWED_HOSTS if name not in LOOPBACK]
        return f"https://{public[0]}" if public else f"https://localhost:{port}"
    return f"http://{'127.0.0.1' if host in WILDCARDS else names[0]}:{port}"


def _names_of_this_machine() -> list[str]:
    name = socket.gethostname()
    found = {name, f"{name}.local", socket.getfqdn()}
    try:
        found |= {str(info[4][0]) for info in socket.getaddrinfo(name, None, socket.AF_INET)}
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            # Connecting a datagram socket sends nothing; it tells which address the network sees (RFC 5737 address).
            probe.connect(("192.0.2.1", 9))
            found.add(probe.getsockname()[0])
    except OSError:
        pass  # No network: its names are enough.
    return sorted(found)
