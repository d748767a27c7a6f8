"""Answers to requests that no view gets, since they break a rule of the server itself."""

from stores.api.middleware import is_api_path
from stores.api.problems import CONTENT_TYPE
from stores.api.request_ids import HEADER, choose_request_id
from stores.records.jsontext import encode
from stores.records.problem_details import describe_problem

LONGEST_INSTANCE = 1_000
"""Characters of the path that the answer repeats."""


def build_refusal(
    path: str, given_id: str, status: int, detail: str, *, kind: str | None = None
) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Return headers and body: a problem (of this kind) under /api/, elsewhere the words alone. `given_id` is the
    client's id of the request, or nothing."""
    request_id = choose_request_id(given_id)
    if is_api_path(path):
        problem = describe_problem(path[:LONGEST_INSTANCE], request_id, status, detail, kind=kind)
        content_type, body = CONTENT_TYPE.encode(), encode(problem).encode("ascii")
    else:
        content_type, body = b"text/plain; charset=utf-8", detail.encode()
    headers = [
        (b"content-type", content_type),
        (b"content-length", str(len(body)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (HEADER.lower().encode(), request_id.encode()),
    ]
    return headers, body
