"""Schema hooks for every operation and for big-AGI's records: ids, errors, open schemas."""

from typing import Any

from rest_framework import serializers

from stores.api.members import TEXT
from stores.api.problems import CONTENT_TYPE
from stores.api.schema_walks import operations_of, parts_of, references_in
from stores.api.serializers import RecordSerializer

WRITES = ("post", "put", "patch", "delete")
ALWAYS = (400, 401, 403, 406, 429, 500, 503)
ALSO = {
    ("post", "/api/services/{id}/refresh"): (502,),
    ("post", "/api/services/{id}/test"): (502,),
}

CHANGE = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "at": {"type": "string", "format": "date-time"},
        "action": {"type": "string"},
        "summary": {"type": "string"},
    },
}

PROBLEM = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance", "request_id", "errors"],
    "properties": {
        "type": {"type": "string", "description": "Address of the Troubleshooting entry."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, and how to fix it."},
        "instance": {"type": "string", "description": "The path of the request."},
        "request_id": {"type": "string", "description": "The same as in the header X-Request-ID and in the log."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail", "code"],
                "properties": {
                    "pointer": {
                        "type": "string",
                        "description": "`?name` for a parameter, or a JSON Pointer into the body.",
                    },
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                },
            },
        },
        "current": {"description": "With 412: the current record, if it exists."},
        "newer": CHANGE
        | {
            "type": ["object", "null"],
            "description": "With 409 for an undo: the newer change that has to be undone first, if there is one.",
        },
        "undo_first": {
            "type": "array",
            "description": "With 409 for an undo: all changes that have to be undone first, in this order. Empty if "
            "one of them cannot be undone.",
            "items": CHANGE,
        },
    },
    "additionalProperties": True,
}

MEANINGS = {
    400: "The request is malformed, or a field or parameter is invalid: `errors` has pointers",
    401: "Not signed in, or the token is not valid",
    403: "Not allowed: a write with a read-only token, a missing CSRF token, or a user who is not staff",
    404: "There is no such record",
    406: "None of the accepted media types is available",
    409: "Conflicts with the current state: the id is taken, or a newer change depends on the record",
    411: "Content-Length is required",
    412: "The record has changed since it was read: `current` is the current version",
    413: "The body is too large",
    415: "The Content-Type of the body is not supported",
    416: "The requested range is outside the file",
    422: "The Idempotency-Key was already used for a different request",
    429: "Too many failed sign-in attempts: wait for the time in Retry-After",
    507: "The disk is full: `detail` says what of the request is stored",
    502: "The call to the provider failed; `detail` says why",
    503: "The server is not ready, or the database is locked, read-only or cannot be opened",
    500: "An internal error, or a damaged database or disk; the server log has the details under the request's id",
}

SEGMENT = "^[^/]+$"
MAX_NUMBER = 10**18 - 1
"""The largest number that routes take: of 18 digits."""
ID_DESCRIPTION = (
    "The id, percent-encoded. An id that contains `/`, is `.`, `..` or a reserved word (bulk, export, search, init, "
    "order, events), or begins with `~`, is sent as `~` and the base64url of its UTF-8 bytes, without `=`: `a/b` is "
    "`~YS9i`. `_server.href` always has the correct form."
)


def drop_slashes(endpoints: list[Any], **kwargs: Any) -> list[Any]:
    """Describe each route without its optional trailing slash."""
    return [(path.rstrip("/"), regex, method, view) for path, regex, method, view in endpoints]


def add_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Describe the errors that each operation can return."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    for path, method, operation in operations_of(result):
        responses = operation["responses"]
        for status in statuses_of(path, method, operation):
            responses.setdefault(str(status), _problem(status))
        if _has_header(operation, "If-None-Match"):
            responses.setdefault("304", {"description": "Not modified"})
        operation["responses"] = dict(sorted(responses.items()))
    return result


def statuses_of(path: str, method: str, operation: dict[str, Any]) -> list[int]:
    """Return the error statuses that an operation can return."""
    statuses = [*ALWAYS]
    if "{" in path or method in WRITES:
        statuses.append(404)
    if method in WRITES:
        statuses += [409, 411, 413, 415, 507]
    if _has_header(operation, "If-Match"):
        statuses.append(412)
    if _has_header(operation, "Range"):
        statuses.append(416)
    if _has_header(operation, "Idempotency-Key"):
        statuses.append(422)
    statuses += ALSO.get((method, path), ())
    return sorted(statuses)


