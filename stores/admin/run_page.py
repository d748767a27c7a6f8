"""How the admin shows a migration run: its phases, counts, notes, errors and certificate.

A run's JSON is shown as far as it is of the known shape, since a run of an earlier version may differ.
"""

from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from stores.admin.display import show_status, show_table
from stores.importers.report import tell_reasons
from stores.importers.run import numbers_of
from stores.importers.words import name_kind
from stores.records.formatting import NOTHING, format_text
from stores.records.json_values import objects_of


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(map(_text, value))
    return "" if value is None else format_text(str(value))


def show_phases(phases: Any) -> SafeString | str:
    """Return the phases as a table with a bar for what is done."""
    rows = [
        (_text(phase.get("name")), show_status(_text(phase.get("status"))), _progress(phase), _text(phase.get("notes")))
        for phase in objects_of(phases)
    ]
    return show_table("Progress by phase", ["Phase", "Status", "Done", "Notes"], rows)


def _progress(phase: dict[str, Any]) -> SafeString | str:
    done, total = phase.get("done"), phase.get("total")
    if not isinstance(done, int):
        return NOTHING
    if not isinstance(total, int) or total <= 0:
        return str(done) if done else NOTHING
    # <progress> needs no style attribute, which the content security policy would refuse.
    return format_html(
        '<progress class="bigagi-progress" max="{}" value="{}" aria-label="{}"></progress> {} of {}',
        *(total, done, _text(phase.get("name")), done, total),
    )


def show_counts(counts: Any) -> SafeString | str:
    """Return the counts as a table: a row for each kind, a column for each number."""
    rows = [
        (name_kind(str(kind)), *(outcomes.get(name) for name in ("read", *numbers_of(counts))), tell_reasons(outcomes))
        for kind, outcomes in (counts.items() if isinstance(counts, dict) else ())
        if isinstance(outcomes, dict)
    ]
    names = [name.replace("_", " ").capitalize() for name in numbers_of(counts)]
    return show_table("Records by kind", ["Kind", "Read", *names, "Reasons"], rows)


def show_notes(notes: Any) -> SafeString | str:
    """Return the notes as a list."""
    items = notes if isinstance(notes, list) else [notes] if notes else []
    if not items:
        return NOTHING
    return format_html(
        '<ul class="bigagi-list">{}</ul>', format_html_join("", "<li>{}</li>", ((_text(note),) for note in items))
    )


def show_errors(errors: Any) -> SafeString | str:
    """Return the error log as a table."""
    rows = [tuple(_text(error.get(key)) for key in ("at", "phase", "place", "message")) for error in objects_of(errors)]
    return show_table("Error log", ["At", "Phase", "Place", "Message"], rows)
