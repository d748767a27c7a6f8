"""`manage.py export_store NAME`: a store as big-AGI keeps it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from stores import secrets
from stores.dump import NothingConverted, StoreNotFound, dump_original, dump_store
from stores.management.reading import ReadingCommand
from stores.querysets import list_stores


class Command(ReadingCommand):
    help = 'Write a store to standard output as JSON, in big-AGI\'s envelope: {"state": …, "version": …}.'

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="The name of the store, such as app-chats.")
        parser.add_argument("--with-secrets", action="store_true", help="Write API keys in plain text.")
        parser.add_argument(
            "--original", action="store_true", help="Write the records that a conversion changed, as they were before."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        shown = secrets.reveal if options["with_secrets"] else secrets.mask
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
        except secrets.UnreadableSecret as error:
            raise CommandError(str(error)) from error
