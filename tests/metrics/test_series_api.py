"""Series over REST; what they say is tested with the service."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.days import DAY, today
from metrics.series import COLUMNS, LATENCIES, Query, read_series
from tests.api import read, read_problem, sign_in
from tests.metrics.events import NOON, make_event

pytestmark = pytest.mark.django_db

SERIES = "/api/metrics/series"


def test_a_series_is_a_table():
    make_event(model="m/1")
    make_event(model="m/1", service="other")
    found = read(sign_in().get(f"{SERIES}?by=model&per=week&start=2026-05-01&end=2026-06-30&service=openai"))
    assert found["columns"] == list(COLUMNS)
    [row] = found["rows"]
    assert row[:3] == ["2026-05-25", "m/1", 1]
    expected = read_series(Query(date(2026, 5, 1), date(2026, 6, 30), by="model", per="week", service="openai"))
    assert found["rows"] == [list(row) for row in expected.rows]
    facts = {name: found[name] for name in ("by", "per", "start", "end", "zone")}
    assert facts == {"by": "model", "per": "week", "start": "2026-05-01", "end": "2026-06-30", "zone": "UTC"}


def test_it_shows_the_last_thirty_days_unless_asked():
    found = read(sign_in().get(SERIES))
    assert (found["start"], found["end"]) == (str(today() - 29 * DAY), str(today()))


def test_percentiles_can_be_left_out():
    make_event()
    found = read(sign_in().get(f"{SERIES}?latencies=false&start=2026-05-01&end=2026-06-01"))
    assert not set(found["columns"]) & set(LATENCIES) and len(found["rows"][0]) == len(found["columns"])


@pytest.mark.parametrize(
    ("query", "name"),
    [
        *(("by=colour", "by"), ("per=year", "per"), ("start=tomorrow", "start"), ("end=2026-13-01", "end")),
        *(("start=2026-02-02&end=2026-02-01", "end"), ("source=test", "source"), ("latencies=some", "latencies")),
        *(("service=%00", "service"), ("model=" + "x" * 201, "model"), ("nonsense=1", "nonsense")),
        *(
            ("end=0001-01-01", "end"),
            ("end=9999-12-31", "end"),
            ("start=1969-01-01", "start"),
            ("by=hour&start=2026-01-01", "start"),
        ),
    ],
)
def test_a_wrong_parameter_is_refused(query, name):
    problem = read_problem(sign_in().get(f"{SERIES}?{query}"), 400)
    assert problem["errors"][0]["pointer"] == f"?{name}"


def test_a_bound_is_named():
    problem = read_problem(sign_in().get(f"{SERIES}?by=persona&start=2026-01-01&end=2026-02-01"), 400)
    assert "31 days" in problem["detail"]


def test_it_reads_by_one_statement_however_much_there_is():
    client = sign_in()
    counts = []
    for count in (1, 40):
        for at in range(count):
            make_event(at=NOON + at * 3_600_000, model=f"m{at}")
        with CaptureQueriesContext(connection) as queries:
            read(client.get(f"{SERIES}?by=model&start=2026-05-01&end=2026-06-30"))
        counts.append(sum("metrics_" in query["sql"] for query in queries))
    assert counts == [1, 1]
