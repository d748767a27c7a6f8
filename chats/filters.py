"""Filters of the API's lists."""

from typing import Any

import django_filters
from django.db.models import QuerySet

from chats.models import Asset, Conversation
from chats.querysets import brought_by, in_folder, not_pinned, pinned, with_model, with_title
from stores.api.filters import FlagFilter, IntegerFilter, MillisecondsFilter


class ConversationFilterSet(django_filters.FilterSet):
    archived = FlagFilter(method="filter_archived", label="Whether the chat is archived.")
    pinned = FlagFilter(method="filter_pinned", label="Whether the chat is pinned.")
    folder = django_filters.CharFilter(method="filter_folder", label="The id of a folder.", strip=False)
    persona = django_filters.CharFilter("system_purpose_id", label="The persona (systemPurposeId).", strip=False)
    model = django_filters.CharFilter(method="filter_model", label="The id of a model that replied.", strip=False)
    title = django_filters.CharFilter(method="filter_title", label="Part of the displayed title.")
    run = IntegerFilter(method="filter_run", label="The number of an import that brought or changed the chat.")
    updated_after = MillisecondsFilter("updated", "gte", label="Changed at or after this time, in ms since the epoch.")
    updated_before = MillisecondsFilter(
        "updated", "lte", label="Changed at or before this time, in ms since the epoch."
    )
    created_after = MillisecondsFilter("created", "gte", label="Created at or after this time, in ms since the epoch.")
    created_before = MillisecondsFilter(
        "created", "lte", label="Created at or before this time, in ms since the epoch."
    )

    class Meta:
        model = Conversation
        fields: list[str] = []

    def filter_archived(self, queryset: QuerySet[Conversation], name: str, value: Any) -> QuerySet[Conversation]:
        # Most chats have no such member, which means not archived.
        return queryset.filter(is_archived=True) if value else queryset.exclude(is_archived=True)

    def filter_pinned(self, queryset: QuerySet[Conversation], name: str, value: Any) -> QuerySet[Conversation]:
        return pinned(queryset) if value else not_pinned(queryset)

    def filter_folder(self, queryset: QuerySet[Conversation], name: str, value: Any) -> QuerySet[Conversation]:
        return in_folder(queryset, value)

    def filter_model(self, queryset: QuerySet[Conversation], name: str, value: Any) -> QuerySet[Conversation]:
        return with_model(queryset, value)

    def filter_title(self, queryset: QuerySet[Conversation], name: str, value: Any) -> QuerySet[Conversation]:
        return with_title(queryset, value)

    def filter_run(self, queryset: QuerySet[Conversation], name: str, value: Any) -> QuerySet[Conversation]:
        return brought_by(queryset, int(value))


class AssetFilterSet(django_filters.FilterSet):
    type = django_filters.CharFilter("asset_type", label="image or audio.")
    scope = django_filters.CharFilter("scope_id", label="Where it is used, such as app-chat.")

    class Meta:
        model = Asset
        fields: list[str] = []
