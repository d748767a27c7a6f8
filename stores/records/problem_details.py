"""Errors in words and as problem details (RFC 9457), for responses, event streams and what is stored of them."""

import http
from typing import Any

from stores.records.commits import Stored, find_stored
from stores.records.faults import fault_of

TROUBLESHOOTING = "/api/docs/troubleshooting#"

KINDS = {
    400: "bad-request",
    401: "not-signed-in",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    409: "conflict",
    411: "length-required",
    412: "changed-meanwhile",
    413: "too-large",
    414: "address-too-long",
    415: "unsupported-media-type",
    422: "idempotency-key-reused",
    416: "range-not-satisfiable",
    429: "too-many-requests",
    431: "headers-too-large",
    500: "server-error",
    502: "provider",
    503: "not-ready",
    507: "disk-full",
}
"""The entry in Troubleshooting, by status."""

SERVER_ERROR = "An internal error occurred. The server log has the details under this request's id."


def describe_unexpected(error: BaseException | None, *, only_reads: bool) -> tuple[int, str, str | None]:
    """Return the status, the words and the entry in Troubleshooting for an exception that no view expects."""
    if error is None:
        return 500, SERVER_ERROR, None
    return describe_broken(error, find_stored(error, only_reads=only_reads))


def describe_broken(error: BaseException, stored: Stored) -> tuple[int, str, str | None]:
    """Return the same where it is known what of the request is stored."""
    if (fault := fault_of(error)) is None:
        return 500, f"{SERVER_ERROR} {stored}", None
    return fault.status, f"{fault.what} {stored} {fault.remedy}", fault.kind


def describe_problem(
    path: str,
    request_id: str,
    status: int,
    detail: str,
    *,
    kind: str | None = None,
    errors: list[dict[str, str]] | None = None,
) -> dict[str, Any]:
    """Return an error as problem details (RFC 9457), with our own members `request_id` and `errors`."""
    return {
        "type": TROUBLESHOOTING + (kind or KINDS.get(status, "error")),
        "title": http.HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": path,
        "request_id": request_id,
        "errors": errors or [],
    }
