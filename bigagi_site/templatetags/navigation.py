"""Where a page of the admin is."""

from typing import Any

from django.template import Context, Library

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
    steps = parts[1:]
    # "Chats › Chats" would say the same twice.
    is_named = str(steps[0]["title"]).lower() == group.lower() if steps else False
    return steps if is_named else [{"title": group}, *steps]
