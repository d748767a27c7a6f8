"""The pages of imports: what a file would bring, what runs brought, and each record with its difference."""

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from bigagi_site.import_lists import Chosen, describe_kinds, describe_lists, find_records, name_records
from stores.admin.difference import Manner, Room, show_operations
from stores.importers.differences import difference_of
from stores.importers.file_facts import Strategy
from stores.importers.previews import is_changed_since, kept_until, why_gone
from stores.importers.provenance import provenance_of
from stores.importers.report import is_all_here, proof
from stores.models import MigrationRun, RunRecord
from stores.querysets import as_seen_now, standing_undos
from stores.records import registry
from stores.records.journal.delta import Delta
from stores.records.units import format_duration
from stores.serializers import RunSerializer

RUNS, RECORDS, ERRORS = 20, 50, 100
"""How many a page shows."""
STRATEGIES = {
    Strategy.MERGE: "Merge both, with a branch where both went on",
    Strategy.OURS: "Show ours, keep the file's aside",
    Strategy.THEIRS: "Show the file's, keep ours aside",
    Strategy.COPY: "Make chats that differ chats of their own",
}
KINDS_OF_FILE = {"flash-backup": "full backup", "all-chats": "all chats", "one-chat": "one chat"}


@require_safe
@ensure_csrf_cookie
def import_page(request: HttpRequest) -> HttpResponse:
    """Take backups of big-AGI, show how to get a complete one, and list all imports."""
    # A preview that was carried out is told by its import.
    runs = MigrationRun.objects.exclude(purpose=MigrationRun.Purpose.PREVIEW, followed_by__isnull=False)
    runs = runs.defer("phases", "errors", "notes")
    page = _page(request, runs, RUNS)
    undos = standing_undos()
    for run in page:
        run.proof, run.is_all_here, run.undone_by = proof(as_seen_now(run)), is_all_here(run), undos.get(run.pk)
    return TemplateResponse(request, "import/page.html", _context(runs=page, strategies=STRATEGIES))


@require_safe
@ensure_csrf_cookie
def run_page(request: HttpRequest, run_id: int) -> HttpResponse:
    """Show a run: what it found or did, in one sentence, in numbers and in lists, and what can be done next."""
    run = as_seen_now(get_object_or_404(MigrationRun, pk=run_id))
    chosen = Chosen.read(request.GET)
    records = _page(request, find_records(run, chosen), RECORDS)
    name_records(records.object_list)
    told = RunSerializer(run).data
    is_preview = run.purpose == MigrationRun.Purpose.PREVIEW
    context = _context(
        run=run,
        told=told,
        proof=proof(run),
        is_all_here=is_all_here(run),
        is_preview=is_preview,
        kind_of_file=KINDS_OF_FILE.get(run.source_kind, run.source_kind),
        errors=run.errors[:ERRORS],
        more_errors=max(len(run.errors) - ERRORS, 0),
        strategies=STRATEGIES,
        strategy=(run.options or {}).get("strategy", ""),
        kept_until=kept_until(run),
        expected=tell_expected(told["expected_seconds"] or 0),
        why_gone=why_gone(run) if is_preview and not told["run_href"] else "",
        is_changed_since=bool(is_preview and told["run_href"]) and is_changed_since(run),
        followed_by=run.followed_by.all(),
        kinds=describe_kinds(run, chosen),
        lists=describe_lists(run, chosen),
        chosen=chosen,
        heading=chosen.words(run),
        records=records,
    )
    return TemplateResponse(request, "import/run.html", context)


@require_safe
def record_page(request: HttpRequest, run_id: int, record_id: int) -> HttpResponse:
    """Show what became of one record in a run, or would become of it: both states side by side."""
    found = RunRecord.objects.defer("imported_before").select_related("run")
    record = get_object_or_404(found, run=run_id, pk=record_id)
    difference = difference_of(record)
    name_records([record])
    context = _context(
        run=record.run,
        record=record,
        tells=difference.tells,
        difference=_show(record.kind, difference.delta),
        is_preview=record.run.purpose == MigrationRun.Purpose.PREVIEW,
        provenance=provenance_of(record.kind, record.uid),
    )
    return TemplateResponse(request, "import/record.html", context)


def tell_expected(seconds: float) -> str:
    """Return in words how long something will take."""
    return "less than a second" if seconds < 1 else f"about {format_duration(round(seconds) * 1000)}"


def _show(kind: str, delta: Delta | None) -> str:
    if not delta:
        return ""
    manner = Manner(Room(), is_side_by_side=True)
    if kind in registry.kinds() and kind != "store":
        manner = replace(manner, read=registry.collection_of(kind).parts.to_text)
    return show_operations(delta, manner)


def _context(**members: Any) -> dict[str, Any]:
    return {"section": "import", "csrf_cookie": settings.CSRF_COOKIE_NAME, **members}


def _page(request: HttpRequest, rows: QuerySet[Any], size: int) -> Page:
    return Paginator(rows, size).get_page(request.GET.get("page"))
