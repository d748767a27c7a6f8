"""The admin of generations and of what they sent: it shows, and changes nothing."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString

from chats.models import Generation, GenerationEvents
from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import column, folded, link_to, link_to_list, moment, pretty, show_block, show_status
from stores.admin.filters import by_choice, by_value
from stores.records.formatting import format_text

STATUS = column("status", show_status, ordering=True)
MODEL = column("model_uid", str, label="model", ordering=True)


@admin.register(Generation)
class GenerationAdmin(ReadOnlyAdmin):
    empty_text = "Each answer that a model writes, on the chat page or over the API, is listed here as it runs."
    list_display = [MODEL, STATUS, "chat", moment("started"), "source", "actor"]
    list_filter = [
        by_choice("status", "status"),
        by_value("source", "where it was asked"),
        by_value("vendor", "vendor"),
    ]
    search_fields = ["uid", "model_uid", "message_uid", "request_id"]
    search_help_text = "Model, or id of message or request"
    list_select_related = ["conversation"]
    list_defer = ("start_message", "detail")
    fieldsets = [
        (None, {"fields": [STATUS, column("detail", str, label="what went wrong"), "chat", "relatives"]}),
        ("Model", {"fields": [MODEL, column("service_uid", str, label="service"), "vendor"]}),
        ("Who started it", {"fields": ["source", "actor", moment("started"), moment("ended")]}),
        folded(
            "Internals",
            *("uid", "message_uid", "user_message_uid", "request_id", moment("lease_until"), "owner", "sequence"),
            *("stop_requested", pretty("start_message")),
        ),
    ]

    @admin.display(description="chat", ordering="conversation")
    def chat(self, obj: Generation) -> SafeString | str:
        return link_to(obj.conversation)

    @admin.display(description="related")
    def relatives(self, obj: Generation) -> SafeString:
        return format_html(
            "{} · {}",
            link_to_list("chats", "generationevents", "What was streamed", generation=obj.pk),
            link_to_list("metrics", "usageevent", "The chat's calls", conversation=obj.conversation.uid),
        )


FRAMES = column("frames", lambda text: show_block(format_text(text), "frames"))


@admin.register(GenerationEvents)
class GenerationEventsAdmin(ReadOnlyAdmin):
    empty_text = (
        "The pieces of a running answer are kept here until ten minutes after its end, for browsers that join late."
    )
    list_display = ["__str__", "run"]
    list_filter = [by_choice("generation__status", "status of the answer")]
    search_fields = ["generation__uid"]
    search_help_text = "Id of the generation"
    list_select_related = ["generation"]
    list_defer = ("frames", "generation__start_message")
    ordering = ["-id"]
    fields = ["run", "first", "last", FRAMES]

    def get_list_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset

    @admin.display(description="generation", ordering="generation")
    def run(self, obj: GenerationEvents) -> SafeString | str:
        return link_to(obj.generation)
