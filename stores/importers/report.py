"""A run told in words and tables, for people and for programs."""

from typing import Any

from stores.importers.run import PHASES, numbers_of
from stores.importers.verdict import Verdict
from stores.importers.words import count_kinds, one_or_many, sum_kinds
from stores.models import MigrationRun
from stores.querysets import standing_undos
from stores.records.json_values import object_in

PREVIEWED = {
    "New": ("created",),
    "Changed": ("updated",),
    "Merged": ("merged",),
    "Here already": ("unchanged",),
    "Left as here": ("skipped",),
    "Damaged": ("quarantined",),
    "Of these in conflict": ("conflicting",),
}
"""How a preview sums up what becomes of the records, by words for their outcomes."""


def describe_counts(counts: dict[str, Any]) -> str:
    """Return chats, messages and images that were read in words: "12 chats, 60 messages, 4 images"."""
    kinds = sum_kinds()
    read = {kind: counts[kind]["read"] for kind in (*kinds, "store") if kind in counts}
    return count_kinds({kind: read[kind] for kind in kinds if read.get(kind)} or read) or "nothing"


def verdict_of(run: MigrationRun) -> Verdict | None:
    """Return where what the file holds can be found; None while it was not verified."""
    certificate = run.certificate if isinstance(run.certificate, dict) else {}
    return Verdict.from_json(certificate.get("verdict"))


def is_all_here(run: MigrationRun) -> bool:
    """Tell whether the run ended well and all that the file holds can be seen here."""
    verdict = verdict_of(run)
    return run.status == MigrationRun.Status.DONE and verdict is not None and verdict.is_all_here


def describe_preview(run: MigrationRun) -> str:
    """Return in sentences what an import of a file that was previewed would do."""
    kinds = [kind for kind in (*sum_kinds(), "store") if kind in run.counts]
    told = [f"{describe_counts(run.counts)}."]
    for words, names in PREVIEWED.items():
        counts = {kind: sum(run.counts[kind].get(name, 0) for name in names) for kind in kinds}
        if any(counts.values()):
            told.append(f"{words}: {count_kinds(counts)}.")
    following = run.followed_by.filter(purpose=MigrationRun.Purpose.IMPORT).first()
    told.append(f"Run {following.pk} imported it." if following else "Nothing has been imported yet.")
    text = " ".join(told)
    return text[:1].upper() + text[1:]


def proof(run: MigrationRun) -> str:
    """Return the sentence that says whether everything is here; of an undo, what it came to."""
    if run.status == MigrationRun.Status.DONE and (by := standing_undos().get(run.pk)) is not None:
        return f"Undone by run {by}. Before that: {_proof(run)}"
    return _proof(run)


def _proof(run: MigrationRun) -> str:
    if run.purpose == MigrationRun.Purpose.UNDO:
        return _proof_of_undo(run)
    text, verdict = describe_counts(run.counts), verdict_of(run)
    if run.status == MigrationRun.Status.RUNNING:
        return f"In progress: {text} so far."
    if run.purpose == MigrationRun.Purpose.PREVIEW and run.status == MigrationRun.Status.DONE:
        return describe_preview(run)
    if run.status == MigrationRun.Status.ERROR:
        reason = run.blocked_by or "See the error log."
        if verdict is not None and not verdict.is_all_here:
            return f"{verdict.describe()} {reason}"
        return f"Not finished: {text} read. {reason}"
    if run.certificate is not None and verdict is None:
        return f"{text}: verified by an earlier version of bigagi. Run verify_migration to compare again."
    return verdict.describe() if verdict else f"{text}: imported, not verified."


def _proof_of_undo(run: MigrationRun) -> str:
    """Return the sentence that says what an undo came to."""
    certificate = run.certificate if isinstance(run.certificate, dict) else {}
    looked_at = one_or_many(sum(counts["read"] for counts in run.counts.values()), "record")
    if run.status == MigrationRun.Status.RUNNING:
        return f"In progress: {looked_at} so far."
    if run.status == MigrationRun.Status.ERROR:
        said = certificate.get("proof") or f"Not finished: {looked_at} so far."
        return f"{said} {run.blocked_by or 'See the error log.'}"
    return str(certificate.get("proof", f"{looked_at} taken back, not verified."))


