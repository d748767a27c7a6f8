"""How the admin shows values: columns, blocks, tables, links to related records. For the admins of all apps.

`column` and what is made of it (`number`, `money`, `size_of`, `moment`, `pretty`, `whole`, …) return what
`list_display` and `fields` take: a function of the object.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from stores.records.formatting import NOTHING, format_json, format_moment, format_text, format_time
from stores.records.units import format_duration, format_size, format_usd

MAX_SHOWN = 50_000
"""Characters of one value that a page shows; the download has the rest."""


Column = Callable[[models.Model], Any]


def show_block(text: str, label: str, download: str = "") -> SafeString:
    """Return the text in a scrolling block, cut where it is very long, with a link to the whole of it."""
    cut = len(text) > MAX_SHOWN
    note = format_html(
        '<p class="bigagi-note">First {} of {} characters.</p>', number_format(MAX_SHOWN), number_format(len(text))
    )
    link = format_html('<p><a class="bigagi-link" href="{}" download>Download all of {}</a></p>', download, label)
    return format_html(
        '{}<pre class="bigagi-block" tabindex="0" aria-label="{}">{}</pre>{}',
        note if cut else "",
        label,
        text[:MAX_SHOWN],
        link if download else "",
    )


def show_table(caption: str, headers: Sequence[str], rows: Iterable[Sequence[Any]]) -> SafeString | str:
    """Return a table; numbers stand to the right."""
    rows = list(rows)
    numeric = {at for row in rows for at, value in enumerate(row) if isinstance(value, int)}
    body = format_html_join(
        "",
        "<tr>{}</tr>",
        ((format_html_join("", '<td class="{}">{}</td>', map(_cell, row)),) for row in rows),
    )
    if not body:
        return NOTHING
    return format_html(
        '<div class="bigagi-scroll" tabindex="0" role="region" aria-label="{}"><table class="bigagi-table">'
        "<caption>{}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>",
        caption,
        caption,
        format_html_join(
            "",
            '<th scope="col" class="{}">{}</th>',
            (("bigagi-number" if at in numeric else "", header) for at, header in enumerate(headers)),
        ),
        body,
    )


def _cell(value: Any) -> tuple[str, Any]:
    if isinstance(value, int) and not isinstance(value, bool):
        return "bigagi-number", number_format(value, force_grouping=True)
    return "", NOTHING if value is None or value == "" else value


def show_status(status: str) -> SafeString:
    """Return a status as a badge, whose colour says what its word says too."""
    kind = {"done": "good", "complete": "good", "error": "bad", "failed": "bad", "running": "busy"}.get(status, "idle")
    return format_html('<span class="bigagi-badge bigagi-{}">{}</span>', kind, status or NOTHING)


def column(name: str, show: Callable[[Any], Any], *, label: str = "", ordering: bool | str = False) -> Column:
    """Return a column that shows the attribute `name` of an object; its label and help are those of the field."""

    def display(obj: models.Model) -> Any:
        value = getattr(obj, name)
        return NOTHING if value is None or value == "" else show(value)

    # The admin finds the field's help text by the function's name; a label in words needs none.
    display.__name__ = f"{name}_column" if label else name
    order = ordering if isinstance(ordering, str) else (name if ordering else None)
    return admin.display(description=label or name.replace("_", " "), ordering=order)(display)


def instant(name: str, *, label: str = "") -> Column:
    """Return a column for our own times, which are datetimes."""
    return column(name, show_instant, label=label, ordering=True)


def show_instant(value: datetime) -> SafeString:
    """Return one of our own times in one line."""
    text = format_time(value)
    return format_html('<time class="bigagi-time" datetime="{}">{}</time>', value.astimezone(UTC).isoformat(), text)


def moment(name: str, *, label: str = "", unit: str = "milliseconds") -> Column:
    """Return a column for big-AGI's times, which are integers in the unit since the epoch."""

    def show(value: Any) -> Any:
        return format_html('<span class="bigagi-time">{}</span>', format_moment(value, unit=unit))

    display = column(name, show, label=label, ordering=True)
    # The field's help tells the unit of the integer, which is not what is shown.
    display.__name__ = f"{name}_moment"
    return display


