"""The ledger over REST: filters, pages, tables and lines of JSON."""

import csv
import io
import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from metrics.events import BATCH, FIELDS
from metrics.ledger.corrections import correct
from metrics.models import UsageEvent
from stores.records.sql import insert_rows
from tests.api import read, read_problem, sign_in
from tests.metrics.events import NOON, make_event

pytestmark = pytest.mark.django_db

EVENTS = "/api/metrics/events"


def ids(answer) -> list[int]:
    return [event["id"] for event in read(answer)["results"]]


def fill(count: int) -> None:
    """Write many events, some of them in the same millisecond."""
    names = ["at", "source", "service", "vendor", "model", "conversation", "message", "estimated"]
    names += ["cost_code", "price_source", "outcome", "calls", "change"]
    row = ["chat", "s", "v", "m", "", "", False, "", "", "done", 1, ""]
    insert_rows(UsageEvent, names, [[NOON + at // 7, *row] for at in range(count)])


def test_an_event_has_the_members_of_the_design():
    event = make_event(conversation="chat", message="m0", cost_nano_usd=None, cost_code="no-pricing", outcome="error")
    [found] = read(sign_in().get(EVENTS))["results"]
    assert tuple(found) == FIELDS
    assert (found["id"], found["cost_nano_usd"], found["corrects"], found["corrected_by"]) == (
        event.pk,
        None,
        None,
        None,
    )
    assert read(sign_in(username="two").get(f"{EVENTS}/{event.pk}")) == found


def test_the_newest_come_first_and_pages_hold_each_once():
    fill(130)
    client = sign_in()
    expected = list(UsageEvent.objects.order_by("-at", "-pk").values_list("pk", flat=True))
    seen, url = [], f"{EVENTS}?page_size=20"
    while url:
        page = read(client.get(url))
        seen += [event["id"] for event in page["results"]]
        previous, url = url, page["next"]
    assert seen == expected
    back = read(client.get(previous))["previous"]
    assert ids(client.get(back)) == expected[100:120]
    assert ids(client.get(f"{EVENTS}?ordering=at&page_size=5")) == expected[::-1][:5]


def test_tests_are_listed_where_they_are_asked_for():
    chat, test = make_event(), make_event(source="test")
    client = sign_in()
    assert ids(client.get(EVENTS)) == [chat.pk]
    assert ids(client.get(f"{EVENTS}?source=test")) == [test.pk]
    assert read(client.get(f"{EVENTS}/{test.pk}"))["source"] == "test"


def test_a_call_and_what_takes_it_back_know_each_other():
    event = make_event()
    correction = correct(event)
    by_id = {found["id"]: found for found in read(sign_in().get(EVENTS))["results"]}
    assert by_id[event.pk]["corrected_by"] == correction.pk and by_id[correction.pk]["corrects"] == event.pk
    assert by_id[correction.pk]["cost_nano_usd"] == -450_000


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("service=a", [0]),
        ("vendor=v", [1]),
        ("model=m%2F1", [2]),
        ("source=import", [3]),
        ("conversation=c", [4, 5]),
        ("conversation=c&message=m", [5]),
        ("failed=true", [6]),
        ("failed=0", [0, 1, 2, 3, 4, 5, 7, 8, 9]),
        ("outcome=timeout", [6]),
        ("unpriced=true", [7]),
        ("unpriced=false&start=2026-05-27&end=2026-05-27", [9]),
        (f"since={NOON - 86_400_000}&until={NOON}", [9]),
        ("start=2026-05-26&end=2026-05-26", [8]),
        ("end=2026-05-25", []),
        ("start=0001-01-01&end=9999-12-31&service=a", [0]),
    ],
)
def test_filters(query, found):
    facts = [
        *({"service": "a"}, {"vendor": "v"}, {"model": "m/1"}, {"source": "import"}, {"conversation": "c"}),
        *({"conversation": "c", "message": "m"}, {"outcome": "timeout"}, {"cost_nano_usd": None}),
        *({"at": NOON - 2 * 86_400_000}, {"at": NOON - 86_400_000, "cost_nano_usd": None, "cost_code": "free"}),
    ]
    keys = [make_event(**fact).pk for fact in facts]
    assert sorted(ids(sign_in().get(f"{EVENTS}?{query}"))) == [keys[at] for at in found]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        *(("source=other", "source"), ("failed=perhaps", "failed"), ("since=1.5", "since"), ("start=soon", "start")),
        *(("format=xml", "format"), ("service=%00", "service"), ("x=1", "x"), ("message=m", "message")),
        *(("format=csv&cursor=abc", "cursor"), ("format=csv&page_size=5", "page_size"), ("page_size=0", "page_size")),
        *(("format=csv&ordering=cost", "ordering"), ("ordering=cost", "ordering"), ("model=" + "x" * 201, "model")),
    ],
)
def test_a_wrong_parameter_is_refused(query, name):
    assert read_problem(sign_in().get(f"{EVENTS}?{query}"), 400)["errors"][0]["pointer"] == f"?{name}"


