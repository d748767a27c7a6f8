"""The SQL box: one read-only statement, run by `worker.py` in a process of its own, and its result."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from django.db import connection

from bigagi_site.inspection import worker
from bigagi_site.inspection.policy import closed_tables, open_tables
from bigagi_site.inspection.worker import CELL_CHARACTERS, Refused
from stores.records.secrets import hide

SECONDS = 5.0
ROWS = 1_000
STATEMENT_CHARACTERS = 20_000
START_SECONDS = 3.0
"""Extra seconds to start the process and return its result on a busy machine."""
WAIT_SECONDS = 2.0

# A statement can keep a core busy until its time is over: the server keeps the others.
_places = threading.BoundedSemaphore(2)


def is_available() -> bool:
    """Tell whether the database is one that the box can read: a file of SQLite."""
    return connection.vendor == "sqlite" and not _is_in_memory(str(connection.settings_dict["NAME"]))


def run_statement(sql: str, parameters: Any = (), *, is_plan: bool = False) -> dict[str, Any]:
    """Run a statement and return {columns, rows, row_count, is_cut, ms}, or for its plan {plan, ms}. Raises `Refused`.

    `parameters` is a list for `?`, or a dict for `:name`.
    """
    if len(sql) > STATEMENT_CHARACTERS:
        raise Refused("too-large", f"The statement must be at most {STATEMENT_CHARACTERS:,} characters.")
    if "\0" in sql or any("\ud800" <= character <= "\udfff" for character in sql):
        raise Refused("syntax", "The statement must not contain NUL or lone surrogates.")
    _check_parameters(parameters)
    if not _places.acquire(timeout=WAIT_SECONDS):
        raise Refused("busy", "Two other statements are running. Try again in a few seconds.")
    try:
        answer = _ask_worker(
            {
                "uri": f"{Path(str(connection.settings_dict['NAME'])).resolve().as_uri()}?mode=ro",
                "sql": sql,
                "parameters": parameters,
                "tables": open_tables(),
                "closed": closed_tables(),
                "seconds": SECONDS,
                "rows": ROWS,
                "is_plan": is_plan,
            }
        )
    finally:
        _places.release()
    if "code" in answer:
        raise Refused(answer["code"], hide(answer["detail"]))
    if is_plan:
        return {"plan": _as_tree(answer["rows"]), "ms": answer["ms"]}
    return {
        "columns": [hide(name) for name in answer["columns"]],
        "rows": [[finish_cell(cell) for cell in row] for row in answer["rows"]],
        "row_count": len(answer["rows"]),
        "is_cut": answer["is_cut"],
        "ms": answer["ms"],
    }


def finish_cell(cell: Any) -> Any:
    """Return a cell of `worker.shape_cell` without references to secrets, and cut to its length."""
    if isinstance(cell, str):
        return hide(cell)
    if isinstance(cell, dict) and "text" in cell:
        return cell | {"text": hide(cell["text"])[:CELL_CHARACTERS]}
    return cell


def _check_parameters(parameters: Any) -> None:
    values = parameters.values() if isinstance(parameters, dict) else parameters
    if not isinstance(parameters, list | tuple | dict):
        raise Refused("parameters", "Parameters must be a list, or an object with a value for each :name.")
    if not all(value is None or isinstance(value, str | int | float) for value in values):
        raise Refused("parameters", "Each parameter must be a string, a number, true, false or null.")


def _ask_worker(call: dict[str, Any]) -> dict[str, Any]:
    # The environment may contain API keys: the process gets only what Python needs to start.
    environment = {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", worker.__file__],
            input=json.dumps(call).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=call["seconds"] + START_SECONDS,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired as error:
        raise Refused("time", "The statement took too long and was stopped. Add a WHERE or a LIMIT.") from error
    except OSError as error:
        raise Refused("database", f"The process for the statement could not be started: {error.strerror}.") from error
    except ValueError as error:
        # The system ended it: by its limit of time or of memory.
        raise Refused("memory", "The statement used too much memory or time and was stopped.") from error
    return answer


def _as_tree(rows: list[list[Any]]) -> list[dict[str, Any]]:
    """Return the rows (id, parent, unused, detail) of EXPLAIN QUERY PLAN as nested {detail, children}."""
    nodes: dict[Any, dict[str, Any]] = {0: {"detail": "", "children": []}}
    for number, parent, _, detail in rows:
        nodes[number] = {"detail": detail, "children": []}
        nodes.get(parent, nodes[0])["children"].append(nodes[number])
    tree: list[dict[str, Any]] = nodes[0]["children"]
    return tree


def _is_in_memory(name: str) -> bool:
    return name == ":memory:" or "mode=memory" in name
