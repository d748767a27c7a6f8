"""Deleting files of images and audio that nothing references any more."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from chats.models import Asset
from stores.models import ChangedRecord, Quarantine, Revision
from stores.records.jsontext import encode

LEFT_OVER_AFTER = 3600
"""Seconds after which a file that nothing names belongs to nothing under way."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


def delete_unnamed() -> int:
    """Delete the files that no asset, no journal entry, no revision and no quarantined asset names; return how many.

    Undo and revisions can restore assets, which then need their files. A file is written before the row that
    names it: a young one may belong to an upload or an import under way.
    """
    old = {path.name: path for path in _old_files()}
    if not old:
        return 0
    unnamed = old.keys() - set(Asset.objects.exclude(sha256=None).values_list("sha256", flat=True))
    for text in _kept_texts() if unnamed else ():
        unnamed -= set(_SHA256.findall(text))
    count = 0
    for sha256 in unnamed:
        # An undo may have brought an asset back since, or an upload the same bytes.
        if not Asset.objects.filter(sha256=sha256).exists() and _is_old(old[sha256]):
            old[sha256].unlink(missing_ok=True)
            count += 1
    return count


def _old_files() -> Iterator[Path]:
    for path in Path(settings.ASSETS_DIR).glob("[0-9a-f][0-9a-f]/*"):
        if _SHA256.fullmatch(path.name) and _is_old(path):
            yield path


def _is_old(path: Path) -> bool:
    try:
        return path.stat().st_mtime < time.time() - LEFT_OVER_AFTER
    except FileNotFoundError:
        return False


def _kept_texts() -> Iterator[str]:
    """Yield all texts that can reference a file: anything that looks like its name keeps it."""
    bodies = ChangedRecord.objects.filter(kind="asset", body__isnull=False).values_list("body", flat=True)
    yield from (body for body in bodies.iterator(chunk_size=200) if body)
    revisions = Revision.objects.filter(kind="asset").values_list("body", flat=True)
    yield from revisions.iterator(chunk_size=200)
    for raw in Quarantine.objects.filter(kind="asset").values_list("raw", flat=True):
        yield raw if isinstance(raw, str) else encode(raw)
