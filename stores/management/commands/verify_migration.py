"""`manage.py verify_migration PATH`: compare a file with what is here."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from stores.codecs import storable
from stores.importers.certificate import DIFFERENT
from stores.importers.importer import Refused, check_file, check_keys
from stores.importers.verifier import Verification
from stores.management.reading import ReadingCommand


class Command(ReadingCommand):
    help = (
        "Compare a file that big-AGI wrote with the database, record by record and by content, and name every "
        "difference. Exit status: 0 all is here or was changed here since, 1 something is missing or differs, "
        "2 the file cannot be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, metavar="PATH", help="A file that big-AGI wrote.")
        parser.add_argument("--json", action="store_true", help="Print the certificate as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            check_file(options["path"])
            check_keys()
        except Refused as error:
            raise CommandError(str(error), returncode=2) from error
        certificate = Verification(options["path"]).run()
        if options["json"]:
            self.stdout.write(json.dumps(certificate.as_json(), indent=2))
        else:
            self._tell(certificate)
        if certificate.differences:
            sys.exit(1)

    def _tell(self, certificate: Any) -> None:
        for record in certificate.records:
            is_wrong = record["state"] in DIFFERENT
            line = f"{record['kind']} {record['id']}: {record['state']}"
            self._write(self.style.ERROR(line) if is_wrong else line)
            for difference in record["differences"][:20]:
                self._write(f"    {difference['path']}: {difference['source']} there, {difference['ours']} here")
        for note in certificate.notes:
            self.stdout.write(f"- {note}")
        told = ", ".join(f"{count} {kind}s" for kind, count in certificate.counts.items())
        states = ", ".join(f"{count} {state}" for state, count in certificate.states.items())
        self.stdout.write(f"{told}: {states}.")

    def _write(self, line: str) -> None:
        # Names and keys of damaged records can hold what no terminal takes.
        self.stdout.write(storable(line))
