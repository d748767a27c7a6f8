"""Time and memory of an import beside the limit, what others wait meanwhile, and how fast the server starts."""

import re
import shutil
import sqlite3
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.benchmarks.measuring import Run, build_environment, median, print_table, run_python
from tests.generators import write_flash_backup
from tests.servers import run_server

MOST_TIMES_LIMIT = 3.0
MOST_MEBIBYTES = 250
MOST_OF_FIRST = 0.5
MOST_WAIT = 1.0
MOST_START = 2.5
MOST_IDLE = 150


def run(*, quick: bool) -> int:
    """Measure everything and print the tables; return 1 where a target is missed."""
    sizes = [(100, 1)] if quick else [(2_000, 3), (20_000, 1)]
    with tempfile.TemporaryDirectory(prefix="bigagi-benchmark-") as name:
        folder = Path(name)
        met = [_measure_import(folder, chats, times) for chats, times in sizes]
        met += [_measure_waiting(folder, sizes[0][0]), _measure_start(folder, 1 if quick else 5)]
    return 0 if all(met) else 1


@contextmanager
def data_dir(folder: Path, keep: bool = False) -> Iterator[dict[str, str]]:
    path = folder / "data"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    environment = build_environment(path)
    run_python("manage.py", "migrate", "--verbosity", "0", environment=environment)
    yield environment
    if not keep:
        shutil.rmtree(path)


def make_backup(folder: Path, chats: int) -> Path:
    path = folder / f"backup-{chats}.json"
    if not path.exists():
        write_flash_backup(path, conversations=chats)
    return path


def import_backup(path: Path, environment: dict[str, str]) -> Run:
    return run_python("manage.py", "import_indexeddb", str(path), environment=environment)


def _measure_import(folder: Path, chats: int, times: int) -> bool:
    path = make_backup(folder, chats)
    limits, firsts, seconds, ratios = [], [], [], []
    for _ in range(times):
        with data_dir(folder) as environment:
            limit = run_python("-m", "tests.benchmarks.import_limit", str(path), environment=environment)
            limits.append(limit.seconds - float(limit.output.split()[-1]))
        with data_dir(folder) as environment:
            firsts.append(import_backup(path, environment))
            seconds.append(import_backup(path, environment))
        ratios.append(firsts[-1].seconds / limits[-1])
    peak = max(run.mebibytes for run in firsts + seconds)
    first = median([run.seconds for run in firsts])
    again = median([run.seconds for run in seconds])
    print_table(
        ["file", "limit, s", "import, s", "import / limit", "again, s", "again / first", "peak, MiB"],
        [
            [
                f"{chats:,} chats × 21, {path.stat().st_size / 1e6:.0f} MB",
                f"{median(limits):.1f}",
                f"{first:.1f}",
                f"{median(ratios):.2f} (≤ {MOST_TIMES_LIMIT:.0f})",
                f"{again:.1f}",
                f"{again / first:.2f} (≤ {MOST_OF_FIRST})",
                f"{peak:.0f} (≤ {MOST_MEBIBYTES})",
            ]
        ],
    )
    return median(ratios) <= MOST_TIMES_LIMIT and again / first <= MOST_OF_FIRST and peak <= MOST_MEBIBYTES


def _measure_waiting(folder: Path, chats: int) -> bool:
    """Read and write a chat of an earlier import while a large one runs."""
    path, small = make_backup(folder, chats), folder / "small.json"
    write_flash_backup(small, conversations=20, seed=2)
    reads: list[float] = []
    writes: list[float] = []
    with data_dir(folder) as environment:
        import_backup(small, environment)
        database = Path(environment["BIGAGI_DATA_DIR"]) / "bigagi.sqlite3"
        importing = threading.Thread(target=import_backup, args=(path, environment))
        importing.start()
        with closing(sqlite3.connect(database, timeout=20, isolation_level=None)) as connection:
            uid = connection.execute("SELECT uid FROM chats_conversation ORDER BY id LIMIT 1").fetchone()[0]
            while importing.is_alive():
                started = time.perf_counter()
                connection.execute(
                    "SELECT count(*) FROM chats_message m JOIN chats_conversation c ON c.id = "
                    "m.conversation_id WHERE c.uid = ?",
                    [uid],
                ).fetchone()
                reads.append(time.perf_counter() - started)
                started = time.perf_counter()
                connection.execute("UPDATE chats_conversation SET user_title = 'x' WHERE uid = ?", [uid])
                writes.append(time.perf_counter() - started)
                importing.join(0.05)
    print_table(
        ["while an import runs", "count", "median, ms", "longest, ms"],
        [
            ["read a chat", str(len(reads)), f"{median(reads) * 1e3:.1f}", f"{max(reads) * 1e3:.0f}"],
            [
                "write a chat",
                str(len(writes)),
                f"{median(writes) * 1e3:.1f}",
                f"{max(writes) * 1e3:.0f} (< {MOST_WAIT * 1e3:.0f})",
            ],
        ],
    )
    return max(writes) < MOST_WAIT and max(reads) < MOST_WAIT


def _measure_start(folder: Path, times: int) -> bool:
    """Start on a database that exists, and ask until it answers."""
    starts, idle = [], []
    small = folder / "small.json"
    with data_dir(folder) as environment:
        import_backup(small, environment)
        with run_server(environment):
            pass
        for _ in range(times):
            started = time.perf_counter()
            with run_server(environment) as server:
                urllib.request.urlopen(f"{server.url}/api/health", timeout=10).read()
                starts.append(time.perf_counter() - started)
                idle.append(_resident_mebibytes(server.process.pid))
    print_table(
        ["start on an existing database", "median", "longest"],
        [
            ["first answer, s", f"{median(starts):.2f} (≤ {MOST_START})", f"{max(starts):.2f}"],
            ["idle, MiB", f"{median(idle):.0f} (≤ {MOST_IDLE})", f"{max(idle):.0f}"],
        ],
    )
    return median(starts) <= MOST_START and median(idle) <= MOST_IDLE


def _resident_mebibytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1]) / 1024
