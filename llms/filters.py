"""Filters of the API's lists."""

from typing import Any

import django_filters
from django.db.models import QuerySet

from llms.models import Model, Service
from llms.querysets import hidden, visible
from stores.api.filters import FlagFilter


class ServiceFilterSet(django_filters.FilterSet):
    vendor = django_filters.CharFilter("vendor_id", label="The vendor (vId).", strip=False)

    class Meta:
        model = Service
        fields: list[str] = []


class ModelFilterSet(django_filters.FilterSet):
    service = django_filters.CharFilter("service_uid", label="The id of a service (sId).", strip=False)
    vendor = django_filters.CharFilter("vendor_id", label="The vendor (vId).", strip=False)
    hidden = FlagFilter(method="filter_hidden", label="Whether the model is hidden: by you, or by default.")
    starred = FlagFilter(method="filter_starred", label="Whether you starred the model.")

    class Meta:
        model = Model
        fields: list[str] = []

    def filter_hidden(self, queryset: QuerySet[Model], name: str, value: Any) -> QuerySet[Model]:
        return hidden(queryset) if value else visible(queryset)

    def filter_starred(self, queryset: QuerySet[Model], name: str, value: Any) -> QuerySet[Model]:
        return queryset.filter(user_starred=True) if value else queryset.exclude(user_starred=True)
