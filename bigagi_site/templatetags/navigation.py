"""Where a page of the admin is."""

from typing import Any

from django.template import Context, Library
from django.utils.text import capfirst

from bigagi_site.admin_navigation import find_group

register = Library()


@register.simple_tag(takes_context=True)
def trail(context: Context, parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the path to a page of a list or a record: the group of the sidebar, the list, the record.

    unfold's own path begins with Django's app, which the sidebar does not know."""
    match = context["request"].resolver_match
    group = find_group(match.url_name if match else "")
    if not group:
        return parts
    # A record's own title is left as it is: it can be an id.
    steps = [part | {"title": capfirst(str(part["title"]))} if at == 0 else part for at, part in enumerate(parts[1:])]
    # "Chats › Chats" would say the same twice.
    return steps if steps and steps[0]["title"] == group else [{"title": group}, *steps]
