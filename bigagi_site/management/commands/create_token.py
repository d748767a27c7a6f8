from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from bigagi_site.services import get_owner
from bigagi_site.tokens import TokenError, create_token, read_lifetime
from stores.management.faults import is_not_set_up


class Command(BaseCommand):
    help = "Create a token for a program that uses the API, and print it. It is shown only once."
    # Neither pages nor admins are needed: to load and check them takes longer than all else.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="what the token is for; shown in the journal and on the account page")
        parser.add_argument("--read-only", action="store_true", help="create a token that can only read")
        parser.add_argument(
            "--expires", metavar="90d", help="how long it is valid: 90d, 12h, 30m, 2w (default: forever)"
        )

    def handle(self, *args: Any, name: str, read_only: bool, expires: str | None, **options: Any) -> None:
        try:
            lifetime = read_lifetime(expires) if expires is not None else None
            owner = get_owner()
            if owner is None:
                raise CommandError("There is no owner yet. Run manage.py start first.", returncode=2)
            token, text = create_token(owner, name, is_read_only=read_only, lifetime=lifetime)
        except TokenError as error:
            raise CommandError(str(error), returncode=2) from error
        except DatabaseError as error:
            if not is_not_set_up(error):
                raise
            raise CommandError("The database is not set up yet. Run manage.py start first.", returncode=2) from error
        rights = "can only read" if token.is_read_only else "can read and write"
        until = f"expires at {token.expiry:%Y-%m-%d %H:%M} UTC" if token.expiry else "does not expire"
        self.stderr.write(
            f"The token “{token.name}” of {owner.get_username()} {rights} and {until}. Save it: it is shown only once."
        )
        self.stdout.write(text)