def written(name: str, *, label: str = "", ordering: bool = False) -> Column:
    """Return a column for a time that big-AGI wrote as text; what is no time is shown as it is."""

    def show(text: str) -> Any:
        try:
            return show_instant(datetime.fromisoformat(text))
        except ValueError:
            return text

    return column(name, show, label=label or name, ordering=ordering)


ROW_FACTS = (
    column("content_hash", str, label="content hash"),
    instant("created_at", label="first stored"),
    instant("updated_at", label="last stored"),
)
"""The last fields of every record that big-AGI names."""


def number(
    name: str, *, label: str = "", show: Callable[[Any], Any] | None = None, ordering: bool | str = True
) -> Column:
    """Return a column for a number. It stands to the right, and is never broken (`admin.css` knows it by its name)."""
    display = column(name, show or _group_digits, label=label, ordering=ordering)
    display.__name__ = f"{name}{NUMBER}"
    return display


NUMBER = "_number"
"""How the names of the columns with numbers end."""


def _group_digits(value: Any) -> str:
    return number_format(value, force_grouping=True)


def money(name: str, *, label: str = "", ordering: bool = True) -> Column:
    """Return a column for nano-dollars."""
    return number(name, label=label, show=format_usd, ordering=ordering)


def duration(name: str, *, label: str = "", ordering: bool = True) -> Column:
    """Return a column for milliseconds."""
    return number(name, label=label, show=format_duration, ordering=ordering)


def size_of(name: str, *, label: str = "", ordering: bool = True) -> Column:
    """Return a column for a length in bytes."""
    return number(name, label=label, show=format_size, ordering=ordering)


def yes_no(name: str, *, label: str, ordering: bool = True) -> Column:
    """Return a column for what is so or not, in words."""
    return column(name, lambda value: "yes" if value else "no", label=label, ordering=ordering)


def folded(title: str, *fields: Any) -> tuple[str, dict[str, Any]]:
    """Return a fieldset that is closed until somebody wants it."""
    return title, {"fields": list(fields), "classes": ["collapse"]}


def pretty(name: str, *, label: str = "") -> Column:
    """Return a field that shows JSON."""
    label = label or name.replace("_", " ")
    return column(name, lambda value: show_block(format_json(value), label), label=label)


def whole(name: str, *, label: str = "") -> Column:
    """Return a field that shows JSON or text and links to the download of all of it (`ReadOnlyAdmin.downloads`)."""
    label = label or name.replace("_", " ")

    def display(obj: models.Model) -> Any:
        value = getattr(obj, name)
        if value is None or value == "":
            return NOTHING
        url = reverse(f"admin:{obj._meta.app_label}_{obj._meta.model_name}_download", args=(obj.pk, name))
        return show_block(format_text(value) if isinstance(value, str) else format_json(value), label, url)

    display.__name__ = name
    return admin.display(description=label)(display)


def link_to(obj: models.Model | None, text: object = "") -> SafeString | str:
    """Return a link to the object's page."""
    if obj is None:
        return NOTHING
    return link_to_page(obj._meta.app_label, obj._meta.model_name or "", obj.pk, text or obj)


def link_to_page(app: str, model: str, pk: int | None, text: object) -> SafeString | str:
    """Return a link to the page of a row of any app, which must not be imported to be linked to; without a key the
    text, marked as missing."""
    if pk is None:
        return format_html('{} <span class="bigagi-note">(missing)</span>', text) if text else NOTHING
    return _link(f"admin:{app}_{model}_change", (quote(pk),), "", str(text))


def link_to_list(app: str, model: str, text: object, /, **filters: Any) -> SafeString | str:
    """Return a link to the list of a model of any app, filtered."""
    return _link(f"admin:{app}_{model}_changelist", (), urlencode(filters), str(text))


def _link(name: str, args: tuple[Any, ...], query: str, text: str) -> SafeString | str:
    try:
        url = reverse(name, args=args)
    except NoReverseMatch:
        return text
    return format_html('<a class="bigagi-link" href="{}">{}</a>', f"{url}?{query}" if query else url, text or NOTHING)