def test_a_page_takes_the_same_queries_however_many_there_are():
    fill(10)
    client = sign_in()
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            read(client.get(EVENTS))
        counts.append(len(queries))
        fill(100)
    assert counts[0] == counts[1]


# --- streams ---------------------------------------------------------------------------------------------------------

TEXTS = [
    "=1+1",
    "+1",
    "-1",
    "@x",
    "\tx",
    "\rx",
    "\n=x",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    "'=x",
    "plain",
    'quo"te,',
    "line\nbreak",
    "é工🐈",
    "-",
    "a;=1+1;b",
    'a;"=1+1;b',
    "a\t-1\r\n@x\n＝1",
    ";';'=x",
    "a;b;1=1",
]


def read_csv(answer) -> list[dict[str, str]]:
    assert answer.status_code == 200 and answer["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.getvalue().decode(), newline="")))


def test_a_table_holds_no_formula_and_can_be_read_back():
    for text in TEXTS:
        make_event(model=text, service=text, input_tokens=None)
    rows = read_csv(sign_in().get(f"{EVENTS}?format=csv&ordering=at"))
    assert [re.sub(r"(\A|[;\t\r\n])'", r"\1", row["model"]) for row in rows] == TEXTS
    for row in rows:
        for value in row.values():
            assert not value.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n"))
    assert (rows[0]["input_tokens"], rows[0]["output_tokens"], rows[0]["estimated"]) == ("", "20", "false")
    assert rows[0]["time"] == "2026-05-28T20:30:00+00:00"


def test_a_table_holds_no_formula_for_a_spreadsheet_with_another_separator():
    for text in TEXTS:
        make_event(model=text)
    table = sign_in().get(f"{EVENTS}?format=csv&ordering=at").getvalue().decode()
    for separator in (";", "\t"):
        cells = [cell for row in csv.reader(io.StringIO(table, newline=""), delimiter=separator) for cell in row]
        assert [cell for cell in cells if cell.startswith("'")]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠"))]


def test_numbers_in_a_table_stay_numbers():
    correct(make_event())
    rows = read_csv(sign_in().get(f"{EVENTS}?format=csv"))
    assert rows[0]["cost_nano_usd"] == "-450000" and rows[1]["cost_nano_usd"] == "450000"


@pytest.mark.parametrize("accept", [True, False])
def test_lines_of_json_are_the_events(accept):
    make_event(model="é", cost_nano_usd=None)
    make_event(source="test")
    client = sign_in()
    headers = {"Accept": "application/x-ndjson"} if accept else {}
    answer = client.get(EVENTS if accept else f"{EVENTS}?format=ndjson", headers=headers)
    assert answer["Content-Type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in answer.getvalue().splitlines()]
    assert lines == read(client.get(EVENTS))["results"]


def test_streams_hold_all_that_the_filters_find():
    fill(BATCH + 15)
    make_event(service="other")
    client = sign_in()
    expected = list(UsageEvent.objects.filter(service="s").order_by("-at", "-pk").values_list("pk", flat=True))
    lines = client.get(f"{EVENTS}?format=ndjson&service=s").getvalue().splitlines()
    assert [json.loads(line)["id"] for line in lines] == expected
    rows = read_csv(client.get(f"{EVENTS}?format=csv&service=s&ordering=at"))
    assert [int(row["id"]) for row in rows] == expected[::-1]


def test_a_table_of_nothing_has_its_names():
    answer = sign_in().get(EVENTS, headers={"Accept": "text/csv"})
    assert answer.getvalue().decode().strip() == ",".join((*FIELDS, "time"))


def test_errors_are_problems_whatever_is_accepted():
    read_problem(sign_in().get(f"{EVENTS}?x=1", headers={"Accept": "text/csv"}), 400)
    read_problem(sign_in(username="two").get(f"{EVENTS}/999"), 404)
    read_problem(sign_in(username="three").get(EVENTS, headers={"Accept": "text/html"}), 406)
