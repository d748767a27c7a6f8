"""The admin of services, models and assignments."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from llms.catalog import address_of_service
from llms.models import Assignment, Model, RefusedParameter, Service
from llms.refused import KEPT, current_refusals, forget_refusals
from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import (
    ROW_FACTS,
    instant,
    link_to_list,
    link_to_page,
    moment,
    pretty,
    show_instant,
    show_table,
)
from stores.admin.writes import ActingAdmin
from stores.records.formatting import NOTHING
from stores.records.json_values import text_or_empty


def _key_of(model: type[Any], uid: str) -> Subquery:
    return Subquery(model.objects.filter(uid=OuterRef(uid)).values("pk")[:1])


@admin.register(Service)
class ServiceAdmin(ActingAdmin):
    list_display = ["__str__", "uid", "vendor_id", "model_count", "position"]
    list_filter = ["vendor_id"]
    search_fields = ["uid", "label", "vendor_id"]
    list_defer = ("setup", "extra")
    fields = [
        *("label", "uid", "vendor_id", "relatives", "refused", pretty("setup"), pretty("extra")),
        *("position", *ROW_FACTS),
    ]

    def forget(self, request: HttpRequest, service: Service) -> str:
        """Send what the service refused again with the next call."""
        _tell_forgotten(request, forget_refusals(RefusedParameter.objects.filter(service_uid=service.uid)))
        return self.page_of(service)

    acts = {"forget": forget}

    def get_list_queryset(self, queryset: QuerySet) -> QuerySet:
        models = Model.objects.filter(service_uid=OuterRef("uid")).order_by().values("service_uid")
        counted = Subquery(models.annotate(number=Count("pk")).values("number"), output_field=IntegerField())
        return queryset.annotate(number_of_models=Coalesce(counted, 0))

    @admin.display(description="models", ordering="number_of_models")
    def model_count(self, obj: Any) -> SafeString | str:
        return link_to_list("llms", "model", obj.number_of_models, service_uid=obj.uid)

    @admin.display(description="related")
    def relatives(self, obj: Service) -> SafeString:
        return format_html(
            "{} · {} · {} · {}",
            link_to_list("llms", "model", "Models", service_uid=obj.uid),
            link_to_list("llms", "model", "Hidden models", service_uid=obj.uid, hidden__exact=1),
            link_to_list("metrics", "usagebaseline", "Usage totals", uid=obj.uid),
            link_to_list("metrics", "usageevent", "Usage events", service=obj.uid),
        )

    @admin.display(description="refused")
    def refused(self, obj: Service) -> SafeString | str:
        """Parameters that are left out of calls, because the service refused them."""
        rows = current_refusals({obj.uid: address_of_service(obj)})[obj.uid]
        if not rows:
            return NOTHING
        return format_html(
            "{}{}",
            show_table(
                "What calls leave out, because the service refused it",
                ["Parameter", "Model", "Refused", "Tried again"],
                [(row.parameter, row.model_ref or "any", *map(show_instant, _times_of(row))) for row in rows],
            ),
            _button(obj, "Send them again"),
        )


@admin.register(RefusedParameter)
class RefusedParameterAdmin(ActingAdmin):
    list_display = ["parameter", "service_uid", "model_ref", instant("refused_at")]
    list_filter = ["parameter"]
    search_fields = ["service_uid", "model_ref", "parameter"]
    fields = ["parameter", "service_uid", "model_ref", "address", instant("refused_at"), "send_again"]

    def forget(self, request: HttpRequest, row: RefusedParameter) -> str:
        """Send the parameter again with the next call."""
        _tell_forgotten(request, forget_refusals(RefusedParameter.objects.filter(pk=row.pk)))
        return self.list_page()

    acts = {"forget": forget}

    @admin.display(description="send again")
    def send_again(self, obj: RefusedParameter) -> SafeString:
        return _button(obj, "Send it again with the next call")


def _times_of(row: RefusedParameter) -> tuple[datetime, datetime]:
    return row.refused_at, row.refused_at + KEPT


def _button(row: Any, label: str) -> SafeString:
    name = f"admin:llms_{row._meta.model_name}_act"
    return format_html(
        '<button class="bigagi-button" type="submit" form="bigagi-post" formaction="{}">{}</button>',
        reverse(name, args=(row.pk, "forget")),
        label,
    )


def _tell_forgotten(request: HttpRequest, count: int) -> None:
    what = "1 parameter" if count == 1 else f"{count} parameters"
    messages.success(request, f"{what} will be sent again with the next call.")


@admin.register(Model)
class ModelAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "service_link", "vendor_id", "marks", "context_tokens", "position"]
    list_filter = ["vendor_id", "service_uid", "hidden", "user_hidden", "user_starred"]
    search_fields = ["uid", "label", "user_label", "llm_ref"]
    list_defer = ("interfaces", "pricing", "extra", "description")
    fieldsets = [
        (None, {"fields": ["label", "uid", "service_uid", "service_link", "vendor_id", "llm_ref", "relatives"]}),
        (
            "From the vendor",
            {"fields": ["description", "hidden", "why_hidden", "context_tokens", "max_output_tokens"]},
        ),
        ("Your settings", {"fields": ["user_label", "user_hidden", "user_starred"]}),
        (
            "Times",
            {"fields": [moment("created", unit="seconds"), moment("updated", unit="seconds"), "pub_date"]},
        ),
        ("Details", {"fields": [pretty("pricing"), pretty("interfaces"), pretty("extra")]}),
        ("Row", {"fields": ["position", *ROW_FACTS]}),
    ]

    def get_queryset(self, request: Any) -> QuerySet:
        return super().get_queryset(request).annotate(service_pk=_key_of(Service, "service_uid"))

    @admin.display(description="service", ordering="service_uid")
    def service_link(self, obj: Any) -> SafeString | str:
        return link_to_page("llms", "service", obj.service_pk, obj.service_uid)

    @admin.display(description="marks", ordering="user_starred")
    def marks(self, obj: Model) -> str:
        is_hidden = obj.hidden if obj.user_hidden is None else obj.user_hidden
        return ", ".join(mark for mark, holds in (("starred", obj.user_starred), ("hidden", is_hidden)) if holds)

    @admin.display(description="why a refresh has hidden it")
    def why_hidden(self, obj: Model) -> str:
        return text_or_empty((obj.extra or {}).get("hiddenReason"))

    @admin.display(description="where it is used")
    def relatives(self, obj: Model) -> SafeString:
        return format_html(
            "{} · {} · {}",
            link_to_list("chats", "message", "Messages it wrote", model_id=obj.uid),
            link_to_list("llms", "assignment", "Assignments", model_uid=obj.uid),
            link_to_list("metrics", "usageevent", "Usage events", model=obj.uid),
        )


@admin.register(Assignment)
class AssignmentAdmin(ReadOnlyAdmin):
    list_display = ["uid", "model_link"]
    search_fields = ["uid", "model_uid"]
    list_defer = ("extra",)
    fields = ["uid", "model_link", pretty("extra"), *ROW_FACTS]

    def get_queryset(self, request: Any) -> QuerySet:
        return super().get_queryset(request).annotate(model_pk=_key_of(Model, "model_uid"))

    @admin.display(description="model", ordering="model_uid")
    def model_link(self, obj: Any) -> SafeString | str:
        return link_to_page("llms", "model", obj.model_pk, obj.model_uid)
