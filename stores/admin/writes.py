"""Actions of the admin: a button sends a POST, a service does the work and writes the journal."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from stores.admin.base import ReadOnlyAdmin
from stores.api.request_ids import request_id_of
from stores.models import Change
from stores.records.errors import Invalid, ServiceError
from stores.records.formatting import shorten
from stores.records.journal.recorder import Origin

Act = Callable[[Any, HttpRequest, Any], str]
"""Performs an action on a row, and returns where to redirect. Raises `ServiceError`."""


class ActingAdmin(ReadOnlyAdmin):
    """A read-only admin with buttons. What they do is done by services, so that nothing goes past the journal."""

    acts: ClassVar[Mapping[str, Act]] = {}
    """What the buttons of a record's page do, by the last part of the address."""

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_act"
        return [
            path("<int:pk>/do/<slug:act>/", self.admin_site.admin_view(self.act_view), name=name),
            *super().get_urls(),
        ]

    def act_view(self, request: HttpRequest, pk: int, act: str) -> HttpResponse:
        """Do what a button says, and tell what became of it on the page that comes next."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = self.get_object(request, str(pk)) if act in self.acts else None
        if row is None:
            raise Http404
        if not self.has_view_permission(request, row):
            raise PermissionDenied
        try:
            return HttpResponseRedirect(self.acts[act](self, request, row))
        except ServiceError as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(self.page_of(row))

    def page_of(self, row: models.Model) -> str:
        """Return the address of the row's page."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=(row.pk,))

    def list_page(self) -> str:
        """Return the address of the list."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")


def admin_origin(request: HttpRequest) -> Origin:
    """Return who changes something in the admin, for the journal."""
    return Origin(Change.Source.ADMIN, request.user.get_username(), request_id_of(request))


def read_form(form: Form) -> dict[str, Any]:
    """Return what a form of a page brought. Raises `Invalid` with what is wrong with it."""
    if not form.is_valid():
        faults = [f"{form.fields[name].label}: {text}" for name, texts in form.errors.items() for text in texts]
        raise Invalid(" ".join(faults))
    return form.cleaned_data


def tell_change(request: HttpRequest, change: Change | None, done: str) -> None:
    """Say what was done, with a link to the journal's entry and a button that takes it back."""
    if change is None:
        messages.info(request, f"{done}: no change was needed.")
        return
    messages.success(request, format_html("{} {}", f"{done}.", offer_undo(change)))


def offer_undo(change: Change) -> SafeString:
    """Return a button that undoes the change, and a link to it. The button sends the form that every admin page has."""
    return format_html(
        '<span class="bigagi-offer"><button class="bigagi-button" type="submit" form="bigagi-post" formaction="{}">'
        "Undo</button> "
        '<a class="bigagi-link" href="{}">Change {}</a></span>',
        reverse("admin:stores_change_act", args=(change.pk, "undo")),
        reverse("admin:stores_change_change", args=(change.pk,)),
        change.pk,
    )


def named(text: str) -> str:
    """Return a title as messages tell it."""
    return f"“{shorten(text, 60)}”"
