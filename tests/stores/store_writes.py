"""Writes of whole stores, models, services, workspaces and files, each with hypothesis's values for it."""

from typing import Any

from hypothesis import strategies as st

from chats.bigagi.conversation import CONVERSATIONS
from chats.services.workspace import import_workspace
from llms.bigagi import ASSIGNMENTS, MODELS, SERVICES
from llms.services import assignments, llms_store, models, services
from stores.models import Revision
from stores.querysets import list_stores
from stores.records.dump import dump_store
from stores.records.jsontext import decode
from stores.services import stores
from tests import strategies as big
from tests.stores.picking import NOWHERE, Writes, chats, nothing, origin_of, pick, pick_uid, secret_texts, texts
from workspace.bigagi import LIVE_FILES, WORKSPACES
from workspace.services import files, workspaces

STORES = [
    *("app-chats", "app-folders", "app-models", "app-metrics", "agi-client-workspace", "agi-live-file"),
    *("app-ui", "app-module-unknown", "app-ux-labs"),
]


# --- stores ----------------------------------------------------------------------------------------------------------


def _name(at: int) -> str:
    return pick([store.name for store in list_stores()], at)


def create_store(at: int, other: int, value: Any) -> Any:
    name, held = value
    return stores.create_store(origin_of(held), name, held)


def replace_store(at: int, other: int, value: Any) -> Any:
    name, held = value
    return stores.replace_store(origin_of(held), name, held)


def edit_store(at: int, other: int, value: Any) -> Any:
    """Send the store back with the members of one of its lists or maps in another order, and one of them gone."""
    name = _name(at)
    if name == NOWHERE:
        return stores.replace_store(origin_of(None), name, {})
    record = decode("".join(dump_store(name)))
    state = record.get("state") if isinstance(record, dict) else None
    for key, held in list(state.items()) if isinstance(state, dict) else []:
        if isinstance(held, list) and held:
            del held[other % len(held)]
            held.reverse()
            state[key] = held + value if other % 2 else held
        elif isinstance(held, dict) and held:
            del held[list(held)[other % len(held)]]
    return stores.replace_store(origin_of(None), name, record)


def patch_store(at: int, other: int, value: Any) -> Any:
    name, patch = value
    return stores.patch_store(origin_of(patch), name if at % 3 else _name(at), patch)


def delete_store(at: int, other: int, value: Any) -> Any:
    return stores.delete_store(origin_of(value), _name(at), confirmed=True)


def init_stores(at: int, other: int, value: Any) -> Any:
    return stores.init_stores(origin_of(value))


def restore_revision(at: int, other: int, value: Any) -> Any:
    kept = list(Revision.objects.filter(kind="store").order_by("pk").values_list("uid", "pk"))
    name, number = kept[at % len(kept)] if kept else (NOWHERE, 0)
    return stores.restore_revision(origin_of(value), name, number)


# --- models ----------------------------------------------------------------------------------------------------------


def _nameless(record: Any) -> Any:
    return {key: item for key, item in record.items() if key != "id"}


def put_assignment(at: int, other: int, value: Any) -> Any:
    domain = pick_uid(ASSIGNMENTS, at) if other % 3 else "primaryChat"
    return assignments.put_assignment(origin_of(value), domain, value | {"modelId": pick_uid(MODELS, other)})


def delete_assignment(at: int, other: int, value: Any) -> Any:
    return assignments.delete_assignment(origin_of(value), pick_uid(ASSIGNMENTS, at))


def replace_model(at: int, other: int, value: Any) -> Any:
    return models.replace_model(origin_of(value), pick_uid(MODELS, at), _nameless(value))


def patch_model(at: int, other: int, value: Any) -> Any:
    return models.patch_model(origin_of(value), pick_uid(MODELS, at), _nameless(value))


def delete_model(at: int, other: int, value: Any) -> Any:
    return models.delete_model(origin_of(value), pick_uid(MODELS, at))


def create_service(at: int, other: int, value: Any) -> Any:
    return services.create_service(origin_of(value), value)


def replace_service(at: int, other: int, value: Any) -> Any:
    return services.replace_service(origin_of(value), pick_uid(SERVICES, at), _nameless(value))


def patch_service(at: int, other: int, value: Any) -> Any:
    return services.patch_service(origin_of(value), pick_uid(SERVICES, at), _nameless(value))


def delete_service(at: int, other: int, value: Any) -> Any:
    return services.delete_service(origin_of(value), pick_uid(SERVICES, at))


def write_llms(at: int, other: int, value: Any) -> Any:
    """Merge or replace all models, services and assignments."""
    sources, llms, assigned = value
    parts = {
        "sources": {service["id"]: service for service in sources},
        "llms": {model["id"]: model for model in llms},
        "modelAssignments": assigned,
    }
    write = llms_store.merge_llms if at % 2 else llms_store.replace_llms
    return write(origin_of(value), {key: part for key, part in parts.items() if part or other % 2})


def delete_llms(at: int, other: int, value: Any) -> Any:
    return llms_store.delete_llms(origin_of(value), confirmed=True)


# --- workspaces and files --------------------------------------------------------------------------------------------


def create_file(at: int, other: int, value: Any) -> Any:
    return files.create_file(origin_of(value), value)


