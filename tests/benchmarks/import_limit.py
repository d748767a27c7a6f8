"""The least that an import can cost: the file is read and decoded by the same reader, and the same rows go by
`executemany` into the same tables with their indexes, in one transaction: chats, and the calls that they tell of, which
the database adds up. Making the rows is not counted.

`python -m tests.benchmarks.import_limit FILE` prints the seconds that were not counted.
"""

import sys
import time
from pathlib import Path

import django


def main(path: Path) -> None:
    django.setup()
    from django.conf import settings
    from django.db import transaction

    from chats.bigagi.conversation import CONVERSATIONS
    from chats.bigagi.history import calls_of
    from metrics.history.recording import NAMES, make_rows
    from metrics.models import UsageEvent
    from stores.importers.items import RecordItem
    from stores.importers.kinds import detect_kind
    from stores.importers.parser import Parser
    from stores.records.iteration import batched
    from stores.records.sql import insert_rows, tune_for_long_job

    tune_for_long_job()
    uncounted = 0.0
    with path.open("rb") as file, transaction.atomic():
        kind = detect_kind(file)
        parser = Parser(file, kind, lambda count: None, lambda kind, digest: False, Path(settings.DATA_DIR) / "scratch")
        records = (item for item in parser.items() if isinstance(item, RecordItem))
        for batch in batched(records, 20):
            started = time.perf_counter()
            converted = [CONVERSATIONS.convert(item.value, item.value["id"])[0] for item in batch]
            rows = [(CONVERSATIONS.to_rows(value, value["id"]), at) for at, value in enumerate(converted)]
            events = make_rows([pair for chat, _ in rows for pair in calls_of(chat)])
            uncounted += time.perf_counter() - started
            CONVERSATIONS.insert(rows)
            insert_rows(UsageEvent, NAMES, events)
    sys.stdout.write(f"{uncounted}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
