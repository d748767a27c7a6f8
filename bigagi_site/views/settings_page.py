"""The settings page: how pages look in this browser, big-AGI's preferences, the models that serve by default, budgets.

It works without JavaScript. Each form writes only what was changed in it, and the message that follows undoes it."""

from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.views.decorators import staff_member_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from bigagi_site import display, preferences
from bigagi_site.default_models import DOMAINS, read_assigned, write_assigned
from bigagi_site.startup import describe_database
from bigagi_site.views.dashboard import write_budget
from chats.pages.status import name_services
from llms.models import Service
from metrics.budgets import read_budgets
from stores.api.request_ids import request_id_of
from stores.models import Change
from stores.records.errors import Invalid, ServiceError
from stores.records.journal.recorder import Origin
from stores.records.undoing import undo

SECTIONS = ("display", "chat", "models", "budgets")
View = Callable[[HttpRequest], None]


@require_safe
@staff_member_required(login_url="sign-in")
def settings_page(request: HttpRequest) -> HttpResponse:
    """Show all settings with their present state."""
    states = preferences.read_states()
    notes: dict[str, list[Any]] = defaultdict(list)
    for message in messages.get_messages(request):
        notes[next((name for name in SECTIONS if name in message.tags.split()), "display")].append(message)
    budgets = read_budgets()
    names = name_services([budget.service for budget in budgets if budget.service])
    services = dict(Service.objects.values_list("uid", "label"))
    chosen, browser = display.chosen_zone(request), display.browser_zone(request)
    context = {
        "section": "settings",
        "notes": dict(notes),
        "themes": display.THEMES.items(),
        "zones": display.list_zones(),
        "zone": chosen.key if chosen else "",
        "browser_zone": browser.key if browser else "",
        "server_zone": settings.OWNER_TIME_ZONE,
        "fields": preferences.read_fields(states),
        "kept": preferences.read_kept(states),
        "assigned": read_assigned(),
        "budgets": [(budget, names.get(budget.service, budget.service or "All services")) for budget in budgets],
        "services": sorted(((uid, label or uid) for uid, label in services.items()), key=lambda pair: pair[1].lower()),
        "data_dir": settings.DATA_DIR,
        "database": describe_database(),
        "backups_dir": settings.BACKUPS_DIR,
    }
    # Of this kind, so that references to secrets are masked in it (SecretsMiddleware).
    response = TemplateResponse(request, "settings/page.html", context)
    response.headers["Cache-Control"] = "no-store"
    return response


def _form(section: str) -> Callable[[Callable[[HttpRequest], HttpResponse | None]], Callable[..., HttpResponse]]:
    """Return a decorator for what a form of this section sends: what a service refuses is told where the form is."""

    def decorate(view: Callable[[HttpRequest], HttpResponse | None]) -> Callable[..., HttpResponse]:
        @require_POST
        @staff_member_required(login_url="sign-in")
        @wraps(view)
        def answer(request: HttpRequest) -> HttpResponse:
            try:
                response = view(request)
            except ServiceError as error:
                messages.error(request, str(error), extra_tags=section)
                response = None
            return response or _back(section)

        return answer

    return decorate


@_form("display")
def save_display(request: HttpRequest) -> HttpResponse:
    """Keep the theme and the time zone in this browser."""
    theme, zone = request.POST.get("theme"), request.POST.get("zone")
    if theme is not None and theme not in display.THEMES:
        raise Invalid("Theme: choose one of the options.")
    if zone and display.find_zone(zone) is None:
        raise Invalid(f"Time zone: there is no {zone[:100]}. Choose one from the list.")
    response = _back("display")
    before = {}
    if theme is not None and theme != (was := display.read_theme(request)):
        before["theme"] = was
        display.keep(response, display.THEME_COOKIE, "" if theme == display.SYSTEM else theme)
    if zone is not None and zone != (was := _zone_name(request)):
        before["zone"] = was
        display.keep(response, display.ZONE_COOKIE, zone)
    if before:
        back = [
            format_html('<input type="hidden" name="{}" value="{}" form="display-undo">', *pair)
            for pair in before.items()
        ]
        button = _button("Undo", reverse("settings-display"), form="display-undo")
        _tell(request, "display", "Saved in this browser.", *back, button)
    else:
        _tell(request, "display", "No change was needed.")
    return response


@_form("chat")
def save_chat(request: HttpRequest) -> None:
    """Write the preferences of the chat page that were changed."""
    changes = preferences.read_changes(request.POST.dict())
    for store, members in changes.items():
        _tell_change(request, "chat", preferences.save_preferences(_origin(request), store, members), "Saved")
    if not changes:
        _tell(request, "chat", "No change was needed.")


@_form("models")
def save_models(request: HttpRequest) -> None:
    """Write the assignments that were changed."""
    is_changed = False
    for domain, label, _ in DOMAINS:
        asked = request.POST.get(domain)
        if asked is None or asked == request.POST.get(f"was.{domain}"):
            continue
        is_changed = True
        _tell_change(request, "models", write_assigned(_origin(request), domain, asked), f"{label} saved")
    if not is_changed:
        _tell(request, "models", "No change was needed.")


@_form("budgets")
def save_budget(request: HttpRequest) -> None:
    """Set or remove a monthly budget."""
    change, done = write_budget(_origin(request), request.POST)
    _tell_change(request, "budgets", change, done)


@require_POST
@staff_member_required(login_url="sign-in")
def undo_setting(request: HttpRequest, section: str) -> HttpResponse:
    """Take back what a form wrote."""
    number = request.POST.get("change", "")
    try:
        if not (number.isascii() and number.isdigit() and len(number) < 19):
            raise Invalid("There is no such change.")
        _tell_change(request, section, undo(_origin(request), int(number)), "Undone", again="Redo")
    except ServiceError as error:
        messages.error(request, str(error), extra_tags=section)
    return _back(section)


def _origin(request: HttpRequest) -> Origin:
    return Origin(Change.Source.SETTINGS, request.user.get_username(), request_id_of(request))


def _back(section: str) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('settings')}#{section}")


def _zone_name(request: HttpRequest) -> str:
    zone = display.chosen_zone(request)
    return zone.key if zone else ""


def _tell_change(request: HttpRequest, section: str, change: Change | None, done: str, again: str = "Undo") -> None:
    if change is None:
        _tell(request, section, f"{done}. No change was needed.")
        return
    button = _button(
        again, reverse("undo-setting", args=[section]), form="change-undo", name="change", value=str(change.pk)
    )
    _tell(request, section, f"{done}.", button)


def _tell(request: HttpRequest, section: str, *parts: str) -> None:
    text = format_html_join(" ", "{}", ((part,) for part in parts))
    messages.success(request, text, extra_tags=section)


def _button(label: str, address: str, *, form: str, name: str = "", value: str = "") -> SafeString:
    """Return a button that sends a form of the page: a form cannot stand inside a message."""
    named = format_html(' name="{}" value="{}"', name, value) if name else ""
    return format_html(
        '<button type="submit" class="text-button" form="{}" formaction="{}"{}>{}</button>', form, address, named, label
    )
