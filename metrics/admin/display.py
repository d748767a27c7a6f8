"""How the admin of usage shows what names other records by text."""

from django.utils.safestring import SafeString

from metrics.history.taking_back import run_of
from stores.admin.display import column, link_to_page
from stores.records.formatting import NOTHING


def link_to_change(key: str) -> SafeString | str:
    """Return a link to an entry of the journal whose number is kept as text."""
    if (run := run_of(key)) is not None:
        return link_to_page("stores", "migrationrun", run, f"Import {run}")
    return link_to_page("stores", "change", int(key), f"Change {key}") if key.isdecimal() else NOTHING


CREATED_BY = column("change", link_to_change, label="created by")
