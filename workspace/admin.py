"""The admin of workspaces and live files."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import ROW_FACTS, column, link_to, link_to_list, link_to_page, moment, pretty, size_of, whole
from stores.records.formatting import NOTHING
from workspace.models import LiveFile, Workspace, WorkspaceFile


def _with_file_key(queryset: QuerySet) -> QuerySet:
    return queryset.annotate(file_pk=Subquery(LiveFile.objects.filter(uid=OuterRef("file_uid")).values("pk")[:1]))


@admin.register(Workspace)
class WorkspaceAdmin(ReadOnlyAdmin):
    list_display = ["uid", "conversation_link", "number_of_files"]
    search_fields = ["uid"]
    list_defer = ("extra",)
    fields = ["uid", "conversation_link", "file_list", pretty("extra"), *ROW_FACTS]

    def get_list_queryset(self, queryset: QuerySet) -> QuerySet:
        return queryset.annotate(file_count=Count("files"))

    @admin.display(description="chat")
    def conversation_link(self, obj: Workspace) -> SafeString | str:
        return link_to_list("chats", "conversation", "The chat of this workspace", uid=obj.uid)

    @admin.display(description="files", ordering="file_count")
    def number_of_files(self, obj: Any) -> int:
        return obj.file_count

    @admin.display(description="files")
    def file_list(self, obj: Workspace) -> SafeString | str:
        files = _with_file_key(obj.files.order_by("position"))
        links = format_html_join(
            "", "<li>{}</li>", ((link_to_page("workspace", "livefile", row.file_pk, row.file_uid),) for row in files)
        )
        return format_html('<ul class="bigagi-list">{}</ul>', links) if links else NOTHING


@admin.register(WorkspaceFile)
class WorkspaceFileAdmin(ReadOnlyAdmin):
    list_display = ["__str__", column("workspace", link_to, ordering=True), "file_link", "position"]
    search_fields = ["file_uid", "workspace__uid"]
    list_select_related = ["workspace"]
    ordering = ["-id"]
    fields = ["workspace", "file_link", "position"]

    def get_queryset(self, request: Any) -> QuerySet:
        return _with_file_key(super().get_queryset(request))

    @admin.display(description="file")
    def file_link(self, obj: Any) -> SafeString | str:
        return link_to_page("workspace", "livefile", obj.file_pk, obj.file_uid)


@admin.register(LiveFile)
class LiveFileAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "type", size_of("size"), moment("last_modified"), moment("created")]
    list_filter = ["type"]
    search_fields = ["uid", "name"]
    list_defer = ("content", "extra")
    downloads = {"content": "txt"}
    fields = [
        *("name", "uid", "type", size_of("size"), "workspaces", whole("content"), pretty("extra")),
        *(moment("last_modified"), moment("created"), "revision", *ROW_FACTS),
    ]

    @admin.display(description="workspaces")
    def workspaces(self, obj: LiveFile) -> SafeString | str:
        links = [link_to(row) for row in Workspace.objects.filter(files__file_uid=obj.uid)[:100]]
        return format_html_join(" · ", "{}", ((link,) for link in links)) or NOTHING
