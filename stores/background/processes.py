"""Which processes of this machine are running."""

import hashlib
import os
from functools import cache
from pathlib import Path

ENDED = "ended"
"""Stands in the place of the start of a process that has ended and still has its number."""


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
    """Return what tells a process from all others, those that had or will have its number too: the machine and its
    boot, the number, and when it started, as far as the system tells. At most 40 characters."""
    return f"{machine()}:{pid}:{_started_at(pid)}"


def is_gone(name: str) -> bool:
    """Tell whether this was a process of this machine that is no more. Of those of other machines nothing is known."""
    if not is_of_here(name):
        return False
    pid, _, started = name.partition(":")[2].partition(":")
    if now := _started_at(int(pid)):
        return now != started
    # Some systems show nobody the processes of others, but tell whether there is one of that number.
    return not is_alive(int(pid))


def is_of_here(name: str) -> bool:
    """Tell whether this is the name of a process of this machine, of which is known whether it runs."""
    here, _, rest = name.partition(":")
    return bool(here) and here == machine() and rest.partition(":")[0].isdecimal()


@cache
def machine() -> str:
    """Return what tells this run of the machine from all others, with the container of which the process is; empty
    where the system does not say."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        # Containers on one machine have the same numbers for their processes.
        numbers = Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return ""
    return hashlib.blake2b(f"{boot} {numbers}".encode(), digest_size=8).hexdigest()


def _started_at(pid: int) -> str:
    try:
        # The name, in brackets, may hold anything; the start is the 20th value behind it (proc(5)).
        state, *values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    # One that was killed keeps its number and start until its parent has asked what became of it.
    return ENDED if state in ("Z", "X") else values[18]
