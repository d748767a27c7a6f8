"""Read access to the database for `/sqlite-test`: the SQL box and the table browser."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_POST, require_safe

from bigagi_site.inspection.sql_box import is_available, run_statement
from bigagi_site.inspection.tables import KnownTable, describe, known_tables, list_tables, read_rows
from bigagi_site.inspection.worker import Refused
from stores.api.problems import CONTENT_TYPE
from stores.api.renderers import write_json
from stores.api.request_ids import request_id_of
from stores.records.problem_details import describe_problem

NOT_SQLITE = "The SQL box works with SQLite only; this server uses another database."
STATUSES = {"busy": 429, "database": 503, "memory": 422, "time": 422}
"""The status for each code of a refusal; others are 400. 408 is not used: browsers repeat such requests."""

View = Callable[..., HttpResponse]


def staff_only(view: View) -> View:
    """Return a problem to users who are not staff."""

    @wraps(view)
    def check(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        is_staff = getattr(request.user, "is_staff", False)
        response = (
            view(request, *args, **kwargs) if is_staff else _problem(request, 403, "This page is for staff only.")
        )
        response.headers["Cache-Control"] = "no-store"
        return response

    return check


@staff_only
@require_POST
def run_sql(request: HttpRequest) -> HttpResponse:
    """Run one read-only statement: `{sql, parameters?, plan?}`; with `plan`, return the query plan instead."""
    if not is_available():
        return _problem(request, 404, NOT_SQLITE)
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError, RequestDataTooBig):
        return _problem(request, 400, "The body must be a JSON object with the statement in `sql`.")
    if not isinstance(body, dict) or not isinstance(body.get("sql"), str):
        return _problem(request, 400, "The body must be a JSON object with the statement in `sql`.", pointer="/sql")
    if unknown := set(body) - {"sql", "parameters", "plan"}:
        return _problem(request, 400, f"Unknown field: {min(unknown)}. Allowed: sql, parameters, plan.")
    try:
        answer = run_statement(body["sql"], body.get("parameters", []), is_plan=bool(body.get("plan")))
    except Refused as refused:
        pointer = "/parameters" if refused.code == "parameters" else "/sql"
        status = STATUSES.get(refused.code, 400)
        return _problem(request, status, refused.detail, pointer=pointer, code=refused.code)
    return JsonResponse(answer)


@staff_only
@require_safe
def tables(request: HttpRequest) -> HttpResponse:
    """List the tables by app, with their row counts."""
    return JsonResponse({"groups": list_tables()})


@staff_only
@require_safe
def table(request: HttpRequest, name: str) -> HttpResponse:
    """Return the definition of a table."""
    found = _find_table(name)
    return JsonResponse(describe(found)) if found else _no_table(request, name)


@staff_only
@require_safe
def table_rows(request: HttpRequest, name: str) -> HttpResponse:
    """Show rows of a table in the order of its key, from the beginning or `?after=` a key."""
    found = _find_table(name)
    if found is None:
        return _no_table(request, name)
    try:
        return JsonResponse(read_rows(found, request.GET.get("after", "")))
    except PermissionError as error:
        return _problem(request, 403, str(error))
    except ValueError as error:
        return _problem(request, 400, str(error), pointer="?after")


def _find_table(name: str) -> KnownTable | None:
    return known_tables().get(name)


def _no_table(request: HttpRequest, name: str) -> HttpResponse:
    return _problem(request, 404, f"There is no table {name[:100]}.")


def _problem(
    request: HttpRequest, status: int, detail: str, *, pointer: str = "", code: str = "invalid"
) -> HttpResponse:
    """Return an error in the shape of the API's problems."""
    errors = [{"pointer": pointer, "detail": detail, "code": code}] if pointer else []
    problem = describe_problem(request.path, request_id_of(request), status, detail, errors=errors)
    return HttpResponse(write_json(problem | {"type": "about:blank"}), status=status, content_type=CONTENT_TYPE)
