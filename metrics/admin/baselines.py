"""The admin of what browsers counted before bigagi."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.safestring import SafeString

from llms.models import Service
from metrics.models import OtherBaseline, UsageBaseline
from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import ROW_FACTS, column, folded, instant, link_to_page, moment, number, pretty
from stores.records.units import format_dollars


class ServiceLink:
    """A column that links to the service whose id `service_field` holds."""

    service_field: str

    def get_queryset(self, request: Any) -> QuerySet:
        service = Service.objects.filter(uid=OuterRef(self.service_field)).values("pk")[:1]
        queryset: QuerySet = super().get_queryset(request)  # type: ignore[misc]
        return queryset.annotate(service_pk=Subquery(service))

    @admin.display(description="service")
    def service_link(self, obj: Any) -> SafeString | str:
        return link_to_page("llms", "service", obj.service_pk, getattr(obj, self.service_field))


COUNTS = (
    number("usage_count", label="calls"),
    number("total_input_tokens", label="input tokens"),
    number("total_output_tokens", label="output tokens"),
    number("total_costs", label="cost", show=format_dollars),
)


@admin.register(UsageBaseline)
class UsageBaselineAdmin(ServiceLink, ReadOnlyAdmin):
    service_field = "uid"
    empty_text = "What big-AGI counted for each service, before and beside bigagi. It comes with an import."
    list_display = ["uid", "service_link", *COUNTS, moment("last_usage", label="last call")]
    search_fields = ["uid"]
    search_help_text = "Id of the service"
    list_defer = ("extra",)
    fieldsets = [
        (
            None,
            {
                "fields": [
                    *("service_link", *COUNTS, number("total_savings", label="saved by caching", show=format_dollars)),
                    *(moment("first_usage", label="first call"), moment("last_usage", label="last call")),
                    column("device", str, label="browser"),
                ]
            },
        ),
        folded("Internals", "uid", pretty("extra"), *ROW_FACTS),
    ]


DEVICE = column("device", str, label="browser", ordering=True)


@admin.register(OtherBaseline)
class OtherBaselineAdmin(ServiceLink, ReadOnlyAdmin):
    service_field = "service"
    empty_text = "If you import backups of several browsers, what the earlier ones counted is kept here."
    list_display = ["service_link", DEVICE, instant("loaded_at", label="replaced")]
    list_display_links = [DEVICE]
    search_fields = ["=service", "=device"]
    search_help_text = "Whole id of the service or the browser"
    list_defer = ("data",)
    fields = ["service_link", DEVICE, instant("loaded_at", label="replaced"), pretty("data", label="what it counted")]
