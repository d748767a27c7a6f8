"""Filters of the API's lists of what was used."""

from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema_field

from metrics.models import ApiRequest

MAX_MS = 10**9
"""Longer than any request: eleven days."""


@extend_schema_field({"type": "integer", "minimum": 0, "maximum": 999})
class StatusFilter(django_filters.NumberFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"min_value": 0, "max_value": 999, "decimal_places": 0})


@extend_schema_field({"type": "number", "minimum": 0, "maximum": MAX_MS})
class DurationFilter(django_filters.NumberFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"min_value": 0, "max_value": MAX_MS})


class RequestFilterSet(django_filters.FilterSet):
    method = django_filters.CharFilter(lookup_expr="iexact", label="The HTTP method.")
    route = django_filters.CharFilter(label="The route's pattern, as /api/chats/{id}.", strip=False)
    status = StatusFilter(label="The HTTP status.")
    status_min = StatusFilter("status", "gte", label="Statuses from this one on: 400 for all errors.")
    actor = django_filters.CharFilter(label="Who asked: a user, or user · token.", strip=False)
    request_id = django_filters.CharFilter(label="The request's id.", strip=False)
    error = django_filters.CharFilter(label="The kind of error.", strip=False)
    slower_than_ms = DurationFilter("duration_ms", "gt", label="Slower than so many ms.")
    since = django_filters.IsoDateTimeFilter("at", "gte", label="Came at or after this time (ISO 8601).")
    until = django_filters.IsoDateTimeFilter("at", "lt", label="Came before this time (ISO 8601).")

    class Meta:
        model = ApiRequest
        fields: list[str] = []
