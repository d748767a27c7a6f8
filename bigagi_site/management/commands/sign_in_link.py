from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from bigagi_site import startup
from bigagi_site.services import create_sign_in_link, get_owner
from stores.management.faults import is_not_set_up


class Command(BaseCommand):
    help = "Print a link that signs the owner in. It works once, for 15 minutes."
    # Neither pages nor admins are needed: to load and check them takes longer than all else.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--url", help="address of the server (default: the one that `start` printed)")

    def handle(self, *args: Any, url: str | None, **options: Any) -> None:
        try:
            owner = get_owner()
        except DatabaseError as error:
            if not is_not_set_up(error):
                raise
            owner = None
        if owner is None:
            raise CommandError("There is no owner yet. Run manage.py start first.", returncode=2)
        self.stdout.write(create_sign_in_link(owner, url or startup.read_server_url()))
