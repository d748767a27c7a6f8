"""A walk through the API, app by app, in which each request works after those before it.

The documentation's examples are its bodies, and the collection for Insomnia is the walk itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bigagi_site.docs import records


@dataclass(frozen=True)
class Answered:
    """A value of an earlier answer: of a header, or of a body by JSONPath."""

    step: str
    header: str = ""
    path: str = ""


@dataclass(frozen=True)
class Step:
    """One request: an operation of the description with the values of its path, its query and its body."""

    operation: str
    ids: Mapping[str, str | Answered] = field(default_factory=dict)
    body: Any = None
    query: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    name: str = ""
    """What the request is called, where the operation's own words do not tell it."""
    key: str = ""
    """By which later steps name it."""


def _chats() -> list[Step]:
    chat, message = {"id": "example-chat"}, {"chat": "example-chat", "id": "example-message-more"}
    folder, asset = {"id": "example-folder"}, {"id": "example-asset"}
    persona, prompt = {"id": "example-persona"}, {"chat": "example-chat"}
    return [
        Step("chats_create", body=records.CHAT),
        Step("chats_list"),
        Step("chats_retrieve", chat),
        Step("chats_update", chat, records.CHAT | {"userTitle": "Old bridges in Porto"}),
        Step("chats_partial_update", chat, {"userTitle": "Bridges", "userSymbol": "🌉"}, key="patch"),
        Step("chats_messages_create", {"chat": "example-chat"}, records.FOLLOW_UP),
        Step("chats_messages_list", {"chat": "example-chat"}),
        Step("chats_messages_retrieve", message),
        Step("chats_messages_update", message, records.FOLLOW_UP | {"userFlags": ["starred"]}),
        Step("chats_messages_cost", {"chat": "example-chat", "id": "example-message-answer"}),
        Step("chats_messages_destroy", message),
        Step("chats_system_prompt_update", prompt, {"text": "Answer in three sentences."}),
        Step("chats_system_prompt_retrieve", prompt),
        Step("chats_system_prompt_destroy", prompt),
        Step("chats_branch_create", chat, {"messageId": "example-message-question"}, key="branch"),
        Step("chats_destroy", {"id": Answered("branch", path="$.id")}, name="Delete the branch"),
        Step("chats_bulk_create", body={"action": "archive", "ids": ["example-chat"]}),
        Step("chats_export_one", chat, query={"as": "markdown"}),
        Step("chats_export_retrieve", query={"archived": "true"}),
        Step("files_create", body=records.FILE, name="Store the file that the chat names"),
        Step("workspace_import_create", chat),
        Step("workspace_destroy", chat, name="Delete the chat's workspace"),
        Step("files_destroy", {"id": "example-file"}, name="Delete that file"),
        Step("folders_create", body=records.FOLDER),
        Step("folders_list"),
        Step("folders_retrieve", folder),
        Step("folders_update", folder, records.FOLDER | {"title": "Journeys"}),
        Step("folders_partial_update", folder, {"color": "#7a5200"}),
        Step("folders_order_update", body={"ids": ["example-folder"]}),
        Step("folders_chats_create", folder, {"ids": ["example-chat"]}),
        Step("folders_chats_destroy", folder | {"chat": "example-chat"}),
        Step("folders_destroy", folder),
        Step("personas_create", body=records.PERSONA),
        Step("personas_list"),
        Step("personas_retrieve", persona),
        Step("personas_partial_update", persona, {"name": "Guide"}),
        Step("personas_copy_create", persona, key="persona copy"),
        Step("personas_destroy", {"id": Answered("persona copy", path="$.id")}, name="Delete the copy of the persona"),
        Step("personas_destroy", persona),
        Step("assets_create", body=records.ASSET),
        Step("assets_list"),
        Step("assets_retrieve", asset),
        Step("assets_content_retrieve", asset),
        Step("assets_destroy", asset),
        Step(
            "documents_text",
            body="<h1>Bridges</h1><p>Porto has six.</p>",
            query={"filename": "bridges.html"},
            content_type="text/html",
            name="Read a document as text",
        ),
        Step("chats_generate", chat, records.GENERATE, key="generated"),
        Step("generations_retrieve", {"id": Answered("generated", path="$.id")}),
        Step("generations_events", {"id": Answered("generated", path="$.id")}),
        Step("generations_stop", {"id": Answered("generated", path="$.id")}),
        Step("chats_destroy", chat),
        Step("test_ai_services", query={"reach": "false"}),
        Step("test_ai", query={"stream": "false"}, body={"modelId": "bigagi-demo-fast"}),
    ]


