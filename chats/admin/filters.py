"""Filters of the chats' lists."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from chats.models import Folder, FolderMembership, Message
from chats.querysets import brought_by
from stores.models import MigrationRun
from stores.records.clock import now_ms

DAY = 24 * 60 * 60 * 1000


class ChangedFilter(admin.SimpleListFilter):
    """By big-AGI's time of the last change, an integer on which a date hierarchy cannot work."""

    title = "last change"
    parameter_name = "changed"
    days = {"1": 1, "7": 7, "30": 30, "365": 365}
    field = "updated"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("1", "Past day"), ("7", "Past 7 days"), ("30", "Past 30 days"), ("365", "Past year"), ("old", "Older")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value = self.value()
        now = now_ms()
        if value in self.days:
            return queryset.filter(**{f"{self.field}__gte": now - self.days[value] * DAY})
        if value == "old":
            return queryset.filter(**{f"{self.field}__lt": now - 365 * DAY})
        return queryset


class CreatedFilter(ChangedFilter):
    title = "creation"
    field = "created"


class FolderFilter(admin.SimpleListFilter):
    title = "folder"
    parameter_name = "folder"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(folder.pk), str(folder)) for folder in Folder.objects.only("title")[:200]]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value = self.value()
        if not value or not value.isdecimal():
            return queryset
        listed = FolderMembership.objects.filter(folder=int(value), conversation_uid=OuterRef("uid"))
        return queryset.filter(Exists(listed))


class RunFilter(admin.SimpleListFilter):
    """By the import that brought or changed the chat."""

    title = "import"
    parameter_name = "run"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        runs = MigrationRun.objects.filter(purpose=MigrationRun.Purpose.IMPORT).only("source_name", "purpose")
        found = [(str(run.pk), str(run)) for run in runs[:50]]
        asked = request.GET.get(self.parameter_name, "")
        # A link to the chats of an import that is long ago.
        if asked.isdecimal() and asked not in dict(found):
            found.append((asked, f"Import {asked}"))
        return found

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value = self.value()
        return brought_by(queryset, int(value)) if value and value.isdecimal() and len(value) < 19 else queryset


class ArchivedFilter(admin.SimpleListFilter):
    """Never archived and unarchived are shown as the same."""

    title = "archive"
    parameter_name = "archived"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Archived"), ("no", "Not archived")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        match self.value():
            case "yes":
                return queryset.filter(is_archived=True)
            case "no":
                return queryset.exclude(is_archived=True)
        return queryset


class RoleFilter(admin.SimpleListFilter):
    """With fixed choices: finding the roles in use would read the whole table."""

    title = "role"
    parameter_name = "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(role.value, str(role.label)) for role in Message.Role]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(role=self.value()) if self.value() else queryset


class FlagFilter(admin.SimpleListFilter):
    title = "flag"
    parameter_name = "flag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("starred", "Starred"), ("aix.skip", "Skipped: not sent to the model")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(user_flags__contains=self.value()) if self.value() else queryset


class FragmentTypeFilter(admin.SimpleListFilter):
    title = "kind of part"
    parameter_name = "pt"
    types = {
        "text": "Text",
        "doc": "Attached document",
        "reference": "Image or audio",
        "image_ref": "Image, as it was stored before",
        "error": "Error",
        "ma": "Reasoning",
        "annotations": "Sources",
        "tool_invocation": "Tool call",
        "tool_response": "Tool result",
        "hosted_resource": "File stored by the provider",
        "ph": "Placeholder",
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(self.types.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(pt=self.value()) if self.value() else queryset
