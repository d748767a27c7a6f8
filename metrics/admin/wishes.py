"""The admin of count resets and budgets."""

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString

from metrics.admin.display import link_to_change
from metrics.admin.filters import RecordedFilter, StandingFilter
from metrics.models import Budget, CountingStart
from metrics.money import format_nano_usd
from stores.admin_base import ReadOnlyAdmin
from stores.admin_display import moment, pretty


class WishAdmin(ReadOnlyAdmin):
    """A setting of the owner, with the journal entries that created it and undid it."""

    @admin.display(description="created by")
    def change_link(self, obj: Any) -> SafeString | str:
        return link_to_change(obj.change)

    @admin.display(description="undone by")
    def taken_back_link(self, obj: Any) -> SafeString | str:
        return link_to_change(obj.taken_back_by)


@admin.register(CountingStart)
class CountingStartAdmin(WishAdmin):
    list_display = [moment("at", label="counting from"), "change_link", "taken_back_link"]
    list_filter = [RecordedFilter, StandingFilter]
    search_fields = ["=change"]
    list_defer = ("baselines",)
    fields = [
        *(moment("at", label="counting from"), moment("made_at", label="created"), "change_link", "taken_back_link"),
        pretty("baselines", label="counts at that time"),
    ]


@admin.register(Budget)
class BudgetAdmin(WishAdmin):
    list_display = [moment("made_at", label="created"), "service_or_all", "amount", "change_link", "taken_back_link"]
    list_filter = [RecordedFilter, StandingFilter]
    search_fields = ["=service"]
    fields = ["service_or_all", "amount", moment("made_at", label="created"), "change_link", "taken_back_link"]

    @admin.display(description="service", ordering="service")
    def service_or_all(self, obj: Budget) -> str:
        return str(obj)

    @admin.display(description="per month", ordering="nano_usd")
    def amount(self, obj: Budget) -> str:
        return "no budget" if obj.nano_usd is None else format_nano_usd(obj.nano_usd)
