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
    column,
    folded,
    instant,
    link_to_list,
    link_to_page,
    moment,
    number,
    pretty,
    show_instant,
    show_table,
    yes_no,
)
from stores.admin.filters import by_value, by_yes_no
from stores.admin.writes import ActingAdmin
from stores.records.formatting import NOTHING
from stores.records.json_values import text_or_empty
from stores.records.units import format_count

VENDOR = column("vendor_id", str, label="vendor", ordering=True)
SERVICE = column("service_uid", str, label="service", ordering=True)
REFUSING_MODEL = column("model_ref", str, label="model", ordering=True)


def _key_of(model: type[Any], uid: str) -> Subquery:
    return Subquery(model.objects.filter(uid=OuterRef(uid)).values("pk")[:1])


@admin.register(Service)
class ServiceAdmin(ActingAdmin):
    empty_text = "A service is a provider that you have a key for. Add one under Services, or import a big-AGI backup."
    list_display = ["__str__", VENDOR, "models_number", "uid", number("position", label="place")]
    list_filter = [by_value("vendor_id", "vendor")]
    search_fields = ["uid", "label", "vendor_id"]
    search_help_text = "Name, vendor or id"
    list_defer = ("setup", "extra")
    fieldsets = [
        (None, {"fields": [column("label", str, label="name"), VENDOR, "relatives", "refused", pretty("setup")]}),
        folded("Internals", "uid", "position", pretty("extra"), *ROW_FACTS),
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
    def models_number(self, obj: Any) -> SafeString | str:
        return link_to_list("llms", "model", obj.number_of_models, service_uid=obj.uid)

    @admin.display(description="related")
    def relatives(self, obj: Service) -> SafeString:
        return format_html(
            "{} · {} · {} · {}",
            link_to_list("llms", "model", "Models", service_uid=obj.uid),
            link_to_list("llms", "model", "Hidden models", service_uid=obj.uid, hidden__exact=1),
            link_to_list("metrics", "usagebaseline", "Usage totals", uid=obj.uid),
            link_to_list("metrics", "usageevent", "Calls", service=obj.uid),
        )

    @admin.display(description="refused parameters")
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
    empty_text = (
        "When a service refuses an optional parameter, calls leave it out for 30 days. Such parameters are listed here."
    )
    list_display = ["parameter", SERVICE, REFUSING_MODEL, instant("refused_at", label="refused")]
    list_filter = [by_value("parameter", "parameter")]
    search_fields = ["service_uid", "model_ref", "parameter"]
    search_help_text = "Parameter, service or model"
    fields = ["parameter", SERVICE, REFUSING_MODEL, "address", instant("refused_at", label="refused"), "send_again"]

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
    messages.success(request, f"{format_count(count, 'parameter')} will be sent again with the next call.")


@admin.register(Model)
class ModelAdmin(ReadOnlyAdmin):
    empty_text = "Models are listed here once you have added a service with its key under Services."
    list_display = [
        *("__str__", "service_link", VENDOR, "marks", number("context_tokens", label="context window")),
        number("position", label="place"),
    ]
    list_filter = [
        *(
            by_value("vendor_id", "vendor"),
            by_value("service_uid", "service"),
            by_yes_no("user_starred", "your favourites"),
        ),
        *(by_yes_no("user_hidden", "hidden by you"), by_yes_no("hidden", "hidden by big-AGI")),
    ]
    search_fields = ["uid", "label", "user_label", "llm_ref"]
    search_help_text = "Name or id"
    list_defer = ("interfaces", "pricing", "extra", "description")
    fieldsets = [
        (None, {"fields": [column("label", str, label="name"), "service_link", VENDOR, "description", "relatives"]}),
        (
            "Your settings",
            {
                "fields": [
                    column("user_label", str, label="your name for it"),
                    yes_no("user_starred", label="favourite"),
                    yes_no("user_hidden", label="hidden"),
                ]
            },
        ),
        (
            "What it can do, and prices",
            {
                "fields": [
                    number("context_tokens", label="context window (tokens)"),
                    number("max_output_tokens", label="longest answer (tokens)"),
                    *(pretty("pricing", label="prices"), pretty("interfaces", label="abilities")),
                ]
            },
        ),
        folded(
            "Internals",
            *("uid", "service_uid", column("llm_ref", str, label="the vendor's id"), "position"),
            *(yes_no("hidden", label="hidden by big-AGI"), "why_hidden"),
            *(moment("created", unit="seconds"), moment("updated", unit="seconds"), "pub_date", pretty("extra")),
            *ROW_FACTS,
        ),
    ]

    def get_queryset(self, request: Any) -> QuerySet:
        label = Subquery(Service.objects.filter(uid=OuterRef("service_uid")).values("label")[:1])
        queryset = super().get_queryset(request)
        return queryset.annotate(service_pk=_key_of(Service, "service_uid"), service_label=label)

    @admin.display(description="service", ordering="service_uid")
    def service_link(self, obj: Any) -> SafeString | str:
        return link_to_page("llms", "service", obj.service_pk, obj.service_label or obj.service_uid)

    @admin.display(description="favourite or hidden", ordering="user_starred")
    def marks(self, obj: Model) -> str:
        is_hidden = obj.hidden if obj.user_hidden is None else obj.user_hidden
        return (
            ", ".join(mark for mark, holds in (("favourite", obj.user_starred), ("hidden", is_hidden)) if holds)
            or NOTHING
        )

    @admin.display(description="why a refresh has hidden it")
    def why_hidden(self, obj: Model) -> str:
        return text_or_empty((obj.extra or {}).get("hiddenReason"))

    @admin.display(description="where it is used")
    def relatives(self, obj: Model) -> SafeString:
        return format_html(
            "{} · {} · {}",
            link_to_list("chats", "message", "Messages it wrote", model_id=obj.uid),
            link_to_list("llms", "assignment", "Assignments", model_uid=obj.uid),
            link_to_list("metrics", "usageevent", "Calls", model=obj.uid),
        )


@admin.register(Assignment)
class AssignmentAdmin(ReadOnlyAdmin):
    empty_text = (
        "Which model is used for what: primaryChat is the default for chats. Without an assignment, one is chosen "
        "automatically."
    )
    list_display = [column("uid", str, label="used for", ordering=True), "model_link"]
    search_fields = ["uid", "model_uid"]
    search_help_text = "Use, such as primaryChat, or model"
    list_defer = ("extra",)
    fieldsets = [
        (None, {"fields": [column("uid", str, label="used for"), "model_link"]}),
        folded("Internals", pretty("extra"), *ROW_FACTS),
    ]

    def get_queryset(self, request: Any) -> QuerySet:
        return super().get_queryset(request).annotate(model_pk=_key_of(Model, "model_uid"))

    @admin.display(description="model", ordering="model_uid")
    def model_link(self, obj: Any) -> SafeString | str:
        return link_to_page("llms", "model", obj.model_pk, obj.model_uid)
