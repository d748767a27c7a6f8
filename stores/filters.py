"""Filters of the API's lists."""

from typing import Any

import django_filters
from django.db.models import QuerySet

from stores.api.filters import FlagFilter, IntegerFilter
from stores.importers.run import DELETED, OUTCOMES
from stores.models import Change, ChangedRecord, MigrationRun, Revision, RunRecord
from stores.querysets import decided_by


class RunFilterSet(django_filters.FilterSet):
    class Meta:
        model = MigrationRun
        fields = ["status", "purpose", "source_sha256"]


class RunRecordFilterSet(django_filters.FilterSet):
    outcome = django_filters.ChoiceFilter(
        choices=[(one, one) for one in (*OUTCOMES, DELETED)], label="What became of it; only undos delete."
    )
    kind = django_filters.CharFilter(label="The kind of record: conversation, folder, store, …")
    uid = django_filters.CharFilter(label="The id of the record.", strip=False)
    conflicting = FlagFilter("is_conflicting", label="Whether both sides had something that the other has not.")
    kept_aside = FlagFilter("is_kept_aside", label="Whether the file's state is kept as a revision.")
    branch = FlagFilter("is_branch", label="Whether it is a branch of a record of the file: these are not counted.")
    rule = django_filters.CharFilter(method="filter_rule", label="A rule that decided something, or the reason.")

    class Meta:
        model = RunRecord
        fields: list[str] = []

    def filter_rule(self, queryset: QuerySet[RunRecord], name: str, value: Any) -> QuerySet[RunRecord]:
        return decided_by(queryset, value)


class RevisionFilterSet(django_filters.FilterSet):
    kind = django_filters.CharFilter(label="What it is a revision of: conversation, store, folder, …")
    uid = django_filters.CharFilter(label="The id of the record.", strip=False)
    reason = django_filters.ChoiceFilter(choices=Revision.Reason.choices, label="Why it is kept.")
    run = IntegerFilter("run_id", label="The import that kept it.")

    class Meta:
        model = Revision
        fields: list[str] = []


class ChangeFilterSet(django_filters.FilterSet):
    after = IntegerFilter("id", "gt", label="Only entries newer than this one; use it to follow changes.")
    source = django_filters.ChoiceFilter(choices=Change.Source.choices, label="Where the change came from.")
    actor = django_filters.CharFilter(label="Who made it.", strip=False)
    action = django_filters.CharFilter(label="What was done, such as: replace chat.")
    request = django_filters.CharFilter("request_id", label="The request id.")
    kind = django_filters.CharFilter(method="filter_kind", label="The kind of record: conversation, folder, store, …")
    uid = django_filters.CharFilter(method="filter_uid", label="The id of a changed record.", strip=False)
    since = django_filters.IsoDateTimeFilter("at", "gte", label="Made at or after this time (ISO 8601).")
    until = django_filters.IsoDateTimeFilter("at", "lt", label="Made before this time (ISO 8601).")

    class Meta:
        model = Change
        fields: list[str] = []

    def filter_kind(self, queryset: QuerySet[Change], name: str, value: Any) -> QuerySet[Change]:
        return queryset.filter(pk__in=ChangedRecord.objects.filter(kind=value).order_by().values("change"))

    def filter_uid(self, queryset: QuerySet[Change], name: str, value: Any) -> QuerySet[Change]:
        return queryset.filter(pk__in=ChangedRecord.objects.filter(uid=value).order_by().values("change"))
