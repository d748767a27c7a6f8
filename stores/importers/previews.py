"""Previews: what an import of a file would do, as a run that writes nothing but itself. Its file is kept for a while,
so that it can be imported without being sent again."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from stores.importers import uploads
from stores.importers.incoming import KEPT_SECONDS, IncomingFile, reopen
from stores.importers.options import Options, options_as_json, options_of
from stores.importers.run import OUTCOMES
from stores.importers.uploads import LetGo
from stores.models import Change, MigrationRun

WAITED, TRIES = 0.1, 30
"""Seconds between two tries to take a file that the end of its preview still holds, and how many there are."""
WRITING = 1.9
"""How much longer an import takes for what it writes and compares than its preview takes: measured with 96 MB of new
chats, 19 s and 56 s."""
CHANGED_SINCE = "The data here was changed after the preview, so the numbers can differ from it."

PREVIEW = MigrationRun.Purpose.PREVIEW
WRITTEN = ("created", "updated", "merged")


class NotRunnable(Exception):
    """The run is no preview that has ended. The message says what to do."""


class FileGone(Exception):
    """The file of a preview is here no more. The message says what to do."""


# --- making one ---


def make_preview(
    upload: IncomingFile, options: Options, let_go: LetGo | None = None, before: MigrationRun | None = None
) -> MigrationRun:
    """Preview the import of the file, and return the run when it is over. Raises as `import_file`."""
    progress = uploads.import_here(upload, _previewing(upload, options, before), let_go or _keep_if_read)
    assert progress.run is not None
    return progress.run


def start_preview(
    upload: IncomingFile, options: Options, let_go: LetGo | None = None, before: MigrationRun | None = None
) -> MigrationRun:
    """The same by a thread; return the run as soon as there is one."""
    return uploads.start_import(upload, _previewing(upload, options, before), let_go or _keep_if_read)


def preview_again(run: MigrationRun, options: Options, make: Callable[..., MigrationRun]) -> MigrationRun:
    """Preview the file of a preview with other options, by one of the above: the file is the new one's then. Raises as
    `take_file` and `import_file`."""
    made = make(take_file(run), options, _keep_if_begun, run)
    _hand_over(run)
    return made


def _previewing(upload: IncomingFile, options: Options, before: MigrationRun | None) -> Options:
    forget_old_previews()
    columns = {"purpose": PREVIEW, "options": options_as_json(options), "source_path": upload.key, "based_on": before}
    return replace(options, dry_run=True, columns=columns)


def _keep_if_begun(upload: IncomingFile, run: MigrationRun | None) -> None:
    if run is None:
        # It did not begin, and can be tried again.
        upload.release()
    else:
        _keep_if_read(upload, run)


def _keep_if_read(upload: IncomingFile, run: MigrationRun | None) -> None:
    if run is not None and run.status == MigrationRun.Status.DONE:
        upload.keep()
        upload.release()
        return
    upload.discard()
    if run is not None:
        run.source_path = ""
        with suppress(DatabaseError):
            _hand_over(run)


# --- importing what was previewed ---


def run_preview(run: MigrationRun, actor: str) -> MigrationRun:
    """Import the file of a preview as was previewed; return the new run as soon as there is one. Raises as `take_file`
    and `import_file`."""
    upload = take_file(run)
    options = replace(options_of(run), actor=actor)
    if is_changed_since(run):
        options = replace(options, notes=(CHANGED_SINCE,))
    columns = {"based_on": run, "options": options_as_json(options), "source_path": upload.key}
    made = uploads.start_import(upload, replace(options, columns=columns))
    _hand_over(run)
    return made


def take_file(run: MigrationRun) -> IncomingFile:
    """Return the file of a preview, which nobody else can take then. Raises `AlreadyRunning`, `SecretsUnreadable`,
    `NotRunnable` and `FileGone`."""
    if run.purpose != PREVIEW:
        raise NotRunnable(f"Run {run.pk} is no preview. To import its file again, send it again.")
    uploads.check_ready()
    if run.status != MigrationRun.Status.DONE:
        raise NotRunnable("The preview did not come to its end. Send the file again.")
    for _ in range(TRIES if run.source_path else 0):
        if (upload := reopen(run.source_path)) is not None:
            return upload
        if not has_file(run):
            break
        time.sleep(WAITED)
    raise FileGone(why_gone(run))


def has_file(run: MigrationRun) -> bool:
    """Tell whether the file of a preview should still be here."""
    return bool(run.source_path) and run.purpose == PREVIEW and timezone.now() < kept_until(run)


def kept_until(run: MigrationRun) -> Any:
    """Return until when the file of a preview is kept."""
    return (run.finished_at or run.started_at) + timedelta(seconds=KEPT_SECONDS)


def why_gone(run: MigrationRun) -> str:
    """Say why the file of a preview is here no more, and the way out."""
    following = run.followed_by.order_by("-pk").first()
    if following is not None and following.purpose == PREVIEW:
        return f"Its file was previewed again by run {following.pk}, which has it now."
    if following is not None:
        return f"This was imported by run {following.pk}, and its file was deleted then. To import it again, send it."
    days = KEPT_SECONDS // (24 * 3600)
    return f"The file of this preview is here no more: it is kept for {days} days. Send it again."


def is_changed_since(run: MigrationRun) -> bool:
    """Tell whether something here was changed since the preview began."""
    return Change.objects.filter(at__gt=run.started_at).exists()


def expected_seconds(run: MigrationRun) -> float | None:
    """Return how long the import of what was previewed will take, by how long it took to read, without the backup."""
    if run.purpose != PREVIEW or run.finished_at is None:
        return None
    sums = {name: sum(_number(counts, name) for counts in run.counts.values()) for name in OUTCOMES}
    share = sum(sums[name] for name in WRITTEN) / max(sum(sums.values()), 1)
    return round((run.finished_at - run.started_at).total_seconds() * (1 + WRITING * share), 1)


def _number(counts: Any, name: str) -> int:
    value = counts.get(name) if isinstance(counts, dict) else None
    return value if isinstance(value, int) else 0


def _hand_over(run: MigrationRun) -> None:
    """Note that the run has its file no more."""
    MigrationRun.objects.filter(pk=run.pk).update(source_path="")


# --- forgetting ---


def forget_preview(run: MigrationRun) -> None:
    """Delete a preview with its file. Raises `NotRunnable`."""
    if run.purpose != PREVIEW or run.status == MigrationRun.Status.RUNNING:
        raise NotRunnable("Only a preview that is over can be deleted. An import stays in the list: undo it instead.")
    following = run.followed_by.filter(status=MigrationRun.Status.RUNNING).first()
    if following is not None:
        raise NotRunnable(f"Run {following.pk} is carrying it out now. Delete the preview when that has ended.")
    if run.source_path and (upload := reopen(run.source_path)) is not None:
        upload.discard()
    run.delete()


def forget_old_previews() -> None:
    """Delete previews whose file is kept no more."""
    oldest = timezone.now() - timedelta(seconds=KEPT_SECONDS)
    over = MigrationRun.objects.exclude(status=MigrationRun.Status.RUNNING)
    over = over.exclude(followed_by__status=MigrationRun.Status.RUNNING)
    over.filter(purpose=PREVIEW, started_at__lt=oldest).delete()
