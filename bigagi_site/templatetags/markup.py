"""Markup that pages repeat."""

from datetime import datetime

from django.template import Context, Library
from django.urls import reverse
from django.utils.dateformat import format as format_date
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from stores.records.formatting import name_zone

register = Library()


@register.filter(expects_localtime=True)
def moment(at: datetime | None, form: str = "j F Y, H:i") -> str:
    """Return a time with the name of its time zone, which is the page's."""
    return f"{format_date(at, form)} {name_zone(at)}" if at else ""


@register.simple_block_tag
def fact(content: str, name: str) -> SafeString:
    """Return one pair of a `<dl>`."""
    return format_html("<div><dt>{}</dt><dd>{}</dd></div>", name, content)


@register.simple_tag
def icon(name: str) -> SafeString:
    """Return a drawing out of `chat/icons.html`."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="#i-{}" /></svg>', name)


@register.simple_tag(takes_context=True)
def nav_item(context: Context, view: str, label: str, **place: str) -> SafeString:
    """Return a link to a view in a list of links; `section="chat"` says where the page itself is that one."""
    is_current = all(context.get(name) == value for name, value in place.items())
    mark = mark_safe(' aria-current="page"') if is_current else ""
    return format_html('<li><a href="{}"{}>{}</a></li>', reverse(view), mark, label)
