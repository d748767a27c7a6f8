"""Where the records that the journal, imports and revisions name are found in the admin."""

from collections import defaultdict
from collections.abc import Iterable

from django.apps import apps
from django.utils.safestring import SafeString

from stores.admin_display import NOTHING, link_to_list, link_to_page

MODEL_OF_KIND = {
    "store": ("stores", "store"),
    "conversation": ("chats", "conversation"),
    "message": ("chats", "message"),
    "folder": ("chats", "folder"),
    "asset": ("chats", "asset"),
    "service": ("llms", "service"),
    "model": ("llms", "model"),
    "assignment": ("llms", "assignment"),
    "live file": ("workspace", "livefile"),
    "workspace": ("workspace", "workspace"),
    "baseline": ("metrics", "usagebaseline"),
}
"""Where the records of a kind are listed. Other apps are only named: what is imported stands below them."""


def link_to_record(kind: str, uid: str) -> SafeString | str:
    """Return a link to the list that has the record of a kind under its id."""
    if not uid or kind not in MODEL_OF_KIND:
        return uid or NOTHING
    app, model = MODEL_OF_KIND[kind]
    # Revisions of a message go by its chat's id and its own.
    name = "name" if model == "store" else "uid"
    return link_to_list(app, model, uid, **{name: uid.rpartition("/")[2] if kind == "message" else uid})


def link_to_records(named: Iterable[tuple[str, str]]) -> dict[tuple[str, str], SafeString | str]:
    """Return a link to the page of each record, by kind and id; what is gone is marked so. One query a kind."""
    uids_of: dict[str, list[str]] = defaultdict(list)
    for kind, uid in named:
        uids_of[kind].append(uid)
    links: dict[tuple[str, str], SafeString | str] = {}
    for kind, uids in uids_of.items():
        if kind not in MODEL_OF_KIND or kind == "message":
            links |= {(kind, uid): link_to_record(kind, uid) for uid in uids}
            continue
        app, model = MODEL_OF_KIND[kind]
        name = "name" if kind == "store" else "uid"
        rows = apps.get_model(app, model)._default_manager.filter(**{f"{name}__in": uids})
        keys = dict(rows.values_list(name, "pk"))
        links |= {(kind, uid): link_to_page(app, model, keys.get(uid), uid) for uid in uids}
    return links
