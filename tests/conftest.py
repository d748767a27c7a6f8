"""What all tests share: a data folder of their own, real files, a browser, and a server in a process."""

import gc
import os
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import pytest
from django.contrib import admin
from filelock import FileLock
from hypothesis import HealthCheck, is_hypothesis_test
from hypothesis import settings as hypothesis_settings

from tests.browsers import SharedBrowser, run_browser
from tests.nightly import IS_NIGHT
from tests.servers import REPOSITORY, Server, build_environment, own_database, run_server

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# No test may touch the data of the person who runs it: the settings must not be read before this. That is why they are
# named here and not in pyproject.toml, from where pytest-django reads them before any conftest.
if "bigagi_site.settings" in sys.modules:
    raise pytest.UsageError("Unset DJANGO_SETTINGS_MODULE: the tests name their settings themselves.")
os.environ["DJANGO_SETTINGS_MODULE"] = "bigagi_site.settings"
_data_dir = tempfile.TemporaryDirectory(prefix="bigagi-tests-", ignore_cleanup_errors=True)
os.environ["BIGAGI_DATA_DIR"] = _data_dir.name
os.environ["BIGAGI_ENV_FILE"] = os.devnull
for name in (
    "BIGAGI_KEY_FILE",
    "BIGAGI_HTTPS",
    "BIGAGI_TIME_ZONE",
    "BIGAGI_ALLOWED_HOSTS",
    "SECRET_KEY",
    "DEBUG",
    "LOG_FORMAT",
):
    os.environ.pop(name, None)
django.setup()
admin.autodiscover()
# The workers of pytest-xdist inherit the environment, and have to come here first too.
del os.environ["DJANGO_SETTINGS_MODULE"]

for profile, examples in {"default": 100, "nightly": 500}.items():
    hypothesis_settings.register_profile(
        profile, max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

IS_SECOND_DATABASE = os.environ.get("BIGAGI_CI") == "1" and bool(os.environ.get("DATABASE_URL"))
DATABASE_FIXTURES = {"db", "transactional_db", "environment", "started", "first_start", "server"}
SECONDS = {"long": 100, "property": 60, "exhaustive": 0.4, "slow": 4, "browser": 2}
"""How long a test of a kind takes, about."""
CHROMIUM_PATHS = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


def pytest_configure(config: pytest.Config) -> None:
    """Leave slow tests out of a run of all: they are for who names them, by `-m`, by their file or by `-k`."""
    is_of_all = config.args_source is not pytest.Config.ArgsSource.ARGS
    if is_of_all and not (config.option.markexpr or config.option.keyword):
        # The workers of pytest-xdist, which get arguments of their own, get this with the options.
        config.option.markexpr = "not slow"


def pytest_xdist_auto_num_workers() -> int:
    """Return two processes more than there are cores, four at most: some of the time is spent waiting for servers and
    browsers, and with more browsers at once a slow machine runs into their timeouts."""
    return min((os.cpu_count() or 1) + 2, 4)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what a machine with more to offer, or more time, tests in another way than a newcomer's. In the pass on
    PostgreSQL, leave out what never asks a database."""
    if IS_SECOND_DATABASE:
        chosen = [item for item in items if _uses_database(item)]
        chosen = chosen if IS_NIGHT else _some_of_modules(_some_cases(chosen))
        config.hook.pytest_deselected(items=list(set(items) - set(chosen)))
        items[:] = chosen
    for item in items:
        if "real_data" in getattr(item, "fixturenames", ()):
            item.add_marker("real_data")
        if is_hypothesis_test(getattr(item, "obj", None)):
            item.add_marker("property")
        # Many examples and long walks: together half of the time.
        if any(item.iter_markers("property")) or any(item.iter_markers("exhaustive")):
            item.add_marker("slow")
    _put_long_ones_first(items)


def pytest_collection_finish() -> None:
    """Look for garbage seldom, and never among what was collected, which stays: it took a fifth of the tests' time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _some_cases(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return the tests, and of those with more than three cases each third one: all have run on SQLite."""
    cases: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        cases[item.nodeid.partition("[")[0]].append(item)
    return [item for same in cases.values() for item in (same[::3] if len(same) > 3 else same)]


def _some_of_modules(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return the tests, and of modules with more than ten each third one: most of a module goes the same way through
    the database. Modules with SQL, locks or files of their own say so by their mark."""
    modules: dict[str, list[pytest.Item]] = defaultdict(list)
    for item in items:
        modules[item.nodeid.partition("::")[0]].append(item)
    return [
        item
        for same in modules.values()
        for item in (same[::3] if len(same) > 10 and not any(same[0].iter_markers("each_database")) else same)
    ]


def _put_long_ones_first(items: list[pytest.Item]) -> None:
    """Order what one process each runs, modules and classes, so that none is left with a long one at the end."""
    seconds: dict[str, float] = defaultdict(float)
    for item in items:
        seconds[_scope_of(item)] += next((SECONDS[mark] for mark in SECONDS if any(item.iter_markers(mark))), 0.2)
    items.sort(key=lambda item: -seconds[_scope_of(item)])


def _scope_of(item: pytest.Item) -> str:
    return item.nodeid.split("[")[0].rpartition("::")[0]


def _uses_database(item: pytest.Item) -> bool:
    return any(item.iter_markers("django_db")) or bool(DATABASE_FIXTURES & set(getattr(item, "fixturenames", ())))


def skip_unless_ci(reason: str) -> None:
    """Skip the test for a thing that this machine lacks; where BIGAGI_CI=1 promises it, fail."""
    if os.environ.get("BIGAGI_CI") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of files that big-AGI wrote (`small` of the shared data)."""
    path = REPOSITORY.parent / "shared" / "data" / "small"
    if not path.is_dir():
        skip_unless_ci(f"the files that big-AGI wrote are not at {path}")
    return path


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of the system's Chromium, or of another one that BIGAGI_CHROMIUM names; empty: there is none."""
    named = os.environ.get("BIGAGI_CHROMIUM")
    for path in CHROMIUM_PATHS if named is None else [named]:
        if os.access(path, os.X_OK):
            return path
    skip_unless_ci("no Chromium is installed (apt-get install chromium)")
    raise AssertionError


@pytest.fixture(autouse=True, scope="session")
def empty_the_ledger() -> Iterator[None]:
    """Let tests that commit empty all tables afterwards: the ledger refuses that."""
    from django.db.backends.base.operations import BaseDatabaseOperations

    from metrics.ledger.triggers import drop_triggers

    execute = BaseDatabaseOperations.execute_sql_flush

    def execute_sql_flush(self: Any, sql_list: Any) -> None:
        drop_triggers()
        execute(self, sql_list)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDatabaseOperations, "execute_sql_flush", execute_sql_flush)
        yield


@pytest.fixture(autouse=True, scope="session")
def find_static_files_once() -> Iterator[None]:
    """Let the clients of all tests share what WhiteNoise finds: each of them has middleware of its own, and looking
    through the folders took longer than most requests do."""
    from whitenoise.middleware import WhiteNoiseMiddleware

    find = WhiteNoiseMiddleware.add_files_from_finders
    found: dict[str, Any] = {}

    def add_files_from_finders(self: Any) -> None:
        if not found:
            find(self)
            found.update(self.files)
        self.files = found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(WhiteNoiseMiddleware, "add_files_from_finders", add_files_from_finders)
        yield


@pytest.fixture(autouse=True, scope="session")
def hash_passwords_fast() -> Iterator[None]:
    """Let a password of a test cost no second; servers hash as ever."""
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PBKDF2PasswordHasher, "iterations", 1_000)
        yield


