"""What reading a file costs an import: its reader finds and decodes each record, and nothing else is done.

`python -m tests.benchmarks.reading_limit FILE`
"""

import sys
from pathlib import Path

import django


def main(path: Path) -> None:
    django.setup()
    from django.conf import settings

    from stores.importers.kinds import detect_kind
    from stores.importers.parser import Parser

    scratch = Path(settings.DATA_DIR) / "scratch"
    with path.open("rb") as file:
        for _ in Parser(file, detect_kind(file), lambda count: None, lambda kind, digest: False, scratch).items():
            pass


if __name__ == "__main__":
    main(Path(sys.argv[1]))
