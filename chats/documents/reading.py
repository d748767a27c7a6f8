"""Reading a document: `worker` does it in a process with limits, and at most two at a time."""

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chats.documents.faults import Code, Unreadable, damaged
from chats.documents.findings import say_counts
from chats.documents.kinds import LABELS, Kind, find_kind
from chats.documents.worker import TOO_MUCH_MEMORY

SECONDS = 30.0
"""How long reading one document may take, on a busy machine; `worker` ends itself after less time of its own."""
WAIT_SECONDS = 10.0
"""How long a document waits for its turn."""

TOO_SLOW = "Reading this file took too long and was stopped. Attach a part of it."
MACROS = "The macros in it were ignored."

_ROOT = Path(__file__).resolve().parents[2]
# A document can keep a core busy until its time is over: the server keeps the others.
_places = threading.BoundedSemaphore(2)


class Busy(Exception):
    """Other documents are being read."""


@dataclass(frozen=True)
class Document:
    """What was read: the text, as `mime_type`; `summary` is what was counted, in words."""

    kind: Kind
    title: str
    text: str
    mime_type: str
    counts: dict[str, int]
    summary: str
    warnings: list[dict[str, str]]


def read_document(data: bytes, name: str = "", content_type: str = "") -> Document:
    """Return the text of a document. Nothing is stored. Raises `Unreadable` and `Busy`."""
    found = find_kind(data, name, content_type)
    if not _places.acquire(timeout=WAIT_SECONDS):
        raise Busy
    try:
        answer = _ask_worker(found.kind, data)
    finally:
        _places.release()
    if "code" in answer:
        raise Unreadable(Code(answer["code"]), answer["detail"])
    warnings = [*answer["warnings"], *([("macros", MACROS)] if found.has_macros else [])]
    return Document(
        found.kind,
        answer["title"] or name,
        answer["text"],
        answer["mime_type"],
        answer["counts"],
        say_counts(answer["counts"]),
        [{"code": code, "detail": detail} for code, detail in warnings],
    )


def _ask_worker(kind: Kind, data: bytes) -> dict[str, Any]:
    # The environment may contain API keys: the process gets only what Python needs to start.
    environment = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-E", "-s", "-B", "-m", "chats.documents.worker", kind],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=_ROOT,
            timeout=SECONDS,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        raise Unreadable(Code.TIME, TOO_SLOW) from error
    except ValueError as error:
        raise _explain_end(kind, done.returncode) from error
    return answer


def _explain_end(kind: Kind, code: int) -> Unreadable:
    """Return why the process ended without an answer: the system ended it, or its parser crashed."""
    signal = -code
    if signal in _signals("SIGXCPU", "SIGKILL"):
        return Unreadable(Code.TIME, TOO_SLOW)
    if signal in _signals("SIGABRT", "SIGTRAP", "SIGILL"):
        # So a parser in C or Rust ends that gets no more memory.
        return Unreadable(Code.MEMORY, TOO_MUCH_MEMORY)
    return damaged(LABELS[kind])


def _signals(*names: str) -> list[int]:
    import signal

    return [int(getattr(signal, name)) for name in names if hasattr(signal, name)]
