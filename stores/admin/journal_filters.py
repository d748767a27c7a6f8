"""Filters of the list of changes."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from stores.importers.words import name_kind
from stores.models import Change, ChangedRecord
from stores.records import registry
from stores.records.journal.lists import DAMAGED, POSITIONS

LATEST = 10_000
"""Changes among which a filter looks for what it can offer: reading all of a long journal takes long."""


class _LatestFilter(admin.SimpleListFilter):
    """By a column whose values are not known beforehand."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        name = str(self.parameter_name)
        newest = Change.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        latest = Change.objects.filter(pk__gt=newest - LATEST).exclude(**{name: ""})
        values = latest.order_by(name).values_list(name, flat=True).distinct()
        return [(value, value) for value in values[:50]]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class ActionFilter(_LatestFilter):
    title = "what was done"
    parameter_name = "action"


class ActorFilter(_LatestFilter):
    title = "who did it"
    parameter_name = "actor"


class KindFilter(admin.SimpleListFilter):
    title = "kind of record"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        kinds = (collection.kind for collection in registry.all_collections())
        return [(kind, name_kind(kind)) for kind in ("store", *kinds, POSITIONS, DAMAGED)]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        if not self.value():
            return queryset
        return queryset.filter(Exists(ChangedRecord.objects.filter(change=OuterRef("pk"), kind=self.value())))


class OutcomeFilter(admin.SimpleListFilter):
    title = "outcome"
    parameter_name = "happened"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("gone", "Deleted, can be restored"),
            ("deleted", "Deleted"),
            ("updated", "Changed"),
            ("created", "Created"),
            ("undone", "Undone"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value = self.value()
        if value == "undone":
            return queryset.filter(Exists(Change.objects.filter(undoes=OuterRef("pk"))))
        if value == "gone":
            # What undo deleted again was created by a change that is still there.
            queryset = queryset.filter(is_purged=False, undoes=None).exclude(source=Change.Source.IMPORT)
            queryset = queryset.exclude(Exists(Change.objects.filter(undoes=OuterRef("pk"))))
            value = "deleted"
        if value not in ("deleted", "updated", "created"):
            return queryset
        return queryset.filter(Exists(ChangedRecord.objects.filter(change=OuterRef("pk"), action=value)))
