"""The API as a collection for Insomnia: its export format 4, made from the description (OpenAPI)."""

import base64
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from bigagi_site.docs.steps import STEPS, Answered, Step
from stores.api.schema_walks import operations_of
from stores.records.jsontext import encode

WORKSPACE = "wrk_bigagi"
ENVIRONMENT = "env_bigagi"


def build_collection(schema: dict[str, Any], base_url: str) -> dict[str, Any]:
    """Return the collection: a folder for each app, in which the requests work one after the other."""
    operations = {
        operation["operationId"]: (method, path, operation) for path, method, operation in operations_of(schema)
    }
    requests = []
    folders = []
    for at, (app, steps) in enumerate(_walk(operations).items()):
        folder = f"fld_bigagi_{app}"
        folders.append(
            {
                "_id": folder,
                "_type": "request_group",
                "parentId": WORKSPACE,
                "name": app,
                "description": "",
                "environment": {},
                "metaSortKey": at,
            }
        )
        ids = {step.key: f"req_bigagi_{app}_{number}" for number, step in enumerate(steps) if step.key}
        for number, step in enumerate(steps):
            method, path, operation = operations[step.operation]
            request = _request(step, method, path, operation, ids)
            request |= {"_id": f"req_bigagi_{app}_{number}", "parentId": folder, "metaSortKey": number}
            requests.append(request)
    return {
        "_type": "export",
        "__export_format": 4,
        "__export_date": datetime.now(UTC).isoformat(timespec="seconds"),
        "__export_source": "bigagi",
        "resources": [_workspace(schema), _environment(base_url), *folders, *requests],
    }


def _walk(operations: dict[str, Any]) -> dict[str, list[Step]]:
    """Return the steps of operations that there are, by app; an operation without a step comes at the end."""
    found = {app: [step for step in steps if step.operation in operations] for app, steps in STEPS.items()}
    known = {step.operation for steps in found.values() for step in steps}
    for name, (_, _, operation) in operations.items():
        if name not in known:
            found.setdefault(operation["x-app"], []).append(Step(name))
    return {app: steps for app, steps in found.items() if steps}


def _workspace(schema: dict[str, Any]) -> dict[str, Any]:
    info = schema["info"]
    return {
        "_id": WORKSPACE,
        "_type": "workspace",
        "parentId": None,
        "name": f"{info['title']} {info['version']}",
        "description": info.get("description", ""),
        "scope": "collection",
    }


def _environment(base_url: str) -> dict[str, Any]:
    return {
        "_id": ENVIRONMENT,
        "_type": "environment",
        "parentId": WORKSPACE,
        "name": "Base Environment",
        "data": {"base_url": base_url, "token": ""},
        "dataPropertyOrder": {"&": ["base_url", "token"]},
        "isPrivate": False,
        "metaSortKey": 0,
    }


def _request(step: Step, method: str, path: str, operation: dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    def fill(match: re.Match[str]) -> str:
        value = step.ids.get(match[1], f"example-{match[1]}")
        return _tag(value, ids) if isinstance(value, Answered) else quote(value, safe="-._~")

    headers = []
    body: dict[str, Any] = {}
    if step.body is not None:
        text = step.body if isinstance(step.body, str) else encode(step.body)
        body = {"mimeType": step.content_type, "text": text}
        headers.append({"name": "Content-Type", "value": step.content_type})
    return {
        "_type": "request",
        "name": step.name or operation.get("summary") or f"{method.upper()} {path}",
        "description": operation.get("description", ""),
        "method": method.upper(),
        "url": "{{ _.base_url }}" + re.sub(r"\{(\w+)\}", fill, path),
        "parameters": [{"name": name, "value": value} for name, value in step.query.items()],
        "headers": headers,
        "body": body,
        "authentication": {"type": "bearer", "token": "{{ _.token }}"},
    }


def _tag(value: Answered, ids: dict[str, str]) -> str:
    """Return Insomnia's template tag for a value of an earlier answer; it sends that request where there is none."""
    kind, place = ("header", value.header) if value.header else ("body", value.path)
    encoded = base64.b64encode(place.encode()).decode("ascii")
    return "{% response '" + kind + "', '" + ids[value.step] + f"', 'b64::{encoded}::46b', 'no-history', 60 %}}"
