"""Sums of the ledger, kept up to date by database triggers; they can be rebuilt at any time."""

from django.db import models

from stores.records.formatting import format_moment

LATENCY_BOUNDS = tuple(2**power for power in range(5, 21))
"""Upper bounds of the buckets of latencies in ms, each twice the one before: 32 ms to 17.5 minutes; one more bucket has
the rest."""

FIRST_TOKEN = tuple(f"first_{bucket:02}" for bucket in range(len(LATENCY_BOUNDS) + 1))
TOTAL = tuple(f"total_{bucket:02}" for bucket in range(len(LATENCY_BOUNDS) + 1))

SUMS = (
    *("calls", "errors", "unpriced", "estimated"),
    *("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens"),
    *("cost_nano_usd", "cost_reported_nano_usd"),
)
"""What is added up over calls."""

MEASURES = (*SUMS, *FIRST_TOKEN, *TOTAL)


class Rollup(models.Model):
    """Sums over calls, with log-scale histograms of latencies. Test calls are not counted; unknown counts as 0."""

    calls = models.BigIntegerField(default=0, help_text="Calls, less those that were taken back.")
    errors = models.BigIntegerField(default=0, help_text="Calls that failed.")
    unpriced = models.BigIntegerField(default=0, help_text="Calls whose cost is not known.")
    estimated = models.BigIntegerField(default=0, help_text="Calls whose tokens are estimates.")
    input_tokens = models.BigIntegerField(default=0, help_text="New input tokens.")
    cache_read_tokens = models.BigIntegerField(default=0, help_text="Input tokens read from a cache.")
    cache_write_tokens = models.BigIntegerField(default=0, help_text="Input tokens written to a cache.")
    output_tokens = models.BigIntegerField(default=0, help_text="Visible output tokens.")
    reasoning_tokens = models.BigIntegerField(default=0, help_text="Reasoning tokens.")
    cost_nano_usd = models.BigIntegerField(default=0, help_text="Cost in 10⁻⁹ USD.")
    cost_reported_nano_usd = models.BigIntegerField(default=0, help_text="Cost by providers' own word, in 10⁻⁹ USD.")

    class Meta:
        abstract = True


def _add_buckets() -> None:
    for names, what in ((FIRST_TOKEN, "first token"), (TOTAL, "end")):
        bounds = (*(f"under {bound} ms" for bound in LATENCY_BOUNDS), f"{LATENCY_BOUNDS[-1]} ms or more")
        for name, bound in zip(names, bounds, strict=True):
            help_text = f"Calls with {bound} to the {what}."
            Rollup.add_to_class(name, models.BigIntegerField(default=0, help_text=help_text))


_add_buckets()


class DetailedRollup(Rollup):
    """Sums over the calls of one model by one source."""

    service = models.CharField(max_length=200, blank=True, help_text="The service's id.")
    vendor = models.CharField(max_length=100, blank=True, help_text="The vendor.")
    model = models.CharField(max_length=200, blank=True, help_text="The model's id.")
    source = models.CharField(max_length=10, help_text="What recorded the calls.")

    class Meta:
        abstract = True


class UsageQuarter(DetailedRollup):
    """Usage in a quarter of an hour (UTC), by service, vendor, model and source."""

    start = models.BigIntegerField(help_text="Start of the quarter-hour, in ms since the epoch.")

    class Meta:
        ordering = ["-start", "pk"]
        verbose_name = "usage in a quarter-hour"
        verbose_name_plural = "usage by quarter-hour"
        constraints = [
            models.UniqueConstraint(
                fields=["start", "service", "vendor", "model", "source"], name="metrics_quarter_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.model}, {format_moment(self.start)}"


class UsageDay(Rollup):
    """Usage on a day in the owner's time zone: in total, and by each service, vendor, model or source."""

    class Dimension(models.TextChoices):
        ALL = "all", "All"
        SERVICE = "service", "Service"
        VENDOR = "vendor", "Vendor"
        MODEL = "model", "Model"
        SOURCE = "source", "Source"

    dimension = models.CharField(max_length=10, choices=Dimension.choices, help_text="What the day is divided by.")
    day = models.DateField(help_text="The day in the owner's time zone.")
    key = models.CharField(max_length=200, blank=True, help_text="The service, vendor, model or source.")

    class Meta:
        ordering = ["-day", "dimension", "key"]
        verbose_name = "usage on a day"
        verbose_name_plural = "usage by day"
        constraints = [models.UniqueConstraint(fields=["dimension", "day", "key"], name="metrics_day_unique")]
        # Totals of all time, without sorting.
        indexes = [models.Index(fields=["dimension", "key", "day"], name="metrics_day_key")]

    def __str__(self) -> str:
        return f"{self.dimension} {self.key} on {self.day}"


class UsageDayDetail(DetailedRollup):
    """Usage on a day in the owner's time zone, by service, vendor, model and source together."""

    day = models.DateField(help_text="The day in the owner's time zone.")

    class Meta:
        ordering = ["-day", "pk"]
        verbose_name = "usage on a day in detail"
        verbose_name_plural = "usage by day in detail"
        constraints = [
            models.UniqueConstraint(
                fields=["day", "service", "vendor", "model", "source"], name="metrics_day_detail_unique"
            )
        ]
        # Series of one of these, divided by another. Most calls add to a row that is there, and touch no index.
        indexes = [
            models.Index(fields=[name, "day"], name=f"metrics_day_detail_{name}")
            for name in ("service", "vendor", "model", "source")
        ]

    def __str__(self) -> str:
        return f"{self.model} on {self.day}"


class ZoneOffset(models.Model):
    """UTC offsets of the owner's time zone, with their start. The database uses them to find the day of a call."""

    starts = models.BigIntegerField(primary_key=True, help_text="From when on, in ms since the epoch.")
    offset_ms = models.BigIntegerField(help_text="What is added to UTC, in ms.")
    zone = models.CharField(max_length=60, help_text="The time zone.")

    class Meta:
        ordering = ["starts"]
        verbose_name = "time zone offset"

    def __str__(self) -> str:
        return f"{self.zone} from {format_moment(self.starts)}"
