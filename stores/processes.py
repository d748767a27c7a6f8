"""Which processes of this machine are running."""

import hashlib
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
    """Return what tells a process from all others, those that had or will have its number too: the machine and its
    boot, the number, and when it started, as far as the system tells. At most 40 characters."""
    return f"{machine()}:{pid}:{_started_at(pid)}"


def is_named_alive(name: str) -> bool:
    """Tell whether the process of this name lives."""
    here, pid, _ = name.split(":")
    if here != machine():
        return False
    # Where the system does not tell when a process started, its number has to do.
    return name == name_of(int(pid)) if here or int(pid) == os.getpid() else is_alive(int(pid))


def is_gone(name: str) -> bool:
    """Tell whether this was a process of this machine that is no more. Of those of other machines nothing is known."""
    here, _, rest = name.partition(":")
    pid, _, started = rest.partition(":")
    if not here or here != machine() or not pid.isdecimal():
        return False
    if now := _started_at(int(pid)):
        return now != started
    # Some systems show nobody the processes of others, but tell whether there is one of that number.
    return not is_alive(int(pid))


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
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""
