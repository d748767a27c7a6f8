"""How a file is imported, as it is asked for and as a run's row keeps it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from stores.importers.file_facts import Strategy
from stores.importers.run import Progress
from stores.models import MigrationRun


@dataclass
class Options:
    """How to import. `on_progress` is called as things go on."""

    dry_run: bool = False
    restore_deleted: bool = False
    recover: bool = False
    """Whether chats that are only in a copy which big-AGI no longer shows are imported too."""
    strategy: Strategy = Strategy.MERGE
    actor: str = ""
    """Who imports, for the journal."""
    on_progress: Callable[[Progress], None] = lambda progress: None
    columns: dict[str, Any] = field(default_factory=dict)
    """What the run's row says beside what the file tells. With these a dry run has a row too, and is a preview."""
    resumes: int | None = None
    """The run that goes on; without one, it is asked whether an import of the same file was broken off."""
    notes: tuple[str, ...] = ()
    """What the owner should know from the start."""


def options_as_json(options: Options) -> dict[str, Any]:
    """Return how a run imports, as its row keeps it."""
    return {
        "strategy": str(options.strategy),
        "restore_deleted": options.restore_deleted,
        "recover": options.recover,
        "actor": options.actor,
    }


def options_of(run: MigrationRun) -> Options:
    """Return how a run imports."""
    kept = run.options if isinstance(run.options, dict) else {}
    return Options(
        strategy=Strategy(kept.get("strategy", Strategy.MERGE)),
        restore_deleted=bool(kept.get("restore_deleted")),
        recover=bool(kept.get("recover")),
        actor=str(kept.get("actor", "")),
    )
