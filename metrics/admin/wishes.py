"""The admin of count resets and budgets."""

from django.contrib import admin

from metrics.admin.display import CREATED_BY, link_to_change
from metrics.admin.filters import RecordedFilter, StandingFilter
from metrics.models import Budget, CountingStart
from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import column, moment, pretty
from stores.records.units import format_usd

ENTRIES = (CREATED_BY, column("taken_back_by", link_to_change, label="undone by"))
"""The entries of the journal that made and undid a setting of the owner."""


@admin.register(CountingStart)
class CountingStartAdmin(ReadOnlyAdmin):
    empty_text = "When you reset the count on the dashboard, the time is kept here. Nothing is deleted by it."
    list_display = [moment("at", label="counting from"), *ENTRIES]
    list_filter = [RecordedFilter, StandingFilter]
    search_fields = ["=change"]
    search_help_text = "Number of the change that made it"
    list_defer = ("baselines",)
    fields = [
        *(moment("at", label="counting from"), moment("made_at", label="created"), *ENTRIES),
        pretty("baselines", label="counts at that time"),
    ]


@admin.register(Budget)
class BudgetAdmin(ReadOnlyAdmin):
    empty_text = "Set a monthly budget on the dashboard, to be warned when it is nearly spent."
    list_display = ["service_or_all", "amount_number", moment("made_at", label="created"), *ENTRIES]
    list_filter = [RecordedFilter, StandingFilter]
    search_fields = ["=service"]
    search_help_text = "Whole id of the service"
    fields = ["service_or_all", "amount_number", moment("made_at", label="created"), *ENTRIES]

    @admin.display(description="service", ordering="service")
    def service_or_all(self, obj: Budget) -> str:
        return str(obj)

    @admin.display(description="per month", ordering="nano_usd")
    def amount_number(self, obj: Budget) -> str:
        return "no budget" if obj.nano_usd is None else format_usd(obj.nano_usd)
