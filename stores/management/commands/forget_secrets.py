"""`manage.py forget_secrets`: go on after the key file was lost."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from stores.management.reading import ReadingCommand
from stores.models import Secret
from stores.records.keyfile import KeyFileError
from stores.records.keys import adopt_key_file, tell_foreign, why_unreadable
from stores.records.secrets import is_readable


class Command(ReadingCommand):
    help = (
        "Go on with another key file after the right one was lost, so that new API keys can be stored. What cannot be "
        "decrypted stays encrypted, and can be read again if the lost key is found. Chats and settings are not "
        "changed. Without --yes, only show how many there are."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--yes", action="store_true", help="Go on with the key file as it is; make it if missing.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["yes"]:
            self.go_on()
            return
        known = Secret.objects.count()
        unreadable = sum(not is_readable(secret) for secret in Secret.objects.all())
        self.stdout.write(f"{unreadable} of {known} stored secrets cannot be read with {settings.KEY_FILE}.")
        if text := why_unreadable() or tell_foreign():
            self.stdout.write(text)
            self.stdout.write("To go on without them: manage.py forget_secrets --yes")
        elif unreadable:
            self.stdout.write("You went on without them. If you find their key file, add its line to this one.")

    def go_on(self) -> None:
        try:
            count = adopt_key_file()
        except KeyFileError as error:
            raise CommandError(
                f"{error} If the file is there, move it to another folder and run this again: a new one is made."
            ) from error
        self.stdout.write(f"{settings.KEY_FILE} is now the key file of this database. New API keys can be stored.")
        if count:
            self.stdout.write(
                f"{count} stored secrets cannot be read with it. They stay encrypted, and no text of a chat is lost: "
                "if you find their key file, add its line to this one."
            )
