"""The overview on the home page: how much is stored, where, and the last import."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db.models import Sum

from bigagi_site.startup import describe_database
from chats.models import Asset, Conversation, Message
from llms.models import Model, Service
from stores.backups import data_check
from stores.backups.creation import Backup, list_backups
from stores.backups.snapshots import database_size
from stores.importers.report import is_all_here, proof
from stores.models import MigrationRun
from stores.querysets import as_seen_now, standing_undos
from stores.records.journal.purge import Size as JournalSize
from stores.records.journal.purge import size_of_journal


@dataclass(frozen=True)
class Overview:
    """Counts are of rows; sizes are in bytes."""

    chats: int
    messages: int
    images: int
    services: int
    models: int
    size: int
    data_dir: Path
    database: str
    key_file: Path
    backups_dir: Path
    journal: JournalSize
    last_run: MigrationRun | None
    last_backup: Backup | None
    last_check: data_check.Result | None

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was imported or written yet."""
        return not (self.chats or self.services or self.last_run)

    @property
    def proof(self) -> str:
        """The sentence that says whether all of the last import is here."""
        return proof(self.last_run) if self.last_run else ""

    @property
    def is_all_here(self) -> bool:
        """Tell whether all that the last import's file holds can be seen here."""
        return self.last_run is not None and is_all_here(self.last_run)


def describe_data() -> Overview:
    """Return the overview of the stored data."""
    assets = Asset.objects.aggregate(size=Sum("size"))
    imports = MigrationRun.objects.filter(purpose=MigrationRun.Purpose.IMPORT).exclude(pk__in=standing_undos())
    run = imports.order_by("-pk").first()
    return Overview(
        chats=Conversation.objects.count(),
        messages=Message.objects.count(),
        images=Asset.objects.filter(asset_type="image").count(),
        services=Service.objects.count(),
        models=Model.objects.count(),
        size=database_size() + (assets["size"] or 0),
        data_dir=settings.DATA_DIR,
        database=describe_database(),
        key_file=settings.KEY_FILE,
        backups_dir=settings.BACKUPS_DIR,
        journal=size_of_journal(),
        last_run=as_seen_now(run) if run else None,
        last_backup=next(iter(list_backups()), None),
        last_check=data_check.read_last(),
    )
