"""`manage.py forget_secrets`: go on after the key file was lost."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from stores.management.reading import ReadingCommand
from stores.models import Secret
from stores.secrets import forget_unreadable, is_readable


class Command(ReadingCommand):
    help = (
        "Delete the stored API keys that cannot be decrypted with the key file, so that new ones can be stored. "
        "Chats and settings are not changed. Without --yes, only show how many there are."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--yes", action="store_true", help="Delete them.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["yes"]:
            self.stdout.write(f"Deleted {forget_unreadable()} unreadable stored keys.")
            return
        known = Secret.objects.count()
        unreadable = sum(not is_readable(secret) for secret in Secret.objects.all())
        self.stdout.write(f"{unreadable} of {known} stored keys cannot be read with {settings.KEY_FILE}.")
        if unreadable:
            self.stdout.write("To delete them: manage.py forget_secrets --yes")
