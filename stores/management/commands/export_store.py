"""`manage.py export_store NAME`: a store as big-AGI keeps it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from stores.management.reading import ReadingCommand
from stores.querysets import list_stores
from stores.records import secrets
from stores.records.dump import NothingConverted, StoreNotFound, dump_original, dump_store
from stores.records.keys import why_unreadable

NAMED = 20
"""Places that are named."""


class Command(ReadingCommand):
    help = 'Write a store to standard output as JSON, in big-AGI\'s envelope: {"state": …, "version": …}.'

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="The name of the store, such as app-chats.")
        parser.add_argument("--with-secrets", action="store_true", help="Write API keys in plain text.")
        parser.add_argument(
            "--original", action="store_true", help="Write the records that a conversion changed, as they were before."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        revealing = Revealing()
        shown = revealing if options["with_secrets"] else secrets.mask
        dump = dump_original if options["original"] else dump_store
        try:
            for piece in dump(options["name"], shown):
                self.stdout.write(piece, ending="")
            self.stdout.write("")
        except StoreNotFound:
            known = ", ".join(store.name for store in list_stores()) or "none yet"
            raise CommandError(f"There is no store {options['name']}. Existing stores: {known}.") from None
        except NothingConverted:
            raise CommandError(f"Nothing in {options['name']} was converted. Leave out --original.") from None
        if revealing.count:
            raise CommandError(revealing.tell())


class Revealing:
    """Shows secrets; what cannot be read is written as a marker, and told at the end."""

    def __init__(self) -> None:
        self.count = 0
        self.reasons: dict[str, None] = {}
        self.places: dict[str, None] = {}

    def __call__(self, value: Any) -> Any:
        unreadable: list[str] = []
        shown = secrets.reveal_readable(value, unreadable)
        if unreadable:
            self.count += len(unreadable)
            self.reasons |= dict.fromkeys(unreadable)
            self.places[_name_of(value)] = None
        return shown

    def tell(self) -> str:
        """Return how many secrets could not be read, where they stand, and why."""
        count = "1 secret" if self.count == 1 else f"{self.count:,} secrets"
        named = list(self.places)
        more = f" and {len(named) - NAMED:,} more" if len(named) > NAMED else ""
        places = ", ".join(named[:NAMED])
        return (
            f"{count} could not be read; the export has {secrets.MARKER}… instead, in {places}{more}. "
            f"{why_unreadable() or ' '.join(self.reasons)}"
        )


def _name_of(value: Any) -> str:
    """Return the id of a record, or the keys of another part of the store."""
    if isinstance(value, dict):
        uid = value.get("id")
        return uid if isinstance(uid, str) else ", ".join(value)
    return "a damaged member"
