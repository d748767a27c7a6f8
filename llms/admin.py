"""The admin of services, models and assignments."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.html import format_html
from django.utils.safestring import SafeString

from llms.models import Assignment, Model, Service
from stores.admin_base import ReadOnlyAdmin
from stores.admin_display import ROW_FACTS, link_to_list, link_to_page, moment, pretty


def _key_of(model: type[Any], uid: str) -> Subquery:
    return Subquery(model.objects.filter(uid=OuterRef(uid)).values("pk")[:1])


@admin.register(Service)
class ServiceAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "uid", "vendor_id", "model_count", "position"]
    list_filter = ["vendor_id"]
    search_fields = ["uid", "label", "vendor_id"]
    list_defer = ("setup", "extra")
    fields = [
        *("label", "uid", "vendor_id", "relatives", pretty("setup"), pretty("extra")),
        *("position", *ROW_FACTS),
    ]

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
            "{} · {} · {}",
            link_to_list("llms", "model", "Models", service_uid=obj.uid),
            link_to_list("metrics", "usagebaseline", "Usage totals", uid=obj.uid),
            link_to_list("metrics", "usageevent", "Usage events", service=obj.uid),
        )


@admin.register(Model)
class ModelAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "service_link", "vendor_id", "marks", "context_tokens", "position"]
    list_filter = ["vendor_id", "service_uid", "hidden", "user_hidden", "user_starred"]
    search_fields = ["uid", "label", "user_label", "llm_ref"]
    list_defer = ("interfaces", "pricing", "extra", "description")
    fieldsets = [
        (None, {"fields": ["label", "uid", "service_uid", "service_link", "vendor_id", "llm_ref", "relatives"]}),
        ("From the vendor", {"fields": ["description", "hidden", "context_tokens", "max_output_tokens"]}),
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
