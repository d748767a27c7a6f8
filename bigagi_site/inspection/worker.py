"""Runs one SQL statement, read-only, in a process of its own: `python -I -S worker.py`, with JSON on stdin and stdout.

It uses only the standard library. A process can be ended whatever SQLite is doing (one function call over a long
text cannot be interrupted from inside), its memory can be limited, and its end closes the database in any case.

In:  {uri, sql, parameters, tables, closed, seconds, rows, is_plan}; `closed` has the reason by table
Out: {columns, rows, is_cut, ms} or {code, detail}; codes: denied, syntax, time, memory, too-large, parameters.
A cell is null, a number, a text, {text, length} of a long one, or {blob: bytes}.
"""

import json
import re
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from typing import Any

MEMORY_BYTES = 512 * 2**20
CELL_CHARACTERS = 2_000
OVERLAP = 64
"""Characters given beyond a cell's limit: what is masked afterwards stands whole in them."""
ANSWER_CHARACTERS = 4_000_000
SAFE_INTEGER = 2**53 - 1
STEPS_BETWEEN_LOOKS = 2_000

LIMITS = {
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_COLUMN: 200,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 50,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 200,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 64,
    # Beyond it a text cannot even be read: the longest chats' texts are shorter.
    sqlite3.SQLITE_LIMIT_LENGTH: 32 * 2**20,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 200,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 1,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 200,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 50_000,
    sqlite3.SQLITE_LIMIT_WORKER_THREADS: 0,
}

_FUNCTIONS = """
    -> ->> abs acos acosh asin asinh atan atan2 atanh avg ceil ceiling char coalesce cos cosh count cume_dist
    current_date current_time current_timestamp date datetime degrees dense_rank exp first_value floor format glob
    group_concat hex ifnull iif instr json json_array json_array_length json_extract json_group_array json_group_object
    json_insert json_object json_patch json_quote json_remove json_replace json_set json_type json_valid julianday lag
    last_value lead length like likelihood likely ln log log10 log2 lower ltrim max min mod nth_value ntile nullif
    percent_rank pi pow power printf quote radians random rank replace round row_number rtrim sign sin sinh soundex
    sqlite_version sqrt strftime string_agg substr substring sum tan tanh time total trim trunc typeof unicode unixepoch
    unlikely upper
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())

TABLE_FUNCTIONS = frozenset({"json_each", "json_tree"})
SCHEMA_TABLES = frozenset({"sqlite_master", "sqlite_schema"})

DESCRIBING_PRAGMAS = frozenset(
    {"foreign_key_list", "index_info", "index_list", "index_xinfo", "table_info", "table_list", "table_xinfo"}
)
READING_PRAGMAS = frozenset({"encoding", "freelist_count", "page_count", "page_size", "schema_version", "user_version"})
"""Pragmas that tell without a value, and would write with one."""

# Without backtracking: a comment ends where it ends for SQLite, not at a later place where more would match.
_GAP = r"(?>[ \t\n\v\f\r]|--[^\n]*+\n?|/\*(?>.*?(?:\*/|\Z)))*+"
_FIRST_WORD = re.compile(rf"{_GAP}([A-Za-z]++)", re.DOTALL)
_EXPLAIN = re.compile(rf"{_GAP}EXPLAIN\b(?:{_GAP}QUERY\b{_GAP}PLAN\b)?", re.DOTALL | re.IGNORECASE | re.ASCII)
_ONLY_GAP = re.compile(rf"{_GAP};?{_GAP}", re.DOTALL)

FIRST_WORDS = ("SELECT", "WITH", "VALUES", "EXPLAIN", "PRAGMA")


class Refused(Exception):
    """Why a statement is not run, or has no result."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Gate:
    """SQLite's authorizer: it allows what is listed, and keeps the first thing that it refused."""

    def __init__(self, tables: Sequence[str], closed: dict[str, str], real_names: Sequence[str]) -> None:
        self._tables = frozenset(name.lower() for name in tables) | SCHEMA_TABLES
        self._closed = {name.lower(): reason for name, reason in closed.items()}
        self._real_names = frozenset(name.lower() for name in real_names)
        self.refused = ""

    def __call__(self, action: int, first: str | None, second: str | None, database: str | None, _: Any) -> int:
        reason = self._judge(action, (first or "").lower(), second, database)
        self.refused = self.refused or reason
        return sqlite3.SQLITE_DENY if reason else sqlite3.SQLITE_OK

    def _judge(self, action: int, name: str, second: str | None, database: str | None) -> str:
        if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):
            return ""
        if action == sqlite3.SQLITE_FUNCTION:
            called = (second or "").lower()
            return "" if called in FUNCTIONS else f"The function {called}() is not allowed here."
        if action == sqlite3.SQLITE_READ:
            return self._judge_read(name, second or "", database)
        if action == sqlite3.SQLITE_PRAGMA:
            if name in DESCRIBING_PRAGMAS or (name in READING_PRAGMAS and second is None):
                return ""
            return f"PRAGMA {name} is not allowed here: only PRAGMAs that describe tables are."
        return "Only statements that read bigagi's own tables are allowed."

    def _judge_read(self, table: str, column: str, database: str | None) -> str:
        if database in (None, "main"):
            if table in self._tables or table in TABLE_FUNCTIONS:
                return ""
            # A table of which no column is read comes by the name that the statement gives it: also one of WITH.
            if not column and database is None and not self.is_real(table):
                return ""
        return self.refuse(table)

    def refuse(self, table: str) -> str:
        """Say that the table is closed, and why."""
        reason = self._closed.get(table.lower(), "it is not one of bigagi's record tables")
        return f"The table {table} cannot be read here: {reason}."

    def is_real(self, table: str) -> bool:
        """Tell whether the name is that of something in the database or in SQLite itself."""
        return table in self._real_names or table.startswith(("sqlite_", "pragma_"))

    def allows_table(self, table: str) -> bool:
        return table.lower() in self._tables


