"""Filters of the API's lists of what was used."""

from typing import Any

import django_filters
from django.core.validators import MaxLengthValidator
from django.db.models import Q, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field

from metrics.days import DAY, EARLIEST, LATEST, start_of
from metrics.models import ApiRequest, UsageEvent
from metrics.models.events import NOT_ERRORS
from stores.api.filters import FlagFilter, MillisecondsFilter
from stores.api.members import TEXT
from stores.api.problems import bad_parameter

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
    route = django_filters.CharFilter(label="The route pattern, such as /api/chats/{id}.", strip=False)
    status = StatusFilter(label="The HTTP status.")
    status_min = StatusFilter("status", "gte", label="This status or higher; 400 for all errors.")
    actor = django_filters.CharFilter(label="Who made the request: a user, or user · token.", strip=False)
    request_id = django_filters.CharFilter(label="The request's id.", strip=False)
    error = django_filters.CharFilter(label="The kind of error.", strip=False)
    slower_than_ms = DurationFilter("duration_ms", "gt", label="Took longer than this, in ms.")
    since = django_filters.IsoDateTimeFilter("at", "gte", label="Received at or after this time (ISO 8601).")
    until = django_filters.IsoDateTimeFilter("at", "lt", label="Received before this time (ISO 8601).")

    class Meta:
        model = ApiRequest
        fields: list[str] = []


@extend_schema_field({"type": "string", "maxLength": 200, "pattern": TEXT})
class NameFilter(django_filters.CharFilter):
    """A service, model or other name, as it is: spaces at its ends belong to it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"strip": False, "validators": [MaxLengthValidator(200)]})


@extend_schema_field(OpenApiTypes.DATE)
class DayFilter(django_filters.DateFilter):
    """A day of the owner's time zone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"input_formats": ["%Y-%m-%d"]})

    def filter(self, queryset: QuerySet[Any], value: Any) -> QuerySet[Any]:
        if value is None:
            return queryset
        # Before and after these there are no calls.
        day = min(max(value, EARLIEST), LATEST)
        at = start_of(day + DAY) if self.lookup_expr == "lt" else start_of(day)
        return queryset.filter(**{f"{self.field_name}__{self.lookup_expr}": at})


UNPRICED = Q(cost_nano_usd=None) & ~Q(cost_code="free")
"""Calls whose cost is not known; a free one's is."""


class EventFilterSet(django_filters.FilterSet):
    start = DayFilter("at", "gte", label="Made on or after this day, in your time zone.")
    end = DayFilter("at", "lt", label="Made on or before this day.")
    since = MillisecondsFilter("at", "gte", label="Made at or after this time, in ms since the epoch.")
    until = MillisecondsFilter("at", "lt", label="Made before this time, in ms since the epoch.")
    service = NameFilter(label="The service's id.")
    vendor = NameFilter(label="The vendor.")
    model = NameFilter(label="The model's id.")
    source = django_filters.ChoiceFilter(
        choices=UsageEvent.Source.choices, label="Where the call was recorded. Tests are listed only if requested here."
    )
    conversation = NameFilter(label="The chat's id.")
    message = NameFilter(
        method="filter_message",
        label="The message's id. Also send the chat's id: message ids are unique only within a chat.",
    )
    outcome = NameFilter(label="How the call ended, such as done or timeout.")
    failed = FlagFilter(method="filter_failed", label="Whether the call failed.")
    unpriced = FlagFilter(method="filter_unpriced", label="Whether the cost is not known.")

    class Meta:
        model = UsageEvent
        fields: list[str] = []

    def filter_message(self, queryset: QuerySet[UsageEvent], name: str, value: str) -> QuerySet[UsageEvent]:
        if not self.data.get("conversation"):
            raise bad_parameter("message", "Also send conversation: message ids are unique only within a chat.")
        return queryset.filter(message=value)

    def filter_failed(self, queryset: QuerySet[UsageEvent], name: str, value: bool) -> QuerySet[UsageEvent]:
        return queryset.exclude(outcome__in=NOT_ERRORS) if value else queryset.filter(outcome__in=NOT_ERRORS)

    def filter_unpriced(self, queryset: QuerySet[UsageEvent], name: str, value: bool) -> QuerySet[UsageEvent]:
        return queryset.filter(UNPRICED if value else ~UNPRICED)
