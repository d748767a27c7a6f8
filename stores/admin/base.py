"""The base class of all admins: read-only, with lists that stay fast at any length."""

from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.utils.text import capfirst
from unfold.admin import ModelAdmin
from unfold.views import ChangeList

from stores.records.formatting import format_json, format_text


class UnrepeatedCountList(ChangeList):
    """Knows without asking again that an unfiltered list shows all rows; else its title would offer to show all."""

    full_result_count: int | None

    def get_queryset(self, request: HttpRequest, exclude_parameters: list[str | None] | None = None) -> QuerySet:
        queryset = super().get_queryset(request, exclude_parameters)
        try:
            _, values = queryset.query.sql_with_params()
        except EmptyResultSet:
            return queryset
        # Databases take neither, and would tell so only in the middle of the page.
        if any(_is_too_long(value) or (isinstance(value, str) and "\0" in value) for value in values):
            raise IncorrectLookupParameters
        return queryset

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if self.full_result_count is None and not (self.query or self.get_filters_params()):
            self.full_result_count = self.result_count


def _is_too_long(value: Any) -> bool:
    return isinstance(value, int) and value.bit_length() > 63


class ReadOnlyAdmin(ModelAdmin):
    """A read-only admin. All changes go through services, and therefore into the journal."""

    actions = None
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 200
    list_fullwidth = True
    show_facets = False
    compressed_fields = True
    empty_value_display = "–"

    empty_text: str = ""
    """What an empty list says: what would be here, and how it gets here."""
    list_defer: tuple[str, ...] = ()
    """Columns that a list does not need and that can be large."""
    downloads: dict[str, str] = {}
    """Fields whose whole value can be downloaded, with their file extensions (json or txt)."""

    def has_view_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return bool(request.user.is_active and getattr(request.user, "is_staff", False))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        # By the name that the navigation has too. Django's own says "Select … to view".
        title = {"title": capfirst(str(self.opts.verbose_name_plural))}
        return super().changelist_view(request, title | (extra_context or {}))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        title = {"title": capfirst(str(self.opts.verbose_name))}
        return super().changeform_view(request, object_id, form_url, title | (extra_context or {}))

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return UnrepeatedCountList

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        queryset = super().get_queryset(request)
        match = request.resolver_match
        if match is not None and (match.url_name or "").endswith("_changelist"):
            return self.get_list_queryset(queryset.defer(*self.list_defer))
        return queryset

    def get_list_queryset(self, queryset: QuerySet) -> QuerySet:
        """Return the queryset of the list, with all that its columns need."""
        return queryset

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_download"
        view = self.admin_site.admin_view(self.download_view)
        return [path("<path:object_id>/download/<slug:field>/", view, name=name), *super().get_urls()]

    def download_view(self, request: HttpRequest, object_id: str, field: str) -> HttpResponse:
        """Answer with the whole of a field as a file, secrets masked."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None or field not in self.downloads:
            raise Http404
        return self.file_response(
            f"{self.opts.model_name}-{obj.pk}-{field}", self.downloads[field], getattr(obj, field)
        )

    def file_response(self, name: str, extension: str, value: Any) -> HttpResponse:
        """Answer with a value as a file that no browser shows as a page."""
        text = format_text(value) if isinstance(value, str) else format_json(value)
        content_type = "application/json" if extension == "json" else "text/plain; charset=utf-8"
        headers = {
            "Content-Disposition": f'attachment; filename="{name}.{extension}"',
            "X-Content-Type-Options": "nosniff",
        }
        return HttpResponse(text, content_type=content_type, headers=headers)