def run_report(run: MigrationRun) -> dict[str, Any]:
    """Return everything that is known of a run, for programs. Durations are in seconds."""
    finished = run.finished_at
    return {
        "id": run.pk,
        "purpose": run.purpose,
        "based_on": run.based_on_id,
        "status": run.status,
        "phase": run.phase,
        "proof": proof(run),
        "source": {
            "name": run.source_name,
            "kind": run.source_kind,
            "size": run.source_size,
            "sha256": run.source_sha256,
            "taken_at": run.source_taken_at,
            "device": run.source_device,
        },
        "started_at": run.started_at.isoformat(),
        "finished_at": finished.isoformat() if finished else None,
        "duration": (finished - run.started_at).total_seconds() if finished else None,
        "last_completed_task": run.last_completed_task,
        "next_task": run.next_task,
        "blocked_by": run.blocked_by,
        "phases": run.phases,
        "counts": run.counts,
        "notes": run.notes,
        "errors": run.errors,
        "certificate": run.certificate,
    }


STATUS_LEGEND = {
    "running": "The run is under way. Follow it with `manage.py migration_status --watch`.",
    "done": "The run has finished. Read the proof: of an import, it says whether everything in the file can be read "
    "here; of an undo, what was taken back and what was kept.",
    "error": "The run stopped, or a part of the file is missing. Do what `blocked_by` says.",
}
"""What each status means for a person or a program that follows the run."""


def run_markdown(run: MigrationRun) -> str:
    """Return the report as Markdown, in the words of `run_report`."""
    report = run_report(run)
    lines = [f"## Current Status: {report['status']}", ""]
    lines += [f"- `{status}`: {meaning}" for status, meaning in STATUS_LEGEND.items()]
    state = {
        name: report[name]
        for name in (
            "id",
            "purpose",
            "based_on",
            "status",
            "phase",
            "last_completed_task",
            "next_task",
            "blocked_by",
            "proof",
        )
    }
    state |= {f"source.{name}": value for name, value in report["source"].items()}
    state |= {name: report[name] for name in ("started_at", "finished_at", "duration")}
    lines += ["", "## State", "", *_table(["name", "value"], [[name, _cell(value)] for name, value in state.items()])]
    by_name = {phase["name"]: phase for phase in run.phases}
    phases = [
        [name, phase.get("status", "pending"), str(phase.get("done", 0)), "; ".join(phase.get("notes", []))]
        for name in (by_name if run.purpose == MigrationRun.Purpose.UNDO else PHASES)
        for phase in [by_name.get(name, {})]
    ]
    lines += ["", "## Progress Summary", "", *_table(["phase", "status", "done", "notes"], phases)]
    lines += ["", *counts_table(run)]
    lines += ["", "## Notes for Next Iteration", "", *([f"- {note}" for note in run.notes] or ["None."])]
    errors = [f"- {error['at']} {error['phase']} {error['place']}: {error['message']}" for error in run.errors]
    lines += ["", "## Error Log", "", *(errors or ["None."])]
    completed = [f"- {phase['name']}" for phase in run.phases if phase["status"] == "complete"]
    lines += ["", "## Completed Tasks", "", *(completed or ["None."]), ""]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    return "" if value is None else str(value)


def counts_table(run: MigrationRun) -> list[str]:
    """Return the counts per kind and outcome as the lines of a Markdown table."""
    rows = [
        [
            kind,
            str(counts["read"]),
            *(str(counts.get(name, 0)) for name in numbers_of(run.counts)),
            tell_reasons(counts),
        ]
        for kind, counts in run.counts.items()
    ]
    names = [name.replace("_", " ") for name in numbers_of(run.counts)]
    return _table(["kind", "read", *names, "reasons"], rows)


def tell_reasons(counts: dict[str, Any]) -> str:
    """Say why records of a kind were not written, and by which rules others were merged; each reason once, with its
    count."""
    return "; ".join(
        f"{reason}: {count}"
        for told in ("reasons", "rules")
        for reason, count in object_in(counts, told).items()
        if told == "reasons" or reason not in object_in(counts, "reasons")
    )


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    return [
        f"| {' | '.join(heads)} |",
        f"|{'---|' * len(heads)}",
        *(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows),
    ]
