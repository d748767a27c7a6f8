"""The models that serve by default (big-AGI's assignments), as the settings page shows and changes them."""

from dataclasses import dataclass

from chats.pages.choices import list_choices
from llms.catalog import assignments
from llms.models import Assignment
from llms.services.assignments import delete_assignment, put_assignment
from stores.models import Change
from stores.records.errors import Invalid, Missing
from stores.records.formatting import format_json
from stores.records.journal.recorder import Origin

AUTOMATIC = ""
STORED = "stored"
"""Keeps what is stored and is no model's id."""

DOMAINS = (
    (
        "primaryChat",
        "Default model",
        "Answers in new chats, and in chats whose own model cannot be called. Automatic: the newest of your models "
        "that can be called, else Demo.",
    ),
    (
        "fastUtil",
        "Fast model",
        "Finds the titles of chats. A small, cheap model is enough. Automatic: the title is the chat's first words.",
    ),
)
"""The domains that bigagi uses: big-AGI's name, ours, and what they serve."""


@dataclass(frozen=True)
class Assigned:
    """One domain with the model that serves it, and all models that could, by service."""

    domain: str
    label: str
    help: str
    current: str
    groups: list[tuple[str, list[tuple[str, str]]]]


def read_assigned() -> list[Assigned]:
    """Return the domains with their models. A model that cannot be chosen any more is shown as it is stored."""
    groups = [
        (
            f"{service['label']} (cannot be called now)" if service["whyNot"] else str(service["label"]),
            [(str(model["id"]), str(model["label"])) for model in service["models"]],
        )
        for service in list_choices()
    ]
    known = {uid for _, models in groups for uid, _ in models}
    stored = assignments()
    shown = []
    for domain, label, text in DOMAINS:
        record = stored.get(domain)
        current = record.get("modelId") if isinstance(record, dict) else None
        name = AUTOMATIC if current is None else current if isinstance(current, str) else STORED
        text_of = f"{name} (not in your lists)" if isinstance(current, str) else format_json(current)
        mine = groups if not name or name in known else [("As stored", [(name, text_of)]), *groups]
        shown.append(Assigned(domain, label, text, name, mine))
    return shown


def write_assigned(origin: Origin, domain: str, model_id: str) -> Change | None:
    """Let a model serve the domain, or none in particular; other members of the assignment are kept. Raises
    `Invalid`."""
    if model_id == AUTOMATIC:
        try:
            return delete_assignment(origin, domain)
        except Missing:
            return None
    if model_id == STORED or len(model_id) > 200:
        raise Invalid("Choose a model from the list.")
    record = assignments().get(domain)
    members = record if isinstance(record, dict) and Assignment.objects.filter(uid=domain).exists() else {}
    written, _ = put_assignment(origin, domain, members | {"modelId": model_id})
    return written.change
