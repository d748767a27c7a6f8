"""Reads one document, in a process of its own: `python -m chats.documents.worker KIND`, with its bytes on stdin.

Documents come from anywhere, and their parsers are large and partly in C. A process can be ended whatever a parser is
doing, its memory and time can be limited, it has no keys in its environment, and if it crashes the server does not.

Out: JSON, {text, title, mime_type, counts, warnings} or {code, detail} of why it cannot be read.
"""

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from chats.documents.faults import Code, Unreadable, damaged
from chats.documents.findings import Findings, finish
from chats.documents.kinds import LABELS, Kind

MEMORY_BYTES = 1024 * 2**20
CPU_SECONDS = 20

TOO_MUCH_MEMORY = "Reading this file needs too much memory. Attach a part of it."
TOO_DEEP = "The contents of this file are nested too deeply. Save it in another format, such as PDF, and attach that."


def reader_of(kind: Kind) -> Callable[[bytes], Findings]:
    """Return what reads this kind; only its own library is loaded."""
    match kind:
        case Kind.PDF:
            from chats.documents.pdf import read_pdf

            return read_pdf
        case Kind.DOCX:
            from chats.documents.office import read_docx

            return read_docx
        case Kind.PPTX:
            from chats.documents.office import read_pptx

            return read_pptx
        case Kind.SHEET:
            from chats.documents.sheets import read_sheets

            return read_sheets
        case Kind.HTML:
            from chats.documents.html import read_html

            return read_html


def read(kind: Kind, data: bytes) -> dict[str, Any]:
    """Return what the module's docstring says."""
    try:
        found = finish(reader_of(kind)(data))
    except Unreadable as error:
        return {"code": error.code, "detail": error.detail}
    except MemoryError:
        return {"code": Code.MEMORY, "detail": TOO_MUCH_MEMORY}
    except RecursionError:
        return {"code": Code.TOO_LARGE, "detail": TOO_DEEP}
    except Exception:
        # A parser of damaged files raises anything.
        reason = damaged(LABELS[kind])
        return {"code": reason.code, "detail": reason.detail}
    return {
        "text": found.text,
        "title": found.title,
        "mime_type": found.mime_type,
        "counts": found.counts,
        "warnings": found.warnings,
    }


def _limit_process() -> None:
    try:
        import resource
    except ImportError:  # Windows: the time limit holds there alone.
        return
    limits = ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_FSIZE, 0))
    for kind, most in limits:
        _, hard = resource.getrlimit(kind)
        # macOS refuses a limit of memory.
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def main() -> None:
    kind = Kind(sys.argv[1])
    data = sys.stdin.buffer.read()
    _limit_process()
    sys.stdout.write(json.dumps(read(kind, data)))


if __name__ == "__main__":
    main()
