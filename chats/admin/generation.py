"""The admin of generations and of what they sent: it shows, and changes nothing."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString

from chats.models import Generation, GenerationEvents
from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import link_to, link_to_list, moment, pretty


@admin.register(Generation)
class GenerationAdmin(ReadOnlyAdmin):
    list_display = ["model_uid", "status", "chat", moment("started"), "source", "actor"]
    list_filter = ["status", "source", "vendor"]
    search_fields = ["uid", "model_uid", "message_uid", "request_id"]
    list_select_related = ["conversation"]
    list_defer = ("start_message", "detail")
    fieldsets = [
        (None, {"fields": ["uid", "status", "detail", "chat", "message_uid", "user_message_uid", "relatives"]}),
        ("Model", {"fields": ["model_uid", "service_uid", "vendor"]}),
        ("Who started it", {"fields": ["source", "actor", "request_id"]}),
        ("Times", {"fields": [moment("started"), moment("ended"), moment("lease_until")]}),
        ("Run", {"fields": ["owner", "sequence", "stop_requested", pretty("start_message")]}),
    ]

    @admin.display(description="chat", ordering="conversation")
    def chat(self, obj: Generation) -> SafeString | str:
        return link_to(obj.conversation)

    @admin.display(description="related")
    def relatives(self, obj: Generation) -> SafeString:
        return format_html(
            "{} · {}",
            link_to_list("chats", "generationevents", "What was sent", generation=obj.pk),
            link_to_list("metrics", "usageevent", "The chat's calls", conversation=obj.conversation.uid),
        )


@admin.register(GenerationEvents)
class GenerationEventsAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "run"]
    list_filter = ["generation__status"]
    search_fields = ["generation__uid"]
    list_select_related = ["generation"]
    list_defer = ("frames", "generation__start_message")
    ordering = ["-id"]
    fields = ["run", "first", "last", "frames"]

    def get_list_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset

    @admin.display(description="generation", ordering="generation")
    def run(self, obj: GenerationEvents) -> SafeString | str:
        return link_to(obj.generation)
