"""big-AGI's `app-models` in and out of this app's rows (`bigagi-format.md` § 5)."""

from llms.conversion import STEPS
from llms.models import Assignment, Model, Service
from stores.codecs import Columns
from stores.collections import TableCollection
from stores.registry import StoreSpec

STORE = "app-models"


class Services(TableCollection):
    store, key, kind, model = STORE, "sources", "service", Service
    columns = Columns(Service, {"label": "label", "vendor_id": "vId", "setup": "setup"})


class Models(TableCollection):
    store, key, kind, model = STORE, "llms", "model", Model
    columns = Columns(
        Model,
        {
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
        },
    )


class Assignments(TableCollection):
    store, key, kind, model = STORE, "modelAssignments", "assignment", Assignment
    shape = "map"
    id_in_record = False
    columns = Columns(Assignment, {"model_uid": "modelId"})


SERVICES, MODELS, ASSIGNMENTS = Services(), Models(), Assignments()
APP_MODELS = StoreSpec(STORE, 5, STEPS, (SERVICES, MODELS, ASSIGNMENTS), phase="services")
