"""Filters of the lists of usage. Their choices are few, and known without reading the ledger."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest

from metrics.days import DAY, EARLIEST, LATEST, month_of, start_of, today
from metrics.filters import UNPRICED
from metrics.models import UsageEvent
from metrics.models.events import NOT_ERRORS
from metrics.names import find_models, find_services, find_vendors
from stores.records.formatting import format_moment

_SPAN = re.compile(r"(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)", re.ASCII)
_MOMENT = re.compile(r"(\d{1,16})\.\.|\.\.(\d{1,16})", re.ASCII)


def read_span(value: str) -> tuple[date, date] | None:
    """Return the days (the last one included) that a filter names, as `month` or `2026-05-01..2026-05-31`; None: no
    such thing."""
    now = today()
    first, after = month_of(now)
    named = {
        "today": (now, now),
        "7": (now - 6 * DAY, now),
        "30": (now - 29 * DAY, now),
        "month": (first, after - DAY),
        "last-month": (month_of(first - DAY)[0], first - DAY),
        "year": (date(now.year, 1, 1), date(now.year, 12, 31)),
    }
    if value in named:
        return named[value]
    match = _SPAN.fullmatch(value)
    try:
        span = None if match is None else (date.fromisoformat(match[1]), date.fromisoformat(match[2]))
    except ValueError:
        return None
    return span if span is not None and EARLIEST <= span[0] <= span[1] <= LATEST else None


def read_moment(value: str) -> tuple[str, int] | None:
    """Return the lookup and the time in ms since the epoch that a filter names, as `1780000000000..`, from then on, or
    `..1780000000000`, until then, that millisecond included; None: no such thing."""
    match = _MOMENT.fullmatch(value)
    if match is None:
        return None
    return ("gte", int(match[1])) if match[1] else ("lte", int(match[2]))


class WhenFilter(admin.SimpleListFilter):
    """By days of the owner's time zone; links to the list can name any, as `?when=2026-05-01..2026-05-31`."""

    title = "time"
    parameter_name = "when"
    field = "at"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        choices = [
            *(("today", "Today"), ("7", "Past 7 days"), ("30", "Past 30 days"), ("month", "This month")),
            *(("last-month", "Last month"), ("year", "This year")),
        ]
        asked = self.used_parameters.get(self.parameter_name) or ""
        if _SPAN.fullmatch(asked) and read_span(asked):
            first, last = asked.split("..")
            choices.append((asked, first if first == last else f"{first} to {last}"))
        return choices

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        span = read_span(self.value() or "")
        return queryset if span is None else queryset.filter(self.condition(*span))

    def condition(self, first: date, last: date) -> Q:
        return Q(**{f"{self.field}__gte": start_of(first), f"{self.field}__lt": start_of(last + DAY)})


class MomentFilter(WhenFilter):
    """By days, or by a time at which a sum begins or ends (`read_moment`)."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        choices = super().lookups(request, model_admin)
        asked = self.used_parameters.get(self.parameter_name) or ""
        if found := read_moment(asked):
            lookup, at = found
            choices.append((asked, f"{'From' if lookup == 'gte' else 'Until'} {format_moment(at)}"))
        return choices

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        found = read_moment(self.value() or "")
        if found is None:
            return super().queryset(request, queryset)
        lookup, at = found
        return queryset.filter(**{f"{self.field}__{lookup}": at})


class QuarterFilter(WhenFilter):
    field = "start"


class DayFilter(WhenFilter):
    field = "day"

    def condition(self, first: date, last: date) -> Q:
        return Q(day__gte=first, day__lte=last)


class RecordedFilter(WhenFilter):
    """By when a setting was made."""

    title = "when it was set"
    field = "made_at"


class NameFilter(admin.SimpleListFilter):
    """By a name that the ledger has; the empty one, as `?service=`, is that of calls without any."""

    names: Callable[[], list[str]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name or f"no {self.title}") for name in type(self).names()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value = self.value()
        return queryset if value is None else queryset.filter(**{str(self.parameter_name): value})


class ServiceFilter(NameFilter):
    title = parameter_name = "service"
    names = staticmethod(find_services)


class ModelFilter(NameFilter):
    title = parameter_name = "model"
    names = staticmethod(find_models)


class VendorFilter(NameFilter):
    title = parameter_name = "vendor"
    names = staticmethod(find_vendors)


class ConversationFilter(NameFilter):
    """By the chat that a link names. There are too many to choose from."""

    title = "chat"
    parameter_name = "conversation"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = self.used_parameters.get(self.parameter_name)
        return [] if asked is None else [(asked, asked or "no chat")]


class ChoiceFilter(admin.SimpleListFilter):
    """By one of a few named conditions."""

    conditions: dict[str, tuple[str, Q]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(word, label) for word, (label, _) in self.conditions.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        condition = self.conditions.get(self.value() or "")
        return queryset.filter(condition[1]) if condition else queryset


class SourceFilter(admin.SimpleListFilter):
    """By what recorded a call. Test calls, which are not counted, are listed only on request, so that a
    list shows what a sum counts."""

    title = "source"
    parameter_name = "source__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(value), str(label)) for value, label in UsageEvent.Source.choices]

    def choices(self, changelist: Any) -> Iterator[Any]:
        first, *others = super().choices(changelist)
        yield {**first, "display": "All except tests"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        value = self.value()
        return queryset.filter(source=value) if value else queryset.exclude(source=UsageEvent.Source.TEST)


class OutcomeFilter(ChoiceFilter):
    title = parameter_name = "outcome"
    conditions = {
        "failed": ("Failed", ~Q(outcome__in=NOT_ERRORS)),
        "done": ("Succeeded", Q(outcome__in=NOT_ERRORS)),
    }


class PriceFilter(ChoiceFilter):
    title = parameter_name = "price"
    conditions = {
        "unpriced": ("Unpriced", UNPRICED),
        "free": ("Free", Q(cost_code="free")),
        "priced": ("Priced", Q(cost_nano_usd__isnull=False)),
    }


class TakenBackFilter(ChoiceFilter):
    title = "reversed"
    parameter_name = "taken-back"
    _corrections = Exists(UsageEvent.objects.filter(corrects=OuterRef("pk")))
    conditions = {
        # A call that was reversed and then restored counts by its last event. By `corrects` SQLite would sort the
        # whole ledger.
        "stands": ("Not reversed", Q(calls__gt=0) & ~Q(_corrections)),
        "taken-back": ("Reversed", Q(_corrections)),
        "correction": ("Reverses another", Q(corrects__isnull=False)),
    }


class StandingFilter(ChoiceFilter):
    """By whether a setting was undone."""

    title = "whether it is in effect"
    parameter_name = "standing"
    conditions = {"stands": ("In effect", Q(taken_back_by="")), "undone": ("Undone", ~Q(taken_back_by=""))}
