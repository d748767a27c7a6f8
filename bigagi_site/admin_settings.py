"""The settings of django-unfold: colours as on the other pages (`colors.css`), and what its frame shows."""

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy

from bigagi_site.admin_navigation import build_navigation

_TEAL = {
    "50": "#f0f8f6",
    "100": "#e2efec",
    "200": "#c2e0da",
    "300": "#9ad8d1",
    "400": "#7cc7bf",
    "500": "#5aafa6",
    "600": "#24635f",
    "700": "#1b4d4a",
    "800": "#17403d",
    "900": "#143432",
    "950": "#0b2120",
}


def site_colors(request: HttpRequest) -> str:
    """Return the address of the colours of all pages."""
    return static("bigagi/colors.css")


def admin_styles(request: HttpRequest) -> str:
    """Return the address of the style sheet of all admin pages."""
    return static("stores/admin.css")


def theme_script(request: HttpRequest) -> str:
    """Return the address of the script that applies the theme on all pages."""
    return static("bigagi/theme.js")


def admin_script(request: HttpRequest) -> str:
    """Return the address of the script of all admin pages."""
    return static("stores/admin.js")


def site_icon(request: HttpRequest) -> str:
    """Return the address of the icon."""
    return static("bigagi/icon.svg")


UNFOLD = {
    "SITE_TITLE": "bigagi",
    "SITE_HEADER": "bigagi",
    "SITE_SUBHEADER": "Admin",
    "SITE_URL": "/",
    "SITE_ICON": site_icon,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": site_icon}],
    # Nothing is edited here, so that there is no history of edits and nothing to view elsewhere.
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "COLORS": {"primary": _TEAL},
    "STYLES": [site_colors, admin_styles],
    "SCRIPTS": [theme_script, admin_script],
    # One choice for all pages, under Settings.
    "THEME": "bigagi_site.display.admin_theme",
    "DASHBOARD_CALLBACK": "bigagi_site.dashboard.board.add_overview",
    "SIDEBAR": {"show_search": True, "show_all_applications": False, "navigation": build_navigation},
    "ACCOUNT": {
        "navigation": [
            {"title": "Account", "link": reverse_lazy("account")},
            {"title": "Theme and settings", "link": reverse_lazy("settings")},
        ]
    },
}
