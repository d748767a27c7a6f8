"""The registry of stores: which app keeps them, and how old versions are converted.

Apps register their stores in `AppConfig.ready()`. An unregistered store is kept unchanged.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from stores.models import MigrationRun
from stores.records.codecs import JSONObject
from stores.records.collections import Collection

Step = Callable[[JSONObject], JSONObject]


@dataclass(frozen=True)
class StoreSpec:
    """A store's specification: its newest version, the conversion steps, and its collections of rows.

    `steps[n]` turns a state of version n-1 into one of version n, and changes only its argument's copy. `phase` is
    the phase of an import that brings it.
    """

    name: str
    newest_version: int = 0
    steps: dict[int, Step] = field(default_factory=dict)
    collections: tuple[Collection, ...] = ()
    phase: str = "stores"
    is_database: bool = False
    """Whether it is a database of the browser rather than a store: it has rows, and no envelope."""
    inspect: Callable[[], list[str]] = list
    """Says what the owner should know of its records after an import."""
    mark: Callable[[], int] = int
    """Called before an import; says where what the app keeps beside its records ends then."""
    tell_since: Callable[[int], list[str]] = lambda mark: []
    """Says after an import what it did beside the records since that mark."""
    close_abandoned: Callable[[Sequence[str] | None], None] = lambda uids: None
    """Ends what processes that are gone had begun in the records with these ids, or in all (None). It is called before
    records may be overwritten, outside of any transaction: what fails later must not take it back."""
    undo_run: Callable[[MigrationRun, MigrationRun], Iterator[None]] = lambda run, by: iter(())
    """Takes back what a run did beside the records of the store and the journal does not keep, as events of the ledger.
    `by` is the run that undoes it. It yields after each batch, for its caller to commit; called again, it goes on."""
    is_last: bool = False
    """Whether an import writes it after all else: others say what its records are to be understood by."""


_specs: dict[str, StoreSpec] = {}


def register(spec: StoreSpec) -> None:
    """Make a store known. A name can be registered once."""
    if spec.name in _specs:
        raise ValueError(f"the store {spec.name} is already registered")
    _specs[spec.name] = spec


def get(name: str) -> StoreSpec:
    """Return what is known of the store; of an unknown one, that it is kept as it is."""
    spec = _specs.get(name)
    return StoreSpec(name) if spec is None or spec.is_database else spec


def all_specs(*, with_databases: bool = False) -> list[StoreSpec]:
    """Return the registered stores."""
    return [spec for spec in _specs.values() if with_databases or not spec.is_database]


def is_registered(name: str) -> bool:
    return name in _specs


def is_relational(name: str) -> bool:
    """Tell whether an app keeps the store as rows."""
    return bool(get(name).collections)


def kinds() -> tuple[str, ...]:
    """Return what is counted: stores, and the kinds of records with their parts."""
    return "store", *(kind for collection in all_collections() for kind in (collection.kind, *collection.parts.kinds))


def all_collections() -> list[Collection]:
    """Return the collections of all stores and databases."""
    return [collection for spec in _specs.values() for collection in spec.collections]


def long_lists() -> list[Collection]:
    """Return the collections whose records an import takes one by one."""
    return [collection for collection in all_collections() if collection.is_long]


def is_long(kind: str) -> bool:
    """Tell whether an import takes records of this kind one by one."""
    return any(collection.kind == kind for collection in long_lists())


def find_table(database: str, table: str) -> Collection | None:
    """Return the collection that a table of a browser's database holds, if an app keeps its records."""
    spec = _specs.get(database)
    if spec is None or not spec.is_database:
        return None
    return next((one for one in spec.collections if one.is_long and one.key == table), None)


def collection_of(kind: str) -> Collection:
    """Return the collection whose records are of this kind. Raises KeyError."""
    return next(collection for collection in _spec_of(kind).collections if collection.kind == kind)


def close_abandoned(kind: str, uids: Sequence[str]) -> None:
    """End what processes that are gone had begun in these records, if an app keeps records of this kind."""
    for spec in _specs.values():
        if any(collection.kind == kind for collection in spec.collections):
            spec.close_abandoned(uids)


def phase_of(kind: str) -> str:
    """Return the phase of an import in which records of this kind come. Raises KeyError."""
    return _spec_of(kind).phase


def _spec_of(kind: str) -> StoreSpec:
    for spec in _specs.values():
        if any(collection.kind == kind for collection in spec.collections):
            return spec
    raise KeyError(kind)


def convert(spec: StoreSpec, state: Any, version: Any) -> tuple[Any, Any]:
    """Return state and version after the registered steps. What has an unknown version is left as it is."""
    at = 0 if version is None else version
    if not isinstance(state, dict) or not isinstance(at, int) or isinstance(at, bool) or at < 0:
        return state, version
    for step_to in range(at + 1, spec.newest_version + 1):
        if step := spec.steps.get(step_to):
            state = step(state)
    return state, spec.newest_version if at < spec.newest_version else version