def _llms() -> list[Step]:
    service, model, domain = {"id": "example-service"}, {"id": records.MODEL["id"]}, {"domain": "example-domain"}
    return [
        Step("services_create", body=records.SERVICE),
        Step("services_list"),
        Step("services_retrieve", service),
        Step("services_update", service, records.SERVICE | {"label": "OpenAI"}),
        Step("services_partial_update", service, {"label": "OpenAI (mine)"}),
        Step("services_refused_destroy", service),
        Step("services_test", {"id": "bigagi-demo"}, {}, name="Call the Demo service once"),
        Step("services_refresh_create", {"id": "bigagi-demo"}, name="Ask the Demo service for its models"),
        Step("openai_models"),
        Step("llms_write_all", body={"mode": "merge", "llms": [records.MODEL]}),
        Step("llms_read_all"),
        Step("llms_retrieve", model),
        Step("llms_update", model, records.MODEL | {"label": "GPT-5 mini (new)"}),
        Step("llms_partial_update", model, {"userLabel": "Mini", "userStarred": True}),
        Step("llms_parameters_partial_update", model, {"llmTemperature": 0.3, "llmResponseTokens": None}),
        Step("llms_parameters_retrieve", model),
        Step("assignments_update", domain, records.ASSIGNMENT),
        Step("assignments_list"),
        Step("assignments_retrieve", domain),
        Step(
            "llms_delete_all", query={"confirm": "true"}, name="Delete all; the next request undoes it", key="emptied"
        ),
        Step("changes_undo_create", {"id": Answered("emptied", header="Bigagi-Change")}, name="Undo it"),
        Step("assignments_destroy", domain),
        Step("llms_destroy", model),
        Step("services_destroy", service),
    ]


def _workspace() -> list[Step]:
    file, workspace, other = {"id": "example-file"}, {"id": "example-workspace"}, {"id": "example-workspace-copy"}
    return [
        Step("files_create", body=records.FILE),
        Step("files_list"),
        Step("files_retrieve", file),
        Step("files_partial_update", file, {"name": "packing.md"}),
        Step("files_content_update", file, "- passport\n- charger\n- umbrella\n", content_type="text/plain"),
        Step("files_content_retrieve", file),
        Step("workspace_files_create", workspace, {"ids": ["example-file"]}),
        Step("workspace_list"),
        Step("workspace_retrieve", workspace),
        Step("workspace_files_retrieve", workspace),
        Step("workspace_files_destroy", workspace | {"file": "example-file"}),
        Step("workspace_files_update", workspace | {"file": "example-file"}),
        Step("workspace_copy_create", workspace, {"to": "example-workspace-copy"}),
        Step("files_workspaces_destroy", file),
        Step("workspace_destroy", workspace),
        Step("workspace_destroy", other, name="Delete the copy"),
        Step("files_destroy", file),
    ]


