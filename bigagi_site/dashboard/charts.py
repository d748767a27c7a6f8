"""The dashboard's charts, as tables of integers: spend by service and tokens by kind, over time."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from bigagi_site.dashboard.spending import link_to_calls
from bigagi_site.templatetags.figures import short, usd
from metrics.days import DAY, today
from metrics.series import Query, read_series

SHOWN = 6
"""Services with a colour of their own; the rest is one."""
OTHERS = "others"


@dataclass(frozen=True)
class Span:
    """Days that charts cover up to today, and what a bar of theirs is."""

    days: int
    label: str
    per: str

    @property
    def words(self) -> str:
        return f"the past {self.label}"

    def query(self, by: str) -> Query:
        """Return the query of a series over the span."""
        return Query(self.first, today(), by=by, per=self.per, latencies=False)

    @property
    def first(self) -> date:
        """The first day, with which its period begins."""
        return begin(today() - (self.days - 1) * DAY, self.per)


SPANS = (Span(30, "30 days", "day"), Span(90, "90 days", "day"), Span(365, "12 months", "month"))


@dataclass(frozen=True)
class Column:
    """One series of a chart."""

    name: str
    url: str = ""


@dataclass(frozen=True)
class Row:
    """One period; values are nano-dollars or tokens."""

    label: str
    url: str
    values: list[int]


@dataclass(frozen=True)
class Chart:
    """A chart; `unit` is `usd` (values in nano-dollars) or `tokens`."""

    name: str
    title: str
    unit: str
    per: str
    series: list[Column]
    rows: list[Row]
    summary: str
    empty: str

    @property
    def is_empty(self) -> bool:
        return not any(any(row.values) for row in self.rows)


def find_span(asked: str | None) -> Span:
    """Return the span of so many days; the first one where there is none of them."""
    return next((span for span in SPANS if str(span.days) == asked), SPANS[0])


def chart_spending(span: Span, names: dict[str, str]) -> Chart:
    """Return what was spent over time, by the services on which most was; `names` has theirs by their ids."""
    series = read_series(span.query("service"))
    values: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    sums: dict[str, int] = defaultdict(int)
    for point in series.points():
        cost = point["cost_nano_usd"] or 0
        values[point["at"]][point["key"]] += cost
        sums[point["key"]] += cost
    ranked = sorted((service for service, cost in sums.items() if cost), key=lambda service: -sums[service])
    shown, others = ranked[:SHOWN], ranked[SHOWN:]
    columns = [Column(_name(uid, names), link_to_calls(span.first, today(), service=uid)) for uid in shown]
    if others:
        columns.append(Column(OTHERS))
    whole = sum(sums.values())
    most = f", most on {_name(shown[0], names)} ({usd(sums[shown[0]])})" if shown else ""
    return Chart(
        name="spending",
        title="Spend by service",
        unit="usd",
        per=span.per.capitalize(),
        series=columns,
        rows=_rows(
            span,
            lambda at: [values[at][name] for name in shown] + [sum(values[at][name] for name in others)] * bool(others),
        ),
        summary=f"{usd(whole)} in {span.words}{most}.",
        empty="Nothing was spent in this period. Costs appear here as soon as an answer is complete.",
    )


def _name(service: str, names: dict[str, str]) -> str:
    return names.get(service, service) or "no service"


KINDS = (
    ("input", ("input_tokens",)),
    ("cached", ("cache_read_tokens", "cache_write_tokens")),
    ("output", ("output_tokens", "reasoning_tokens")),
)


def chart_tokens(span: Span) -> Chart:
    """Return the tokens over time: new input, what a cache read or wrote, output with reasoning."""
    values = {point["at"]: _kinds(point) for point in read_series(span.query("all")).points()}
    sums = [sum(row[at] for row in values.values()) for at in range(len(KINDS))]
    text = ", ".join(f"{short(number)} {name}" for (name, _), number in zip(KINDS, sums, strict=True))
    return Chart(
        name="tokens",
        title="Input, cached and output tokens",
        unit="tokens",
        per=span.per.capitalize(),
        series=[Column(name) for name, _ in KINDS],
        rows=_rows(span, lambda at: values.get(at, [0] * len(KINDS))),
        summary=f"{text} in {span.words}.",
        empty="No tokens were used in this period.",
    )


def _kinds(point: dict[str, Any]) -> list[int]:
    return [sum(point[column] or 0 for column in columns) for _, columns in KINDS]


def _rows(span: Span, values: Callable[[str], list[int]]) -> list[Row]:
    return [
        Row(_label(first, span.per), link_to_calls(first, last), values(first.isoformat()))
        for first, last in _periods(span)
    ]


def _periods(span: Span) -> Iterator[tuple[date, date]]:
    """Yield the first and the last day of each period, those without calls too."""
    first, end = span.first, today()
    while first <= end:
        after = first + DAY if span.per == "day" else begin(first + 31 * DAY, "month")
        yield first, min(after - DAY, end)
        first = after


def begin(day: date, per: str) -> date:
    """Return the first day of the day's period."""
    return day if per == "day" else day.replace(day=1)


def _label(first: date, per: str) -> str:
    return f"{first:%b %-d}" if per == "day" else f"{first:%b %Y}"
