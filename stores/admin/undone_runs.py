"""Undoing an import in the admin: a page says what will be taken back and what is kept, and a button does it."""

from typing import Any

from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from stores.admin.display import link_to, link_to_page
from stores.admin.record_links import link_to_records
from stores.admin.writes import ActingAdmin, admin_origin
from stores.importers.one_run import AlreadyRunning
from stores.importers.undoing import Options, find_interrupted, find_undoable
from stores.importers.undoing_plan import Item, survey, tell_backup
from stores.importers.undoing_proof import is_redo
from stores.importers.undoing_start import start_undo
from stores.importers.words import name_kind, tell_kinds
from stores.models import MigrationRun
from stores.querysets import standing_undos
from stores.records.errors import ServiceError

NAMED = 100
"""Records that the page names of those that were changed since."""


class UndoneRuns(ActingAdmin):
    """What the admin of runs has for undoing them."""

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.undo_view)
        return [path("<int:run_id>/undo/", view, name="stores_migrationrun_undo"), *super().get_urls()]

    def undo_view(self, request: HttpRequest, run_id: int) -> HttpResponse:
        """Show what an undo of the run would do, with the button that does it."""
        row = self.get_object(request, str(run_id))
        if row is None:
            raise Http404
        try:
            run = find_undoable(row.pk)
        except ServiceError as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(self.page_of(row))
        found, is_back = survey(run), is_redo(run)
        links = link_to_records((item.kind, item.uid) for item, _ in found.kept[:NAMED])
        context = self.admin_site.each_context(request) | {
            "title": "Bring the import back" if is_back else "Undo this import",
            "opts": self.opts,
            "original": run,
            "done": "brought back" if is_back else "taken back",
            "counts": tell_kinds(found.counts) if found.counts else "",
            "kept": [(name_kind(item.kind), _link(item, links), reason) for item, reason in found.kept[:NAMED]],
            "more": max(len(found.kept) - NAMED, 0),
            "kept_count": len(found.kept),
            "backup": tell_backup(run),
            "interrupted": find_interrupted(run),
            "act": reverse("admin:stores_migrationrun_act", args=(run.pk, "undo")),
            "act_force": reverse("admin:stores_migrationrun_act", args=(run.pk, "undo-with-force")),
            "back": self.page_of(run),
        }
        return TemplateResponse(request, "admin/stores/migrationrun/undo.html", context)

    def take_back(self, request: HttpRequest, run: MigrationRun, *, force: bool = False) -> str:
        """Begin the undo, and go to its page."""
        try:
            by = start_undo(run.pk, Options(force, admin_origin(request).actor))
        except AlreadyRunning as error:
            messages.error(request, f"{str(error)[:1].upper()}{str(error)[1:]}")
            return self.page_of(run)
        link = link_to_page("stores", "migrationrun", run.pk, str(run))
        messages.success(request, format_html("Undoing {}. Load this page again to see how far it is.", link))
        return self.page_of(by)

    def take_back_all(self, request: HttpRequest, run: MigrationRun) -> str:
        """The same, also of what was changed since."""
        return self.take_back(request, run, force=True)

    acts = {"undo": take_back, "undo-with-force": take_back_all}

    @admin.display(description="undo")
    def undo(self, obj: MigrationRun) -> SafeString | str:
        try:
            find_undoable(obj.pk)
        except ServiceError as error:
            by = MigrationRun.objects.filter(pk=standing_undos().get(obj.pk, 0)).first()
            return format_html("{} {}", str(error), link_to(by)) if by else str(error)
        word = "Bring the import back" if is_redo(obj) else "Undo this import"
        url = reverse("admin:stores_migrationrun_undo", args=(obj.pk,))
        return format_html('<a class="bigagi-link" href="{}">{} …</a>', url, word)


def _link(item: Item, links: dict[tuple[str, str], Any]) -> Any:
    shown = links[item.kind, item.uid]
    return format_html("{} ({})", item.name, shown) if item.name and item.name != item.uid else shown
