"""The admin of workspaces and live files."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import (
    ROW_FACTS,
    column,
    folded,
    link_to,
    link_to_list,
    link_to_page,
    moment,
    number,
    pretty,
    size_of,
    whole,
)
from stores.admin.filters import by_value
from stores.records.formatting import NOTHING
from workspace.models import LiveFile, Workspace, WorkspaceFile


def _with_file_key(queryset: QuerySet) -> QuerySet:
    return queryset.annotate(file_pk=Subquery(LiveFile.objects.filter(uid=OuterRef("file_uid")).values("pk")[:1]))


@admin.register(Workspace)
class WorkspaceAdmin(ReadOnlyAdmin):
    empty_text = "Each chat with live files has a workspace. Workspaces come with an import."
    list_display = ["uid", "conversation_link", number("file_count", label="files")]
    search_fields = ["uid"]
    search_help_text = "Id of the chat"
    list_defer = ("extra",)
    fieldsets = [
        (None, {"fields": ["conversation_link", "file_list"]}),
        folded("Internals", "uid", pretty("extra"), *ROW_FACTS),
    ]

    def get_list_queryset(self, queryset: QuerySet) -> QuerySet:
        return queryset.annotate(file_count=Count("files"))

    @admin.display(description="chat")
    def conversation_link(self, obj: Workspace) -> SafeString | str:
        return link_to_list("chats", "conversation", "The chat of this workspace", uid=obj.uid)

    @admin.display(description="files")
    def file_list(self, obj: Workspace) -> SafeString | str:
        files = _with_file_key(obj.files.order_by("position"))
        links = format_html_join(
            "", "<li>{}</li>", ((link_to_page("workspace", "livefile", row.file_pk, row.file_uid),) for row in files)
        )
        return format_html('<ul class="bigagi-list">{}</ul>', links) if links else NOTHING


WORKSPACE = column("workspace", link_to, ordering=True)


@admin.register(WorkspaceFile)
class WorkspaceFileAdmin(ReadOnlyAdmin):
    empty_text = "Which live files belong to which chat. They come with an import."
    list_display = ["__str__", WORKSPACE, "file_link", number("position", label="place")]
    search_fields = ["file_uid", "workspace__uid"]
    search_help_text = "Id of the file or of the chat"
    list_select_related = ["workspace"]
    ordering = ["-id"]
    fields = [WORKSPACE, "file_link", number("position", label="place")]

    def get_queryset(self, request: Any) -> QuerySet:
        return _with_file_key(super().get_queryset(request))

    @admin.display(description="file")
    def file_link(self, obj: Any) -> SafeString | str:
        return link_to_page("workspace", "livefile", obj.file_pk, obj.file_uid)


TYPE = column("type", str, label="file type", ordering=True)


@admin.register(LiveFile)
class LiveFileAdmin(ReadOnlyAdmin):
    empty_text = "Text files that big-AGI paired with files on your disk. They come with an import."
    list_display = ["__str__", TYPE, size_of("size"), moment("last_modified", label="last change"), moment("created")]
    list_filter = [by_value("type", "file type")]
    search_fields = ["uid", "name"]
    search_help_text = "Name or id"
    list_defer = ("content", "extra")
    downloads = {"content": "txt"}
    fieldsets = [
        (
            None,
            {
                "fields": [
                    *("name", whole("content"), TYPE, size_of("size"), "workspaces"),
                    *(moment("last_modified", label="last change"), moment("created")),
                ]
            },
        ),
        folded("Internals", "uid", number("revision"), pretty("extra"), *ROW_FACTS),
    ]

    @admin.display(description="workspaces")
    def workspaces(self, obj: LiveFile) -> SafeString | str:
        links = [link_to(row) for row in Workspace.objects.filter(files__file_uid=obj.uid)[:100]]
        return format_html_join(" · ", "{}", ((link,) for link in links)) or NOTHING
