"""The owner's settings for totals: when the count was reset, and monthly budgets."""

from django.db import models

from stores.records.fields import VerbatimJSONField
from stores.records.formatting import format_moment


class Wish(models.Model):
    """A row is valid until an undo reverts it; the newest valid row is in effect."""

    made_at = models.BigIntegerField(help_text="When it was made, in ms since the epoch.")
    change = models.CharField(max_length=20, blank=True, help_text="The journal's entry that made it.")
    taken_back_by = models.CharField(max_length=20, blank=True, help_text="The journal's entry that took it back.")

    class Meta:
        abstract = True


class CountingStart(Wish):
    """A reset of the count; all-time totals stay."""

    at = models.BigIntegerField(help_text="From when on calls count, in ms since the epoch.")
    baselines = VerbatimJSONField(help_text="What browsers had counted by then, by service: it is left out.")

    class Meta:
        ordering = ["-pk"]
        verbose_name = "count reset"

    def __str__(self) -> str:
        return f"counting from {format_moment(self.at)}"


class Budget(Wish):
    """A monthly budget."""

    service = models.CharField(max_length=200, blank=True, help_text="The service's id; empty: all services together.")
    nano_usd = models.BigIntegerField(null=True, blank=True, help_text="In 10⁻⁹ USD a month; empty: no budget.")

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.service or "all services"
