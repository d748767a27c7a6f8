"""Where the records that the journal, imports and revisions name are found in the admin."""

from collections import defaultdict
from collections.abc import Iterable
from functools import cache
from typing import Any

from django.contrib import admin
from django.db import models
from django.utils.safestring import SafeString

from stores.admin.display import column, link_to_list, link_to_page
from stores.importers.words import name_kind
from stores.models import Store
from stores.records import registry
from stores.records.formatting import NOTHING


@cache
def models_by_kind() -> dict[str, type[models.Model]]:
    """Return the tables of the records of each kind, and of their parts."""
    found: dict[str, type[models.Model]] = {"store": Store}
    for collection in registry.all_collections():
        found |= {collection.kind: collection.model, **collection.parts.tables}
    return found


def owner_of_list(store: str, member: str) -> type[models.Model] | None:
    """Return the table of what has the list in which a quarantined member stands."""
    lists = (
        one.member_lists for one in registry.all_collections() if one.store == store and member in one.member_lists
    )
    kind = next((found[member] for found in lists), "")
    return models_by_kind().get(kind)


def link_to_record(kind: str, uid: str) -> SafeString | str:
    """Return a link to the list that has the record of a kind under its id."""
    model = models_by_kind().get(kind)
    if not uid or model is None:
        return uid or NOTHING
    # Revisions of a part go by its record's id and its own.
    value = uid.rpartition("/")[2] if _is_part(kind) else uid
    return link_to_list(model._meta.app_label, str(model._meta.model_name), uid, **{_id_field(model): value})


@admin.display(description="record")
def record_link(obj: Any) -> SafeString | str:
    """Return what `list_display` and `fields` take: a link to the record that a row names."""
    return link_to_record(obj.kind, obj.uid)


KIND = column("kind", name_kind, label="kind", ordering=True)
"""What people call the kind of a record."""


def _is_part(kind: str) -> bool:
    return any(kind in collection.parts.tables for collection in registry.all_collections())


def _id_field(model: type[models.Model]) -> str:
    return "name" if model is Store else "uid"


def link_to_records(named: Iterable[tuple[str, str]]) -> dict[tuple[str, str], SafeString | str]:
    """Return a link to the page of each record, by kind and id; what is gone is marked so. One query a kind."""
    uids_of: dict[str, list[str]] = defaultdict(list)
    for kind, uid in named:
        uids_of[kind].append(uid)
    links: dict[tuple[str, str], SafeString | str] = {}
    for kind, uids in uids_of.items():
        model = models_by_kind().get(kind)
        if model is None or _is_part(kind):
            links |= {(kind, uid): link_to_record(kind, uid) for uid in uids}
            continue
        name = _id_field(model)
        keys = dict(model._default_manager.filter(**{f"{name}__in": uids}).values_list(name, "pk"))
        app, table = model._meta.app_label, str(model._meta.model_name)
        links |= {(kind, uid): link_to_page(app, table, keys.get(uid), uid) for uid in uids}
    return links
