"""Django's admin as an app whose admins are found when pages or checks need them.

`AdminConfig` imports all of them, and with them most of the program, whenever Django is set up: that was half of the
time in which a command starts. `bigagi_site.urls` finds them for the pages
(https://docs.djangoproject.com/en/5.2/ref/contrib/admin/#django.contrib.admin.apps.SimpleAdminConfig)."""

from typing import Any

from django.contrib.admin import autodiscover
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class AdminConfig(SimpleAdminConfig):
    def ready(self) -> None:
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_admins, checks.Tags.admin)


def check_admins(app_configs: Any, **kwargs: Any) -> list[checks.CheckMessage]:
    """Check all admins, in whatever order the checks are run."""
    autodiscover()
    return check_admin_app(app_configs, **kwargs)
