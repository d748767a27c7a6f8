"""Figures as people read them at a glance. What links to them has the exact ones."""

from datetime import datetime, timedelta

from django import template
from django.utils.timesince import timesince

from stores.records.units import format_duration, format_percent, format_size, round_usd, shorten_count

register = template.Library()

usd = register.filter("usd", round_usd)
short = register.filter("short", shorten_count)
size = register.filter("size", format_size)
duration = register.filter("duration", format_duration)
percent = register.filter("percent", format_percent)


@register.filter
def called(uid: str, names: dict[str, str]) -> str:
    """Return the name of what has this id; the id, where there is none."""
    return names.get(uid, uid)


@register.filter
def ago(at: datetime, now: datetime) -> str:
    """Return how long ago a time was, in its largest unit."""
    if now - at < timedelta(minutes=1):
        return "just now"
    return f"{timesince(at, now, depth=1)} ago"
