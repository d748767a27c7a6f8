"""A run told in words and tables, for people and for programs."""

from typing import Any

from stores.importers.run import BUCKETS, PHASES
from stores.models import MigrationRun


def describe_counts(counts: dict[str, Any]) -> str:
    """Return chats, messages and images in words: "12 chats, 60 messages, 4 images"."""
    words = [("conversation", "chat", "chats"), ("message", "message", "messages"), ("asset", "image", "images")]
    told = [
        f"{counts[kind]['read']} {one if counts[kind]['read'] == 1 else many}"
        for kind, one, many in words
        if kind in counts and counts[kind]["read"]
    ]
    if not told and "store" in counts:
        told = [f"{counts['store']['read']} stores"]
    return ", ".join(told) or "nothing"


def proof(run: MigrationRun) -> str:
    """Return the sentence that says whether everything is here."""
    told = describe_counts(run.counts)
    if run.status == MigrationRun.Status.RUNNING:
        return f"Under way: {told} so far."
    certificate = run.certificate
    if run.status == MigrationRun.Status.ERROR:
        reason = run.blocked_by or "see the error log"
        return f"Not finished: {told} were read. {reason}"
    damaged = sum(kind["quarantined"] for kind in run.counts.values())
    quarantined = f", {damaged} of them damaged and kept in quarantine" if damaged else ""
    if certificate is None:
        return f"{told}{quarantined}: written, not verified."
    states = {
        "changed here": "changed here",
        "deleted here": "deleted here",
        "from another file": "newer here",
        "in another order": "in another order here",
    }
    found = certificate["states"]
    kept = [f"{found[state]} {words}" for state, words in states.items() if found.get(state)]
    if wrong := certificate.get("differences"):
        return f"{told}{quarantined}: {wrong} of them are missing or differ, see the certificate."
    since = f" ({', '.join(kept)})" if kept else ""
    if certificate.get("is_cut"):
        # Nobody may delete the browser's data on the strength of half a file.
        rest = "The file breaks off or is damaged: what could not be read of it is not here."
        return f"{told}{quarantined}: what could be read is here, verified{since}. {rest}"
    return f"{told}{quarantined}: all here, verified{since}."


def run_report(run: MigrationRun) -> dict[str, Any]:
    """Return everything that is known of a run, for programs. Durations are in seconds."""
    finished = run.finished_at
    return {
        "id": run.pk,
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


def run_markdown(run: MigrationRun) -> str:
    """Return the report as Markdown."""
    report = run_report(run)
    lines = [f"# Migration run {run.pk}", "", "## Current status", "", report["proof"], "", "## State", ""]
    state = {
        "Status": run.get_status_display(),
        "Current phase": run.phase,
        "Last completed task": run.last_completed_task or "none",
        "Next task": run.next_task or "none",
        "Blocked by": run.blocked_by or "nothing",
        "Source": f"{run.source_name} ({run.source_kind}, {run.source_size} bytes)",
        "SHA-256": run.source_sha256,
        "Taken at": run.source_taken_at or "unknown",
        "Device": run.source_device or "unknown",
        "Started": report["started_at"],
        "Finished": report["finished_at"] or "not yet",
        "Duration": "—" if report["duration"] is None else f"{report['duration']:.1f} s",
    }
    lines += _table(["State", "Value"], [[name, value] for name, value in state.items()])
    lines += ["", "## Progress by phase", ""]
    by_name = {phase["name"]: phase for phase in run.phases}
    lines += _table(
        ["Phase", "Status", "Records", "Notes"],
        [
            [name, phase.get("status", "pending"), str(phase.get("done", 0)), "; ".join(phase.get("notes", []))]
            for name in PHASES
            for phase in [by_name.get(name, {})]
        ],
    )
    lines += ["", "## Records", "", *counts_table(run)]
    lines += ["", "## Notes", "", *([f"- {note}" for note in run.notes] or ["None."])]
    errors = [f"- {error['at']} {error['phase']} {error['place']}: {error['message']}" for error in run.errors]
    lines += ["", "## Error log", "", *(errors or ["Empty."])]
    completed = [f"- {phase['name']}" for phase in run.phases if phase["status"] == "complete"]
    lines += ["", "## Completed tasks", "", *(completed or ["None."]), ""]
    return "\n".join(lines)


def counts_table(run: MigrationRun) -> list[str]:
    """Return the counts per kind and bucket as the lines of a Markdown table."""
    rows = [
        [kind, str(counts["read"]), *(str(counts[bucket]) for bucket in BUCKETS), _reasons(counts)]
        for kind, counts in run.counts.items()
    ]
    return _table(["Kind", "Read", *(bucket.capitalize() for bucket in BUCKETS), "Reasons"], rows)


def _reasons(counts: dict[str, Any]) -> str:
    return "; ".join(f"{reason}: {count}" for reason, count in counts["reasons"].items())


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    return [
        f"| {' | '.join(heads)} |",
        f"|{'---|' * len(heads)}",
        *(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows),
    ]