@pytest.fixture(autouse=True)
def forget() -> None:
    """Forget what the process remembers of the tests before: tokens, failures, and what waits to be written."""
    from llms import catalog
    from metrics.log_entries import ENTRIES
    from metrics.request_log import LOG
    from stores.api import throttles, tokens

    for memory in (catalog.CACHE, ENTRIES, LOG, tokens.CACHE, tokens.USES):
        memory.clear()
    for failures in (throttles.LINKS, throttles.PASSWORDS, throttles.TOKENS):
        failures.clear()


@pytest.fixture(autouse=True)
def find_nothing_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the dashboard's heavy figures be found by the tests themselves: a thread would outlive their database."""
    monkeypatch.setattr("bigagi_site.dashboard.statistics.find_in_background", lambda: None)


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Yield the environment for commands on an empty data folder and database of this test's own."""
    with own_database() as database:
        yield build_environment(tmp_path / "data", **database)


@pytest.fixture(scope="session")
def first_start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Yield the environment of a data folder that a server has set up: the pattern from which tests get copies. Where
    the database is a file in it, all processes of a run share one."""
    with own_database() as database:
        is_shared = not database and "PYTEST_XDIST_WORKER" in os.environ
        folder = tmp_path_factory.getbasetemp().parent if is_shared else tmp_path_factory.mktemp("first-start")
        environment = build_environment(folder / "first-start", **database)
        with FileLock(folder / "first-start.lock"):
            if not (folder / "first-start.done").exists():
                with run_server(environment) as running:
                    assert running.stop() == 0
                (folder / "first-start.done").touch()
        yield environment


@contextmanager
def copy_environment(pattern: dict[str, str], data_dir: Path) -> Iterator[dict[str, str]]:
    """Yield the environment of a copy of the pattern's data folder and database."""
    shutil.copytree(pattern["BIGAGI_DATA_DIR"], data_dir)
    with own_database(template=pattern.get("DATABASE_URL", "")) as database:
        yield build_environment(data_dir, **database)


@pytest.fixture
def started(first_start: dict[str, str], tmp_path: Path) -> Iterator[dict[str, str]]:
    """Yield the environment for commands on a data folder that was set up before, of this test's own."""
    with copy_environment(first_start, tmp_path / "data") as environment:
        yield environment


@pytest.fixture(scope="module")
def server(first_start: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a running server that the tests of one module share, on a data folder of its own."""
    data_dir = tmp_path_factory.mktemp("server") / "data"
    with copy_environment(first_start, data_dir) as environment, run_server(environment) as running:
        yield running


@pytest.fixture(scope="session")
def shared_browser(chromium: str) -> Iterator[SharedBrowser]:
    """Yield the system's Chromium, which all tests of the process share."""
    with run_browser(chromium) as shared:
        yield shared


@pytest.fixture
def browser(shared_browser: SharedBrowser) -> Iterator["Browser"]:
    """Yield the system's Chromium for one test."""
    with shared_browser.borrow() as borrowed:
        yield borrowed


@pytest.fixture
def page(browser: "Browser", server: Server) -> Iterator["Page"]:
    """Yield a signed-in page of the module's server; what its console and network report as errors fails the test."""
    context = browser.new_context(base_url=server.url)
    session = server.sign_in().cookie("bigagi_session")
    context.add_cookies([{"name": "bigagi_session", "value": session, "url": server.url}])
    opened = context.new_page()
    errors: list[str] = []
    opened.on(
        "console",
        lambda message: errors.append(f"{message.text} {message.location}") if message.type == "error" else None,
    )
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    context.close()
    assert errors == []