def _stores() -> list[Step]:
    store = {"name": "example-store"}
    return [
        Step("stores_init_create"),
        Step("stores_list"),
        Step("stores_create", body={"name": "example-store"} | records.STORE),
        Step("stores_retrieve", store),
        Step("stores_update", store, records.STORE | {"state": {"theme": "blue", "shown": 4}}),
        Step("stores_partial_update", store, {"state": {"theme": "grey"}}, key="store"),
        Step("stores_revisions_list", store, key="revisions"),
        Step("stores_revisions_restore_create", store | {"number": Answered("revisions", path="$.results[0].id")}),
        Step("revisions_list"),
        Step("revisions_retrieve", {"id": Answered("revisions", path="$.results[0].id")}),
        Step("changes_list", key="changes"),
        Step("changes_retrieve", {"id": Answered("store", header="Bigagi-Change")}),
        Step("stores_destroy", store, key="gone"),
        Step("changes_undo_create", {"id": Answered("gone", header="Bigagi-Change")}),
        Step("stores_destroy", store, query={"purge": "true"}, name="Permanently delete the store"),
        Step(
            "migrations_create",
            body=records.BACKUP_OF_STORE,
            query={"filename": "example.agi.json", "preview": "true"},
            name="Preview an import",
            key="preview",
        ),
        Step("migrations_records_list", {"run": Answered("preview", path="$.id")}, key="decided"),
        Step(
            "migrations_records_retrieve",
            {"run": Answered("preview", path="$.id"), "id": Answered("decided", path="$.results[0].id")},
        ),
        Step("provenance_retrieve", {"kind": "store", "id": "example-store"}),
        Step("migrations_destroy", {"id": Answered("preview", path="$.id")}),
        Step(
            "migrations_create",
            body=records.BACKUP,
            query={"filename": "example.agi.json", "preview": "true"},
            name="Preview an import; the next request does it",
            key="again",
        ),
        Step("migrations_run_create", {"id": Answered("again", path="$.id")}, key="run"),
        Step("migrations_events", {"id": Answered("run", path="$.id")}),
        Step(
            "migrations_resume",
            {"id": Answered("run", path="$.id")},
            name="Resume it; 409, since nothing has broken it off",
        ),
        Step("migrations_list"),
        Step("migrations_retrieve", {"id": Answered("run", path="$.id")}),
        Step("migrations_report_retrieve", {"id": Answered("run", path="$.id")}, query={"format": "markdown"}),
        Step("migrations_undo_create", {"id": Answered("run", path="$.id")}, body={"force": False}, name="Undo it"),
    ]


def _metrics() -> list[Step]:
    return [
        Step("metrics_create", body=records.CALL, key="call"),
        Step("metrics_events_retrieve", {"number": Answered("call", path="$.id")}),
        Step("metrics_events", query={"model": records.CALL["model"]}),
        Step("metrics_events", query={"format": "csv"}, name="All calls as a table"),
        Step("metrics_series", query={"by": "model", "per": "week"}),
        Step("metrics_retrieve"),
        Step("metrics_budgets_update", {"id": "all"}, {"nano_usd": 20_000_000_000}),
        Step("metrics_budgets"),
        Step("metrics_budgets_destroy", {"id": "all"}),
        Step("metrics_reconciliation"),
        Step("metrics_repricing"),
        Step(
            "metrics_destroy", query={"confirm": "true"}, name="Reset the count; the next request undoes it", key="anew"
        ),
        Step("changes_undo_create", {"id": Answered("anew", header="Bigagi-Change")}, name="Undo it"),
        Step("changes_undo_create", {"id": Answered("call", header="Bigagi-Change")}, name="Reverse the call"),
        Step("requests_list"),
    ]


STEPS: dict[str, list[Step]] = {
    "stores": _stores(),
    "llms": _llms(),
    "metrics": _metrics(),
    "workspace": _workspace(),
    "chats": _chats(),
    "bigagi_site": [Step("ready_retrieve")],
}
"""By app, in the order of the folders."""


def bodies() -> dict[str, tuple[str, Any]]:
    """Return the content type and the example of a body, by operation."""
    found: dict[str, tuple[str, Any]] = {}
    for steps in STEPS.values():
        for step in steps:
            if step.body is not None:
                found.setdefault(step.operation, (step.content_type, step.body))
    return found
