"""Settings of the API's description (drf-spectacular) and of the database's diagram (django-extensions)."""

from typing import Any

DESCRIPTION = """\
Your AI chats over REST. Conversations, messages, folders, models and services are **big-AGI's own JSON**; what
bigagi adds is under `_server`, which writes ignore. bigagi's own resources use snake_case.

- **Sign in** with `Authorization: Bearer <token>`. Create tokens on the [account page](/account) or with
  `manage.py create_token NAME`; a read-only token cannot write.
- **Lists** are paged: follow `next` until it is null. An unknown parameter is an error that names the known ones.
- **No lost updates**: send the `ETag` of what you read as `If-Match`. If it changed, 412 returns the current version.
- **Every write is in the journal** under the number in `Bigagi-Change`: `POST /api/changes/{id}/undo` undoes it.
- **A request sent twice** with the same `Idempotency-Key` is carried out once.
- **Errors** are `application/problem+json`; their `type` links to the entry in
  [Troubleshooting](/api/docs/troubleshooting).
- **Secrets are never returned**: a key is shown as `bigagi-secret:` and its last characters. Sending it back keeps it.

[REST in five minutes](/api/docs/five-minutes) shows it with curl and Python.
"""

TAGS: list[dict[str, str]] = [
    {"name": "chats", "description": "Conversations with their messages."},
    {"name": "folders", "description": "Folders of chats."},
    {"name": "personas", "description": "Personas that you made, with their system prompts."},
    {"name": "assets", "description": "Images and sounds."},
    {"name": "documents", "description": "Text from PDF, Word and other documents."},
    {"name": "llms", "description": "Models."},
    {"name": "services", "description": "Providers' endpoints with their keys."},
    {"name": "openai-models", "description": "What the OpenAI service offers, with prices."},
    {"name": "assignments", "description": "Which model is used for a domain, such as `primaryChat`."},
    {"name": "workspace", "description": "The files that are assigned to a chat."},
    {"name": "files", "description": "Text files and their contents."},
    {"name": "stores", "description": "big-AGI's state, by the name of the store."},
    {"name": "metrics", "description": "Usage and cost."},
    {"name": "migrations", "description": "Imports of big-AGI's files."},
    {"name": "revisions", "description": "Earlier and differing states of records, kept whole."},
    {"name": "changes", "description": "The journal of all changes, and undo."},
    {"name": "requests", "description": "The log of requests to the API."},
    {"name": "tokens", "description": "Tokens for programs."},
]

SPECTACULAR: dict[str, Any] = {
    "OAS_VERSION": "3.1.1",
    "TITLE": "bigagi",
    "DESCRIPTION": DESCRIPTION,
    "VERSION": "0.1.0",
    "TAGS": TAGS,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAdminUser"],
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api",
    # What is stored can be of any type, what is sent cannot: one shape would be wrong for one of them.
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "ChangeSourceEnum": "stores.models.Change.Source",
        "RecordActionEnum": "stores.models.ChangedRecord.Action",
        "RevisionReasonEnum": "stores.models.Revision.Reason",
        "RunStatusEnum": "stores.models.MigrationRun.Status",
        "RunPurposeEnum": "stores.models.MigrationRun.Purpose",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "PREPROCESSING_HOOKS": ["stores.api.schema_hooks.drop_slashes"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "stores.api.schema_hooks.mend_any",
        "stores.api.schema_hooks.open_records",
        "stores.api.schema_hooks.describe_parameters",
        "stores.api.schema_hooks.add_problems",
        "bigagi_site.docs.examples.add_examples",
        "bigagi_site.docs.links.add_links",
        "stores.api.schema_hooks.drop_unused",
    ],
}

GRAPH_MODELS: dict[str, Any] = {
    "app_labels": ["stores", "llms", "metrics", "workspace", "chats", "bigagi_site"],
    "group_models": True,
    "rankdir": "TB",
    "sort_fields": False,
    "inheritance": False,
    "hide_edge_labels": True,
    "arrow_shape": "normal",
    "relation_fields_only": True,
    # What tables have in common is in each of them.
    "exclude_models": ["Record", "Abstract*"],
}
