"""The admin of what browsers counted before bigagi."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.safestring import SafeString

from llms.models import Service
from metrics.models import OtherBaseline, UsageBaseline
from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import ROW_FACTS, column, instant, link_to_page, moment, pretty


def format_usd(value: float) -> str:
    """Return dollars with as many digits as small sums need."""
    return f"$ {value:.6f}".rstrip("0").rstrip(".")


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


@admin.register(UsageBaseline)
class UsageBaselineAdmin(ServiceLink, ReadOnlyAdmin):
    service_field = "uid"
    list_display = [
        *("uid", "service_link", "usage_count", "total_input_tokens", "total_output_tokens"),
        *(column("total_costs", format_usd, label="cost", ordering=True), moment("last_usage", label="last call")),
    ]
    search_fields = ["uid"]
    list_defer = ("extra",)
    fields = [
        *("uid", "service_link", "usage_count", "total_input_tokens", "total_output_tokens"),
        *(column("total_costs", format_usd), column("total_savings", format_usd)),
        *(moment("first_usage"), moment("last_usage"), "device", pretty("extra"), *ROW_FACTS),
    ]


@admin.register(OtherBaseline)
class OtherBaselineAdmin(ServiceLink, ReadOnlyAdmin):
    service_field = "service"
    list_display = ["service_link", "device", instant("loaded_at", label="replaced")]
    list_display_links = ["device"]
    search_fields = ["=service", "=device"]
    list_defer = ("data",)
    fields = ["service_link", "device", instant("loaded_at", label="replaced"), pretty("data", label="what it counted")]
