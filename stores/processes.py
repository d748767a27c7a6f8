"""Which processes of this machine are running."""

import os
from functools import cache
from pathlib import Path


def is_alive(pid: int) -> bool:
    """Tell whether there is a process of this number, whoever it belongs to."""
    if os.name == "nt":
        # There signal 0 is Ctrl-C.
        return True
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def name_of(pid: int) -> str:
    """Return what tells a process from all others, those that had or will have its number too: the machine's boot, the
    number, and when it started, as far as the system tells."""
    return f"{boot_id()}:{pid}:{_started_at(pid)}"


def is_named_alive(name: str) -> bool:
    """Tell whether the process of this name lives."""
    boot, pid, _ = name.split(":")
    if boot != boot_id():
        return False
    # Where the system does not tell when a process started, its number has to do.
    return name == name_of(int(pid)) if boot or int(pid) == os.getpid() else is_alive(int(pid))


@cache
def boot_id() -> str:
    """Return what tells this run of the machine from others; empty where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _started_at(pid: int) -> str:
    try:
        # The name, in brackets, may hold anything; the start is the 20th value behind it (proc(5)).
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
