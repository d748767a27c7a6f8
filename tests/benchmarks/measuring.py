"""Processes measured from outside, and tables of what came of it."""

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LOOP_SECONDS = 0.1
"""Of the loop of `measure_slowness`, on the machine that the limits in seconds were set on."""

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Target:
    """The most that a ratio may be: what is `held`, or the benchmark fails, and the `goal`."""

    held: float
    goal: float

    def is_held(self, ratio: float) -> bool:
        return ratio <= self.held

    def __str__(self) -> str:
        return f"(≤ {self.held:g}, goal {self.goal:g})"


@dataclass
class Run:
    """A finished process: `seconds` by the clock, peak memory in MiB, and what it printed."""

    seconds: float
    cpu_seconds: float
    mebibytes: float
    output: str


def start_python(
    *arguments: str, environment: dict[str, str] | None, stdout: int, stderr: int
) -> "subprocess.Popen[str]":
    """Start Python in the repository."""
    return subprocess.Popen(
        [sys.executable, *arguments], cwd=REPOSITORY, env=environment, stdout=stdout, stderr=stderr, text=True
    )


def run_python(*arguments: str, environment: dict[str, str]) -> Run:
    """Run Python in the repository and wait for it. Raises `RuntimeError` with its output where it fails."""
    started = time.perf_counter()
    process = start_python(*arguments, environment=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert process.stdout
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} ended with {process.returncode}:\n{output}")
    return Run(time.perf_counter() - started, _cpu(usage), usage.ru_maxrss / 1024, output)


def _cpu(usage: resource.struct_rusage) -> float:
    return usage.ru_utime + usage.ru_stime


def cpu_of(pid: int) -> float:
    """Return the seconds of CPU that a process took: by the kernel's own clock of it, whose number is that of
    `clock_getcpuclockid(3)`. The ticks of `/proc` count 10 ms for each that falls into a token's work."""
    return time.clock_gettime((~pid << 3) | 2)


def measure_slowness() -> float:
    """Return how many times as long as the machine that limits in seconds were set on this one takes for a fixed loop
    of Python: at least 1, a faster one is held to the limit as it is."""
    times = []
    for _ in range(5):
        started, total = time.process_time(), 0
        for number in range(2_000_000):
            total += number
        times.append(time.process_time() - started)
    return max(1.0, statistics.median(times) / LOOP_SECONDS)


def print_slowness() -> None:
    """Say how fast the machine is, beside tables of seconds."""
    sys.stdout.write(f"\nThe machine is {measure_slowness():.1f} times as slow as the one that limits in ms are for.\n")


def build_environment(data_dir: Path) -> dict[str, str]:
    """Return the environment of a newcomer with his data in this folder."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("BIGAGI_") and name not in ("DATABASE_URL", "PYTHONDONTWRITEBYTECODE")
    }
    return inherited | {"BIGAGI_DATA_DIR": str(data_dir), "DJANGO_SETTINGS_MODULE": "bigagi_site.settings"}


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a Markdown table."""
    lines = [heads, ["---"] * len(heads), *rows]
    for line in lines:
        sys.stdout.write(f"| {' | '.join(line)} |\n")
    sys.stdout.flush()