def run(call: dict[str, Any]) -> dict[str, Any]:
    """Run the statement of a call, and return what the module's docstring says. Raises `Refused`."""
    started = time.perf_counter()
    deadline = time.monotonic() + call["seconds"]
    sql = call["sql"]
    _check_kind(sql)
    with closing(sqlite3.connect(call["uri"], uri=True, isolation_level=None, timeout=2)) as connection:
        roots, names = _prepare(connection)
        gate = Gate(call["tables"], call["closed"], names)
        connection.set_authorizer(gate)
        connection.set_progress_handler(lambda: int(time.monotonic() > deadline), STEPS_BETWEEN_LOOKS)
        try:
            _check_program(connection, gate, sql, call["parameters"], roots)
            if call["is_plan"]:
                sql = f"EXPLAIN QUERY PLAN {_without_explain(sql)}"
            answer = _fetch(connection.execute(sql, call["parameters"]), call["rows"], deadline)
        except (sqlite3.Error, sqlite3.Warning, MemoryError, ValueError, OverflowError, TypeError) as error:
            raise _explain_failure(error, gate, deadline) from error
    return answer | {"ms": round((time.perf_counter() - started) * 1000, 3)}


def _check_kind(sql: str) -> None:
    if _ONLY_GAP.fullmatch(sql):
        raise Refused("syntax", "The statement is empty. Write one to run.")
    word = _FIRST_WORD.match(sql)
    if not word or word[1].upper() not in FIRST_WORDS:
        begins = ", ".join(FIRST_WORDS[:-1])
        raise Refused("denied", f"The statement must be read-only: it must begin with {begins} or PRAGMA.")


