"""Links in the API's description: from what made a record to what can be done with it, and from a change to undo."""

import re
from collections.abc import Iterator
from typing import Any

from stores.api.schema_walks import operations_of

MADE: dict[str, tuple[str, str]] = {
    "assets_create": ("/api/assets/{}", "$response.body#/id"),
    "assignments_update": ("/api/assignments/{}", "$request.path.domain"),
    "chats_branch_create": ("/api/chats/{}", "$response.body#/id"),
    "chats_create": ("/api/chats/{}", "$response.body#/id"),
    "chats_list": ("/api/chats/{}", "$response.body#/results/0/id"),
    "chats_messages_list": ("/api/chats/{}/messages/{}", "$response.body#/results/0/id"),
    "chats_messages_create": ("/api/chats/{}/messages/{}", "$response.body#/id"),
    "files_create": ("/api/files/{}", "$response.body#/id"),
    "folders_create": ("/api/folders/{}", "$response.body#/id"),
    "llms_write_all": ("/api/llms/{}", "$response.body#/llms/0/id"),
    "migrations_create": ("/api/migrations/{}", "$response.body#/id"),
    "personas_copy_create": ("/api/personas/{}", "$response.body#/id"),
    "personas_create": ("/api/personas/{}", "$response.body#/id"),
    "services_create": ("/api/services/{}", "$response.body#/id"),
    "stores_create": ("/api/stores/{}", "$request.body#/name"),
    "stores_revisions_list": ("/api/stores/{}/revisions/{}", "$response.body#/results/0/id"),
    "workspace_copy_create": ("/api/workspace/{}", "$request.body#/to"),
    "workspace_files_create": ("/api/workspace/{}", "$request.path.id"),
}
"""The address of the record that an operation makes or finds, and where its id, the last in the address, is told."""

UNDO = {"operationId": "changes_undo_create", "parameters": {"path.id": "$response.header.Bigagi-Change"}}
_PARAMETER = re.compile(r"\{(\w+)\}")


def add_links(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Link the answer that tells of a record with all that its address and those below it can do."""
    for path, _, operation in operations_of(result):
        links = dict(_links_of(path, operation["operationId"], result))
        for status, answer in operation["responses"].items():
            if status.startswith("2"):
                undo = {"undo": UNDO} if "Bigagi-Change" in answer.get("headers", {}) else {}
                if links or undo:
                    answer["links"] = links | undo
    return result


def _links_of(path: str, name: str, schema: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    if name not in MADE:
        return
    address, own_id = MADE[name]
    # What is made below another record is found under the same one.
    values = [f"$request.path.{parameter}" for parameter in _PARAMETER.findall(path)][: address.count("{}") - 1]
    for other, _, target in operations_of(schema):
        shape, parameters = _PARAMETER.sub("{}", other), _PARAMETER.findall(other)
        if f"{shape}/".startswith(f"{address}/") and len(parameters) == address.count("{}"):
            wanted = {f"path.{each}": value for each, value in zip(parameters, [*values, own_id], strict=True)}
            yield target["operationId"], {"operationId": target["operationId"], "parameters": wanted}
