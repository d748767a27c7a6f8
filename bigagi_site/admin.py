"""The admin of tokens. Accounts are managed at `/account`, not here."""

from typing import Any

from django.apps import apps
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from bigagi_site.models import Statistic, Token
from bigagi_site.tokens import revoke_tokens
from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import instant, number, pretty, yes_no
from stores.admin.filters import by_yes_no
from stores.records.units import format_count, format_duration

# Their own admins write past the journal; they were registered when their apps were loaded, which is before this one.
for model in [model for model in admin.site._registry if model._meta.app_label in ("auth", "knox")]:
    admin.site.unregister(apps.get_model(model._meta.label))


@admin.register(Token)
class TokenAdmin(ReadOnlyAdmin):
    """Who may use the API. A token itself is nowhere kept; that one was made or revoked is not big-AGI's data, and so
    not in the journal."""

    actions: Any = ["revoke"]
    list_before_template = "admin/bigagi_site/token/before_list.html"
    empty_text = "Tokens let programs use the API. Create one on the account page."
    list_display = [
        *("name", "beginning", "user", yes_no("is_read_only", label="read-only")),
        *(instant("last_used_at", label="last used"), instant("expiry", label="expires")),
        instant("created", label="created"),
    ]
    list_filter = [by_yes_no("is_read_only", "read-only")]
    list_select_related = ["user"]
    search_fields = ["name"]
    search_help_text = "Name"
    fields = list_display

    @admin.display(description="begins with")
    def beginning(self, obj: Token) -> str:
        return obj.beginning

    @admin.action(description="Revoke selected tokens (programs stop working at once)")
    def revoke(self, request: HttpRequest, queryset: QuerySet[Token]) -> None:
        """Revoke the chosen tokens."""
        count = revoke_tokens(Token.objects.filter(pk__in=list(queryset.values_list("pk", flat=True))))
        self.message_user(request, f"{format_count(count, 'token')} revoked.", messages.SUCCESS)


TOOK = number("seconds", label="took", show=lambda seconds: format_duration(seconds * 1000))


@admin.register(Statistic)
class StatisticAdmin(ReadOnlyAdmin):
    """The dashboard's heavy figures, as last found."""

    empty_text = "The first look at the dashboard calculates its slow figures, and keeps them here."
    list_display = ["name", instant("found_at", label="calculated"), TOOK, "error"]
    list_defer = ("figures",)
    search_fields = ["name"]
    search_help_text = "Name"
    fields = ["name", instant("found_at", label="calculated"), TOOK, "error", pretty("figures")]
