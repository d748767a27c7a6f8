"""How a browser shows the pages: the theme and the time zone. Both are kept in its cookies, so that every page knows
them before it is drawn, the sign-in page and error pages included, and a phone can differ from a desktop."""

import re
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from metrics.days import zone as owner_zone

THEME_COOKIE = "bigagi_theme"
ZONE_COOKIE = "bigagi_zone"
BROWSER_ZONE_COOKIE = "bigagi_browser_zone"
"""Written by `theme.js`: the zone that the browser itself is in."""

YEAR = 365 * 24 * 3600
THEMES = {"system": "As the system", "light": "Light", "dark": "Dark"}
SYSTEM = "system"

_ZONE_NAME = re.compile(r"[A-Za-z0-9_+\-]+(?:/[A-Za-z0-9_+\-]+){0,2}")
_CONTINENTS = (
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Europe",
    "Indian",
    "Pacific",
)


def read_theme(request: HttpRequest) -> str:
    """Return the theme that was chosen in this browser: light, dark or system."""
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return theme if theme in THEMES else SYSTEM


def read_zone(request: HttpRequest) -> ZoneInfo:
    """Return the time zone in which this browser's pages show times: the chosen one, else the browser's own, else the
    one of the server's settings."""
    return chosen_zone(request) or browser_zone(request) or owner_zone()


def chosen_zone(request: HttpRequest) -> ZoneInfo | None:
    """Return the time zone that was chosen in this browser; None: automatic."""
    return find_zone(request.COOKIES.get(ZONE_COOKIE, ""))


def browser_zone(request: HttpRequest) -> ZoneInfo | None:
    """Return the time zone that the browser is in, as far as it has told."""
    return find_zone(request.COOKIES.get(BROWSER_ZONE_COOKIE, ""))


@lru_cache(maxsize=128)
def find_zone(name: str) -> ZoneInfo | None:
    """Return the time zone of this name; None where there is none."""
    if len(name) > 64 or not _ZONE_NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        return None


@cache
def list_zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the time zones to choose from by continent, each with its name as people read it."""
    names = sorted(available_timezones())
    groups = [
        (part, [(name, _readable(name)) for name in names if name.startswith(f"{part}/")]) for part in _CONTINENTS
    ]
    return [("", [("UTC", "UTC")]), *groups]


def _readable(name: str) -> str:
    return name.partition("/")[2].replace("_", " ").replace("/", ", ")


def keep(response: HttpResponse, name: str, value: str) -> None:
    """Let the browser keep a choice; an empty one is forgotten."""
    if not value:
        response.delete_cookie(name, samesite="Lax")
        return
    response.set_cookie(name, value, max_age=YEAR, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE)


def add_display(request: HttpRequest) -> dict[str, Any]:
    """Tell every page's template the theme and the time zone. It reads nothing but cookies."""
    return {"site_theme": read_theme(request), "site_zone": read_zone(request).key}


def admin_theme(request: HttpRequest) -> str:
    """Return the theme in the words of unfold, which then offers no other choice of its own."""
    theme = read_theme(request)
    return "auto" if theme == SYSTEM else theme
