"""Previews, merges and undone imports, beside what reading the file, the preview and the import take."""

import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.importing import data_dir, import_backup, make_backup
from tests.benchmarks.measuring import Run, Target, median, print_table, run_python
from tests.generators import JSONObject, make_conversations, write_backup

TO_READING = Target(held=1.2, goal=1.2)
NEW_TO_READING = Target(held=3.0, goal=1.2)
TO_PREVIEW = Target(held=2.6, goal=1.5)
TO_IMPORT = Target(held=2.0, goal=2.0)
MOST_MEBIBYTES = 250
LATER = "2026-11-28T19:17:33.684Z"


def run(*, quick: bool) -> int:
    """Measure everything and print the tables; return 1 where a target is missed."""
    few, many, times = (100, 200, 1) if quick else (2_000, 20_000, 3)
    with tempfile.TemporaryDirectory(prefix="bigagi-benchmark-") as name:
        folder = Path(name)
        met = [
            _measure_previews(folder, few, times),
            _measure_previews(folder, many, 1),
            _measure_merge_and_undo(folder, few, times),
        ]
    return 0 if all(met) or quick else 1


def _preview(path: Path, environment: dict[str, str]) -> Run:
    return run_python("manage.py", "import_indexeddb", str(path), "--dry-run", environment=environment)


def _measure_previews(folder: Path, chats: int, times: int) -> bool:
    """Preview a file where nothing of it is here, and where all of it is."""
    path = make_backup(folder, chats)
    readings, new, known = [], [], []
    with data_dir(folder) as environment:
        for _ in range(times):
            readings.append(run_python("-m", "tests.benchmarks.reading_limit", str(path), environment=environment))
            new.append(_preview(path, environment))
        import_backup(path, environment)
        for _ in range(times):
            known.append(_preview(path, environment))
    reading = median([each.seconds for each in readings])
    peak = max(each.mebibytes for each in new + known)
    ratios = [median([each.seconds for each in some]) / reading for some in (known, new)]
    print_table(
        ["preview", "reading, s", "all here already / reading", "nothing here / reading", "peak, MiB"],
        [
            [
                f"{chats:,} chats × 21, {path.stat().st_size / 1e6:.0f} MB",
                f"{reading:.1f}",
                f"{ratios[0]:.2f} {TO_READING}",
                f"{ratios[1]:.2f} {NEW_TO_READING}",
                f"{peak:.0f} (≤ {MOST_MEBIBYTES})",
            ]
        ],
    )
    is_met = TO_READING.is_held(ratios[0]) and NEW_TO_READING.is_held(ratios[1])
    return is_met and peak <= MOST_MEBIBYTES


def _measure_merge_and_undo(folder: Path, chats: int, times: int) -> bool:
    """Import a file, then one in which a hundredth of its chats went on; take that one back, then the first."""
    path, continued = make_backup(folder, chats), folder / "continued.json"
    write_backup(continued, _continue(make_conversations(chats)), taken_at=LATER)
    merges, undone = [], []
    for _ in range(times):
        with data_dir(folder) as environment:
            first = import_backup(path, environment)
            preview = _preview(continued, environment)
            merges.append(import_backup(continued, environment).seconds / preview.seconds)
            for run in (2, 1):
                last = run_python("manage.py", "undo_migration", str(run), environment=environment)
            undone.append(last.seconds / first.seconds)
    print_table(
        ["file", "merge of 1 % / its preview", "undo / import"],
        [
            [
                f"{chats:,} chats × 21, {path.stat().st_size / 1e6:.0f} MB",
                f"{median(merges):.2f} {TO_PREVIEW}",
                f"{median(undone):.2f} {TO_IMPORT}",
            ]
        ],
    )
    return TO_PREVIEW.is_held(median(merges)) and TO_IMPORT.is_held(median(undone))


def _continue(chats: Iterator[JSONObject]) -> Iterator[JSONObject]:
    """Yield the chats; each hundredth has a question more."""
    rng = random.Random("continued")
    for at, chat in enumerate(chats):
        if at % 100 == 0:
            uid = f"continued-{at}"
            part = {"pt": "text", "text": "And then? " * rng.randint(1, 40)}
            message = chat["messages"][-1] | {"id": uid, "role": "user", "created": chat["created"] + 10**8}
            message["fragments"] = [{"ft": "content", "fId": f"{uid}-f", "part": part}]
            chat["messages"].append(message)
            chat["updated"] = chat["created"] + 10**8
        yield chat
