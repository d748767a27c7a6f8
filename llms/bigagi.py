"""big-AGI's `app-models` in and out of this app's rows (`bigagi-format.md` § 5)."""

from typing import Any

from llms.conversion import STEPS
from llms.models import Assignment, Model, Service
from llms.vendors.endpoint import address_of
from stores.records.protocols import BY_MEMBER
from stores.records.registry import StoreSpec
from stores.records.secrets import references_in, remove_references
from stores.records.table_collections import TableCollection

STORE = "app-models"


class Services(TableCollection):
    store, key, kind, model = STORE, "sources", "service", Service
    route = "services"
    paths = {"label": "label", "vendor_id": "vId", "setup": "setup"}
    guards_keys = True
    states = BY_MEMBER

    def guard_keys(self, stored: Any, value: Any, sent: Any) -> tuple[Any, list[str]]:
        """Remove the stored keys of a service that now leads to another scheme, host or port, but for those that were
        sent anew. Loopback is no exception: other programs listen there."""
        if not isinstance(value, dict) or address_of(stored) == address_of(value):
            return value, []
        held, before, anew = value.get("setup"), stored.get("setup"), sent.get("setup")
        stale = references_in(before) & references_in(held) - references_in(anew)
        if not stale or not isinstance(held, dict):
            return value, []
        setup, dropped = {}, []
        for name, item in held.items():
            if not references_in(item) & stale:
                setup[name] = item
                continue
            dropped.append(f"{self.name_of(value)}: {name}")
            # As it was sent, so that the same file brings the same record again.
            if isinstance(anew, dict) and name in anew:
                setup[name] = remove_references(item, stale)
        return value | {"setup": setup}, dropped


class Models(TableCollection):
    store, key, kind, model = STORE, "llms", "model", Model
    route = "llms"
    states = BY_MEMBER
    paths = {
        "label": "label",
        "service_uid": "sId",
        "vendor_id": "vId",
        "llm_ref": "initialParameters.llmRef",
        "description": "description",
        "hidden": "hidden",
        "context_tokens": "contextTokens",
        "max_output_tokens": "maxOutputTokens",
        "interfaces": "interfaces",
        "pricing": "pricing",
        "created": "created",
        "updated": "updated",
        "pub_date": "pubDate",
        "user_label": "userLabel",
        "user_hidden": "userHidden",
        "user_starred": "userStarred",
    }


class Assignments(TableCollection):
    store, key, kind, model = STORE, "modelAssignments", "assignment", Assignment
    shape = "map"
    route = "assignments"
    id_in_record = False
    paths = {"model_uid": "modelId"}


SERVICES, MODELS, ASSIGNMENTS = Services(), Models(), Assignments()
APP_MODELS = StoreSpec(STORE, 5, STEPS, (SERVICES, MODELS, ASSIGNMENTS), phase="services")