def patch_file(at: int, other: int, value: Any) -> Any:
    return files.patch_file(origin_of(value), pick_uid(LIVE_FILES, at), _nameless(value))


def write_text(at: int, other: int, value: Any) -> Any:
    return files.write_text(origin_of(value), pick_uid(LIVE_FILES, at), value)


def delete_file(at: int, other: int, value: Any) -> Any:
    return files.delete_file(origin_of(value), pick_uid(LIVE_FILES, at))


def unassign_everywhere(at: int, other: int, value: Any) -> Any:
    return files.unassign_everywhere(origin_of(value), pick_uid(LIVE_FILES, at))


def assign_files(at: int, other: int, value: Any) -> Any:
    """Put files into the workspace of some chat, one that is here or comes with it."""
    uid = pick_uid(CONVERSATIONS, at)
    if value is None:
        return workspaces.assign_file(origin_of(value), uid, pick_uid(LIVE_FILES, other))
    return workspaces.assign_new_file(origin_of(value), uid, value)


def unassign_file(at: int, other: int, value: Any) -> Any:
    return workspaces.unassign_file(origin_of(value), pick_uid(WORKSPACES, at), pick_uid(LIVE_FILES, other))


def copy_workspace(at: int, other: int, value: Any) -> Any:
    return workspaces.copy_workspace(origin_of(value), pick_uid(WORKSPACES, at), pick_uid(CONVERSATIONS, other))


def delete_workspace(at: int, other: int, value: Any) -> Any:
    return workspaces.delete_workspace(origin_of(value), pick_uid(WORKSPACES, at))


def import_files(at: int, other: int, value: Any) -> Any:
    return import_workspace(origin_of(value), pick_uid(CONVERSATIONS, at))


# --- values ----------------------------------------------------------------------------------------------------------

_setups = big.objects({"oaiKey": secret_texts, "oaiHost": st.just("https://me:pass@host/?key=1")})
_services = big.objects({"label": texts, "vId": big.texts, "setup": _setups}, {"id": big.ids})
STATES: dict[str, dict[str, st.SearchStrategy]] = {
    "app-chats": {"conversations": big.members(chats, 2), "more": big.anything},
    "app-folders": {"folders": big.members(big.folders), "enableFolders": st.booleans()},
    "app-models": {
        "llms": big.members(big.models, 2),
        "sources": big.members(_services, 2),
        "confServiceId": st.none() | big.ids,
        "modelAssignments": big.maps(big.assignments),
    },
    "app-metrics": {"serviceMetrics": big.maps(big.baselines)},
    "agi-client-workspace": {"liveFilesByWorkspace": big.maps(big.workspaces)},
    "agi-live-file": {"liveFiles": big.maps(big.live_files)},
    "app-ui": {"enterToSend": st.booleans(), "preferredLanguage": texts},
    "app-ux-labs": {"labsScreenWakeLock": st.booleans()},
    "app-module-unknown": {"apiKey": secret_texts, "anything": big.anything, "note": texts},
}


def envelopes(name: str) -> st.SearchStrategy:
    newest = {"app-chats": 4, "app-models": 5, "app-ui": 3, "app-ux-labs": 1}.get(name, 0)
    llms_store = big.objects({}, {"state": big.objects(STATES[name]), "version": st.just(newest)})
    return st.one_of(llms_store, llms_store, big.envelopes(STATES[name]))


_named_stores = st.sampled_from(STORES).flatmap(lambda name: st.tuples(st.just(name), envelopes(name)))
_patches = st.sampled_from(STORES).flatmap(
    lambda name: st.tuples(st.just(name), big.objects({"state": big.objects(STATES[name]), "more": big.anything}))
)
_named_files = big.live_files.map(lambda file: file if isinstance(file.get("id", ""), str) else {})

STORE_WRITES: Writes = {
    "create_store": (create_store, _named_stores),
    "replace_store": (replace_store, _named_stores),
    "edit_store": (edit_store, st.lists(big.anything, max_size=1)),
    "patch_store": (patch_store, _patches),
    "delete_store": (delete_store, nothing),
    "init_stores": (init_stores, nothing),
    "restore_revision": (restore_revision, nothing),
    "put_assignment": (put_assignment, big.assignments),
    "delete_assignment": (delete_assignment, nothing),
    "replace_model": (replace_model, big.models),
    "patch_model": (patch_model, big.models),
    "delete_model": (delete_model, nothing),
    "create_service": (create_service, _services),
    "replace_service": (replace_service, _services),
    "patch_service": (patch_service, _services),
    "delete_service": (delete_service, nothing),
    "write_llms": (
        write_llms,
        st.tuples(
            st.lists(_services, max_size=2),
            st.lists(big.models, max_size=2),
            st.dictionaries(big.ids, big.assignments, max_size=2),
        ),
    ),
    "delete_llms": (delete_llms, nothing),
    "create_file": (create_file, _named_files),
    "patch_file": (patch_file, big.live_files),
    "write_text": (write_text, texts),
    "delete_file": (delete_file, nothing),
    "unassign_everywhere": (unassign_everywhere, nothing),
    "assign_files": (assign_files, st.none() | _named_files),
    "unassign_file": (unassign_file, nothing),
    "copy_workspace": (copy_workspace, nothing),
    "delete_workspace": (delete_workspace, nothing),
    "import_files": (import_files, nothing),
}
