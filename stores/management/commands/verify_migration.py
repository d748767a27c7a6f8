"""`manage.py verify_migration PATH`: compare a file with what is here."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from stores.importers.certificate import DIFFERENT
from stores.importers.conditions import check_keys
from stores.importers.incoming import Refused
from stores.importers.opening import open_source
from stores.importers.verifier import Verification
from stores.management.reading import ReadingCommand
from stores.records.codecs import storable


class Command(ReadingCommand):
    help = (
        "Compare a big-AGI file with the database, record by record and by content, and list every "
        "difference. Exit status: 0 all of its chats and messages can be read here, 1 not all, "
        "2 if the file cannot be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, metavar="PATH", help="A file written by big-AGI.")
        parser.add_argument("--json", action="store_true", help="Print the certificate as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with open_source(options["path"]) as source:
                check_keys()
                certificate = Verification(source.path).run()
        except Refused as error:
            raise CommandError(str(error), returncode=2) from error
        if options["json"]:
            self.stdout.write(json.dumps(certificate.as_json(), indent=2))
        else:
            self._tell(certificate)
        if certificate.differences or not certificate.verdict.is_all_here:
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
        self.stdout.write(certificate.verdict.describe())

    def _write(self, line: str) -> None:
        # Names and keys of damaged records can hold what no terminal takes.
        self.stdout.write(storable(line))
