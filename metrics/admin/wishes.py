"""The admin of count resets and budgets."""

from django.contrib import admin

from metrics.admin.display import CREATED_BY, link_to_change
from metrics.admin.filters import RecordedFilter, StandingFilter
from metrics.models import Budget, CountingStart
from metrics.money import format_nano_usd
from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import column, moment, pretty

ENTRIES = (CREATED_BY, column("taken_back_by", link_to_change, label="undone by"))
"""The entries of the journal that made and undid a setting of the owner."""


@admin.register(CountingStart)
class CountingStartAdmin(ReadOnlyAdmin):
    list_display = [moment("at", label="counting from"), *ENTRIES]
    list_filter = [RecordedFilter, StandingFilter]
    search_fields = ["=change"]
    list_defer = ("baselines",)
    fields = [
        *(moment("at", label="counting from"), moment("made_at", label="created"), *ENTRIES),
        pretty("baselines", label="counts at that time"),
    ]


@admin.register(Budget)
class BudgetAdmin(ReadOnlyAdmin):
    list_display = [moment("made_at", label="created"), "service_or_all", "amount", *ENTRIES]
    list_filter = [RecordedFilter, StandingFilter]
    search_fields = ["=service"]
    fields = ["service_or_all", "amount", moment("made_at", label="created"), *ENTRIES]

    @admin.display(description="service", ordering="service")
    def service_or_all(self, obj: Budget) -> str:
        return str(obj)

    @admin.display(description="per month", ordering="nano_usd")
    def amount(self, obj: Budget) -> str:
        return "no budget" if obj.nano_usd is None else format_nano_usd(obj.nano_usd)
