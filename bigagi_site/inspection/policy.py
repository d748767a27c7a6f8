"""Which tables may be read by SQL. Tables are closed by default: new apps, and models that may hold a secret."""

import re
from collections.abc import Iterator

from django.apps import apps
from django.db import models

from bigagi_site.sql_views.definitions import VIEWS
from stores.records.fields import CompressedTextField

OPEN_APPS = frozenset({"chats", "contenttypes", "llms", "metrics", "stores", "workspace"})
"""Apps whose tables are open. Users, sessions, tokens, sign-in links and the admin's log are in others."""

CLOSED_MODELS = {
    "stores.KeyFingerprint": "it tells which key file is the right one",
    "stores.Secret": "it holds encrypted keys",
    "stores.IdempotencyKey": "it holds responses stored for one client",
}
"""Models of open apps that are closed, with the reason."""

SUSPECT = re.compile(
    r"(?:^|_)(?:cipher\w*|credentials?|digest|hash|key|nonce|otp|pass\w*|private|salt|secrets?|sessions?|signature|token)"
    r"(?:_|$)|apikey|ciphertext|password",
    re.IGNORECASE,
)
"""Names of fields that may hold a secret, or data from which one could be guessed."""

HARMLESS_FIELDS = frozenset(
    {
        # Digests of JSON in which secrets are references.
        "chats.Asset.content_hash",
        "chats.Conversation.content_hash",
        "chats.Folder.content_hash",
        "chats.Message.content_hash",
        "chats.PinnedChat.content_hash",
        "llms.Assignment.content_hash",
        "llms.Model.content_hash",
        "llms.Service.content_hash",
        "metrics.UsageBaseline.content_hash",
        "stores.ChangedRecord.hash_after",
        "stores.ChangedRecord.hash_before",
        "stores.ImportedRecord.imported_hash",
        "stores.ImportedRecord.merged_hash",
        "stores.Revision.content_hash",
        "stores.Store.content_hash",
        "workspace.LiveFile.content_hash",
        "workspace.Workspace.content_hash",
        # Keyed digests.
        "stores.ImportedRecord.source_digest",
        "stores.Quarantine.raw_digest",
        # What a day is divided by.
        "metrics.UsageDay.key",
        # Counts.
        "chats.Conversation.token_count",
        "chats.Message.token_count",
        "metrics.UsageEvent.ms_to_first_token",
    }
)
"""Fields that only look like secrets. Add one here after you have made sure; until then its table is closed."""

OTHER_OPEN_TABLES = ("django_migrations",)


def all_models() -> list[type[models.Model]]:
    """Return all models that have a table, those of many-to-many relations too."""
    found = apps.get_models(include_auto_created=True)
    return [model for model in found if not model._meta.proxy]


def suspect_fields(model: type[models.Model]) -> Iterator[str]:
    """Yield the labels of fields that may hold a secret and are not known to be harmless."""
    for field in model._meta.concrete_fields:
        is_opaque = isinstance(field, models.BinaryField) and not isinstance(field, CompressedTextField)
        label = f"{model._meta.label}.{field.name}"
        if (is_opaque or SUSPECT.search(field.name)) and label not in HARMLESS_FIELDS:
            yield label


def why_closed(model: type[models.Model]) -> str:
    """Say why the model's table may not be read, or nothing where it may."""
    meta = model._meta
    if meta.app_label not in OPEN_APPS:
        return "its app stores users, sessions or tokens"
    if meta.label in CLOSED_MODELS:
        return CLOSED_MODELS[meta.label]
    if any(suspect_fields(model)):
        return "one of its columns may hold a secret"
    return ""


def closed_tables() -> dict[str, str]:
    """Return the names of the models' tables that may not be read, each with the reason."""
    return {model._meta.db_table: reason for model in all_models() if (reason := why_closed(model))}


def open_tables() -> list[str]:
    """Return the names of the tables and views that may be read; the tables behind a view must be open themselves."""
    tables = {model._meta.db_table for model in all_models()}
    return sorted((tables - set(closed_tables())) | set(OTHER_OPEN_TABLES) | set(VIEWS))