def describe_parameters(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Describe how ids are written in paths, and that empty query parameters of read operations are ignored."""
    for _, method, operation in operations_of(result):
        for parameter in operation.get("parameters", ()):
            shape = parameter.get("schema", {})
            if parameter["in"] == "path" and shape.get("type") == "string" and shape.get("pattern") in (None, SEGMENT):
                parameter.setdefault("description", ID_DESCRIPTION)
                parameter["schema"] = {"type": "string", "minLength": 1}
            if parameter["in"] == "path" and shape.get("type") == "integer":
                parameter["schema"] = {"type": "integer", "minimum": 0, "maximum": MAX_NUMBER}
            if parameter["in"] == "query" and method == "get":
                parameter["allowEmptyValue"] = True
                # Of a filter that is a method, the type is not known: such a one takes text.
                if shape in ({}, {"type": "string"}):
                    parameter["schema"] = {"type": "string", "pattern": TEXT}
    return result


def open_records(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Describe big-AGI's records: unknown fields are kept, and stored values can have any type."""
    schemas = result.get("components", {}).get("schemas", {})
    for component in generator.registry._components.values():
        shape = _serializer_class(component.object)
        schema = schemas.get(component.name)
        if schema is None or shape is None or component.name.startswith("Paginated"):
            continue
        is_request = component.name.endswith("Request")
        if issubclass(shape, RecordSerializer):
            if is_request:
                schema["additionalProperties"] = True
            else:
                _describe_response(schema)
            if component.name.startswith("Patched"):
                for member in schema["properties"].values():
                    _allow_null(member)
        elif getattr(shape, "is_loose", False):
            _describe_response(schema)
            del schema["type"]
        if is_request:
            _merge(schema, getattr(shape, "rules", {}))
    for _, _, operation in operations_of(result):
        body = operation.get("requestBody", {})
        if any(_has_required(schemas.get(name, {})) for name in references_in(body.get("content"))):
            body["required"] = True
    return result


def mend_any(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Describe "anything or null" as anything: with oneOf, null would match both and be invalid."""
    for shape in parts_of(result.get("components", {}).get("schemas", {})):
        if shape.get("oneOf") == [{}, {"type": "null"}]:
            del shape["oneOf"]
    return result


def drop_unused(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Remove schemas that nothing refers to."""
    schemas = result.get("components", {}).get("schemas", {})
    seen: set[str] = set()
    waiting = list(references_in(result.get("paths", {})))
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += references_in(schemas.get(name))
    result["components"]["schemas"] = {name: schema for name, schema in schemas.items() if name in seen}
    return result


def _has_header(operation: dict[str, Any], name: str) -> bool:
    return any(each["in"] == "header" and each["name"] == name for each in operation.get("parameters", ()))


def _problem(status: int) -> dict[str, Any]:
    problem: dict[str, Any] = {
        "description": MEANINGS[status],
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    headers = {
        401: ("WWW-Authenticate", "How to sign in."),
        412: ("ETag", "The current version."),
        429: ("Retry-After", "Seconds to wait before trying again."),
    }
    if status in headers:
        name, description = headers[status]
        problem["headers"] = {name: {"schema": {"type": "string"}, "description": description}}
    return problem


def _has_required(schema: dict[str, Any]) -> bool:
    return bool(schema.keys() & {"required", "oneOf"})


def _merge(schema: dict[str, Any], rules: dict[str, Any]) -> None:
    for name, rule in rules.items():
        if isinstance(rule, dict) and isinstance(schema.get(name), dict):
            _merge(schema[name], rule)
        else:
            schema[name] = rule


def _serializer_class(described: Any) -> type | None:
    described = getattr(described, "child", described)
    shape = described if isinstance(described, type) else type(described)
    return shape if issubclass(shape, serializers.BaseSerializer) else None


def _allow_null(member: dict[str, Any]) -> None:
    if isinstance(member.get("type"), str):
        member["type"] = [member["type"], "null"]


def _describe_response(schema: dict[str, Any]) -> None:
    for name, member in schema.get("properties", {}).items():
        if name != "_server":
            kept = {key: member[key] for key in ("description",) if key in member}
            words = _words(member.get("type"))
            if words:
                kept["description"] = f"{kept.get('description', '')} Usually {words}.".strip()
            schema["properties"][name] = kept
    schema["required"] = ["_server"] if "_server" in schema.get("properties", {}) else []
    if not schema["required"]:
        del schema["required"]
    schema["additionalProperties"] = True


def _words(kind: Any) -> str:
    names = {
        "string": "a string",
        "boolean": "true or false",
        "integer": "a number",
        "number": "a number",
        "array": "a list",
        "object": "an object",
        "null": "null",
    }
    kinds = kind if isinstance(kind, list) else [kind]
    return " or ".join(names[each] for each in kinds if each in names)