def _prepare(connection: sqlite3.Connection) -> tuple[dict[int, str], list[str]]:
    """Make the connection safe, begin its one snapshot, and return the table of each root page, and all names."""
    connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
    for pragma in ("query_only=ON", "trusted_schema=OFF", "cell_size_check=ON", "temp_store=MEMORY", "mmap_size=0"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("BEGIN")
    stored = connection.execute("SELECT rootpage, tbl_name, name FROM sqlite_master").fetchall()
    modules = [name for (name,) in connection.execute("PRAGMA module_list")]
    # SQLite declares a table function at its first use; afterwards the authorizer lets none be declared.
    for function in TABLE_FUNCTIONS:
        # Somebody may have given a table of their own this name.
        with suppress(sqlite3.OperationalError):
            connection.execute(f"SELECT 1 FROM {function}('[]')").fetchall()
    for limit, value in LIMITS.items():
        connection.setlimit(limit, value)
    roots = {root: table for root, table, _ in stored if root} | {1: "sqlite_master"}
    return roots, [name for _, table, own in stored for name in (table, own)] + modules


def _check_program(
    connection: sqlite3.Connection, gate: Gate, sql: str, parameters: Any, roots: dict[int, str]
) -> None:
    """Refuse a statement whose compiled program opens a table that may not be read.

    The authorizer alone is not enough: SQLite does not ask it about columns that NATURAL JOIN and USING compare.
    """
    word = _FIRST_WORD.match(sql)
    if word and word[1].upper() == "PRAGMA":
        return
    program = connection.execute(f"EXPLAIN {_without_explain(sql)}", parameters)
    for _, opcode, _, root, database, *_ in program:
        if opcode in ("OpenRead", "ReopenIdx", "OpenWrite"):
            table = roots.get(root, "") if database == 0 else ""
            if opcode == "OpenWrite" or not gate.allows_table(table):
                raise Refused("denied", gate.refuse(table))


def _without_explain(sql: str) -> str:
    explain = _EXPLAIN.match(sql)
    return sql[explain.end() :] if explain else sql


def _fetch(cursor: sqlite3.Cursor, most: int, deadline: float) -> dict[str, Any]:
    columns = [column[0] for column in cursor.description or ()]
    rows: list[list[Any]] = []
    size = 0
    is_cut = False
    for row in cursor:
        if len(rows) == most or size > ANSWER_CHARACTERS:
            is_cut = True
            break
        if time.monotonic() > deadline:
            raise sqlite3.OperationalError("interrupted")
        cells = [shape_cell(value) for value in row]
        size += sum(len(cell) if isinstance(cell, str) else CELL_CHARACTERS * isinstance(cell, dict) for cell in cells)
        rows.append(cells)
    return {"columns": columns, "rows": rows, "is_cut": is_cut}


def shape_cell(value: Any) -> Any:
    """Return a value of the database as JSON can hold it and JavaScript keeps it."""
    if isinstance(value, bytes | memoryview):
        return {"blob": len(value)}
    if isinstance(value, str):
        most = CELL_CHARACTERS + OVERLAP
        return value if len(value) <= CELL_CHARACTERS else {"text": value[:most], "length": len(value)}
    if isinstance(value, int) and abs(value) > SAFE_INTEGER:
        return str(value)
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return str(value)
    return value


def _explain_failure(error: Exception, gate: Gate, deadline: float) -> Refused:
    text = str(error)
    if gate.refused:
        return Refused("denied", gate.refused)
    if isinstance(error, MemoryError):
        return Refused("memory", "The statement needs too much memory. Ask for fewer rows or shorter texts.")
    if text == "interrupted" or time.monotonic() > deadline:
        return Refused("time", "The statement took too long and was stopped. Add a WHERE or a LIMIT.")
    if isinstance(error, sqlite3.DataError) or "too big" in text:
        return Refused("too-large", f"SQLite rejected a value: {text}.")
    if "You can only execute one statement" in text:
        return Refused("denied", "Only one statement can be run at a time.")
    if isinstance(error, OverflowError | TypeError | UnicodeError | sqlite3.InterfaceError) or "inding" in text:
        return Refused("parameters", f"The parameters do not match the statement: {text}")
    return Refused("syntax", f"SQLite reports: {text}")


def _limit_process(seconds: float) -> None:
    try:
        import resource
    except ImportError:  # Windows: the time limit holds there alone.
        return
    for kind, most in ((resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CPU, int(seconds) + 2)):
        _, hard = resource.getrlimit(kind)
        try:
            resource.setrlimit(kind, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
        except (OSError, ValueError):  # macOS refuses a limit of memory.
            continue


def main() -> None:
    call = json.loads(sys.stdin.buffer.read())
    _limit_process(call["seconds"])
    try:
        answer = run(call)
    except Refused as refused:
        answer = {"code": refused.code, "detail": refused.detail}
    except MemoryError:
        answer = {"code": "memory", "detail": "The statement needs too much memory."}
    except sqlite3.Error as error:
        answer = {"code": "database", "detail": f"The database cannot be read: {error}"}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
