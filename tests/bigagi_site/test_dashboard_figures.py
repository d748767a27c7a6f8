"""The dashboard's figures: exact, from the rollups, with a link to what is behind each."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bigagi_site.dashboard import statistics
from bigagi_site.dashboard.charts import SPANS, chart_spending, chart_tokens
from bigagi_site.dashboard.heavy import FINDERS
from bigagi_site.dashboard.speed import read_speeds
from bigagi_site.dashboard.spending import find_expensive_models, read_month
from bigagi_site.models import Statistic
from bigagi_site.templatetags.figures import ago, duration, percent, short, usd
from metrics.days import DAY, month_of, start_of, today
from metrics.ledger.corrections import correct
from metrics.ledger.triggers import drop_triggers
from metrics.models import Budget, CountingStart, LogEntry, UsageEvent
from metrics.models.rollups import LATENCY_BOUNDS
from stores.models import Change
from stores.records.units import format_count, format_dollars, format_size, format_usd
from tests.metrics.events import make_event

pytestmark = pytest.mark.django_db
NOON = 12 * 3_600_000


@pytest.fixture
def owner_client(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def at(day) -> int:
    return start_of(day) + NOON


def html_of(client, query: str = "") -> str:
    response = client.get(reverse("admin:index") + query)
    assert response.status_code == 200
    return response.content.decode()


def test_a_month_is_set_against_the_last_one(time_machine):
    time_machine.move_to("2026-05-10T08:00:00Z")
    first, _ = month_of(today())
    last, _ = month_of(first - DAY)
    for day, nano_usd in ((first, 5), (today(), 7), (last, 3), (last + 9 * DAY, 1), (last + 10 * DAY, 100)):
        make_event(at=at(day), cost_nano_usd=nano_usd * 10**9)
    make_event(at=at(today()), cost_nano_usd=None, cost_code="no-pricing", outcome="timeout")
    make_event(at=at(today()), source="test", cost_nano_usd=10**12)
    taken_back = make_event(at=at(today()), cost_nano_usd=10**12)
    correct(taken_back)
    month = read_month()
    assert (month.now.nano_usd, month.now.calls, month.now.unpriced, month.now.errors) == (12 * 10**9, 3, 1, 1)
    assert (month.last_so_far.nano_usd, month.last.nano_usd) == (4 * 10**9, 104 * 10**9)
    assert month.change == 200
    assert round(month.error_share) == 33


def test_a_month_without_a_last_one_has_no_change():
    make_event(at=at(today()))
    assert read_month().change is None


def test_charts_have_every_day_and_the_services_that_cost_most():
    for number in range(9):
        make_event(at=at(today() - number * DAY), service=f"service-{number}", cost_nano_usd=(number + 1) * 10**6)
    chart = chart_spending(SPANS[0], {"service-8": "Eighth"})
    assert [column.name for column in chart.series] == ["Eighth", *(f"service-{n}" for n in (7, 6, 5, 4, 3)), "others"]
    assert "most on Eighth" in chart.summary
    assert len(chart.rows) == 30
    assert [sum(row.values) for row in chart.rows[-9:]] == [n * 10**6 for n in range(9, 0, -1)]
    assert [row.values[-1] for row in chart.rows[-3:]] == [3 * 10**6, 2 * 10**6, 10**6]
    tokens = chart_tokens(SPANS[0])
    assert [row.values for row in tokens.rows[-9:]] == [[100, 0, 20]] * 9
    assert sum(map(sum, (row.values for row in tokens.rows[:-9]))) == 0


def test_a_year_has_whole_months(time_machine):
    time_machine.move_to("2026-05-10T08:00:00Z")
    make_event(at=at(today()), cost_nano_usd=10**9)
    rows = chart_spending(SPANS[2], {}).rows
    assert [row.label for row in rows][::11] == ["May 2025", "Apr 2026"] and len(rows) == 13
    assert rows[-1].values == [10**9]
    assert "when=2026-05-01..2026-05-10" in rows[-1].url.replace("%3A", ":")


def test_models_and_services_are_ranked_with_their_latencies():
    make_event(at=at(today()), model="dear", service="slow", cost_nano_usd=10**9, ms_to_first_token=5000, ms_total=9000)
    for _ in range(3):
        make_event(at=at(today()), model="cheap", service="quick", cost_nano_usd=1, ms_to_first_token=40)
    models = find_expensive_models(today(), today())
    assert [(row["model"], row["amounts"].calls) for row in models] == [("dear", 1), ("cheap", 3)]
    quick, slow = read_speeds(today(), today())
    assert (quick.service, quick.calls, quick.errors) == ("quick", 3, 0)
    assert 32 <= quick.first_p50 <= 64
    assert 4096 <= slow.first_p95 <= 8192 < slow.total_p95 <= 16384
    assert LATENCY_BOUNDS[0] == 32


def test_the_page_tells_an_empty_ledger(owner_client):
    html = html_of(owner_client)
    for words in (
        "Nothing was spent in this period",
        "No tokens were used",
        "No service was called",
        "No API calls in the last hour",
        "No changes yet",
        "Calculating…",
        "No budget yet. Set one to be warned",
    ):
        assert words in html, words


def test_the_page_takes_as_many_queries_for_many_calls_as_for_few(owner_client):
    counts = []
    for number in (1, 40):
        for at_ in range(number):
            make_event(at=at(today() - at_ % 20 * DAY), service=f"s-{at_ % 9}", model=f"m-{at_ % 13}")
        with CaptureQueriesContext(
            connection,
        ) as queries:
            html_of(owner_client)
        counts.append(len(queries))
    assert counts[0] == counts[1] < 60
    ledger = [query["sql"] for query in queries if re.search(r'FROM "?metrics_usageevent"? ', query["sql"])]
    assert all("MIN(" in sql or "LIMIT" in sql or "RECURSIVE" in sql for sql in ledger), ledger


def test_heavy_figures_are_kept_and_shown_with_their_age(owner_client):
    make_event(at=at(today()), conversation="chat-1", cost_nano_usd=7 * 10**9)
    make_event(at=at(today()), cost_nano_usd=None, cost_code="no-pricing", model="local-1", conversation="")
    statistics.find_due()
    assert {row.name for row in Statistic.objects.all()} == set(FINDERS)
    assert not Statistic.objects.exclude(error="").exists()
    Statistic.objects.update(found_at=timezone.now() - timedelta(hours=3, minutes=2))
    html = html_of(owner_client)
    assert "chat-1" in html and "$7.00" in html and "no longer here" in html
    assert "3\xa0hours ago" in html
    assert "Calculating…" not in html
    assert "local-1</a>: 1" in html
    assert 'bigagi-good">OK' in html
    assert "metrics_usageevent" in html


def test_what_is_due_is_asked_for_and_what_is_not_is_left(monkeypatch):
    asked = []
    monkeypatch.setattr(statistics, "find_in_background", lambda: asked.append(True))
    statistics.read_statistics()
    assert asked
    statistics.find_due()
    asked.clear()
    statistics.read_statistics()
    assert not asked
    # What takes long is found less often.
    Statistic.objects.filter(name="expensive_chats").update(found_at=timezone.now() - timedelta(minutes=2))
    statistics.read_statistics()
    assert asked
    asked.clear()
    Statistic.objects.filter(name="expensive_chats").update(seconds=10)
    statistics.read_statistics()
    assert not asked


def test_figures_that_cannot_be_found_leave_the_last_ones_and_say_why(owner_client):
    statistics.find("accounts", lambda: [{"service": "kept", "counted": 1, "explained": 1, "gap": 0, "since": 0}])

    def fail():
        raise ValueError("no such sums")

    statistics.find("accounts", fail)
    html = html_of(owner_client)
    assert "kept" in html and "no such sums" in html


def test_what_does_not_hold_together_is_told(owner_client):
    drop_triggers()
    make_event(at=at(today()))
    statistics.find("integrity", FINDERS["integrity"].find)
    html = html_of(owner_client)
    assert "The sums differ from the ledger" in html and "rebuild_ledger" in html
    assert "The ledger is missing triggers" in html and "metrics_ledger_no_update" in html
    assert 'bigagi-bad">damaged' in html


def test_changes_and_warnings_are_listed(owner_client):
    LogEntry.objects.create(at=timezone.now(), level="error", logger="chats", event="the provider was away")
    LogEntry.objects.create(at=timezone.now() - timedelta(days=2), level="error", logger="chats", event="long ago")
    owner_client.post(reverse("dashboard-budget"), {"service": "", "usd": "20"})
    html = html_of(owner_client)
    assert "the provider was away" in html and "long ago" not in html
    assert "set a budget" in html
    assert "of $20.00" in html


def test_a_budget_goes_through_the_journal(owner_client):
    owner_client.post(reverse("dashboard-budget"), {"service": "openai", "usd": "0.000000001"})
    budget = Budget.objects.get()
    change = Change.objects.get()
    assert (budget.service, budget.nano_usd, budget.change) == ("openai", 1, str(change.pk))
    assert (change.source, change.actor) == ("admin", "owner")
    for wrong in ("-1", "x", "1e99", "NaN", "0.0000000001"):
        owner_client.post(reverse("dashboard-budget"), {"service": "openai", "usd": wrong})
    assert Budget.objects.count() == 1


def test_counting_anew_goes_through_the_journal(owner_client):
    make_event(at=at(today() - DAY), cost_nano_usd=10**9)
    owner_client.post(reverse("dashboard-counting"))
    start, change = CountingStart.objects.get(), Change.objects.get()
    assert start.change == str(change.pk) and change.source == "admin"
    html = html_of(owner_client)
    assert "Since 20" in html and "$1.00, 1 call</a>" in html
    assert UsageEvent.objects.count() == 1


@pytest.mark.parametrize("name", ["dashboard", "dashboard-counting", "dashboard-budget"])
def test_only_staff_may(client, name):
    client.force_login(get_user_model().objects.create_user("guest"))
    response = client.get(reverse(name)) if name == "dashboard" else client.post(reverse(name))
    assert response.status_code == 302 and reverse("sign-in") in response.url
    assert not CountingStart.objects.exists() and not Budget.objects.exists()


@pytest.mark.parametrize("name", ["dashboard-counting", "dashboard-budget"])
def test_looking_changes_nothing(owner_client, name):
    assert owner_client.get(reverse(name)).status_code == 405


def test_exact_money_and_sizes():
    assert [format_usd(n) for n in (None, 0, 1_200_000, 1_234_500_000_000, -5)] == [
        *("–", "$0.00", "$0.0012", "$1,234.50", "−$0.000000005")
    ]
    assert [format_dollars(amount) for amount in (2.5, 0.0000004, -0.25)] == ["$2.50", "$0.00", "−$0.25"]
    sizes = [format_size(n).replace("\xa0", " ") for n in (None, 0, 999, 12_345, 999_960, 3 * 10**9, 10**16)]
    assert sizes == ["–", "0 B", "999 B", "12.3 kB", "1.0 MB", "3.0 GB", "10,000.0 TB"]
    assert [format_count(n, "message") for n in (1, 2, 1234)] == ["1 message", "2 messages", "1,234 messages"]


@pytest.mark.parametrize(
    ("nano_usd", "text"),
    [
        (None, "unpriced"),
        (0, "$0.00"),
        (1, "$0.000000001"),
        (12_345, "$0.000012"),
        (45_600_000, "$0.046"),
        (999_000_000, "$1.00"),
        (12_345_678_900_000, "$12,345.68"),
        (-2 * 10**9, "−$2.00"),
    ],
)
def test_money(nano_usd, text):
    assert usd(nano_usd) == text


def test_figures_at_a_glance():
    assert [short(n) for n in (None, 0, 9999, 12_345, 999_999, 1_234_567, 10**9, 10**13)] == [
        *("–", "0", "9,999", "12.3k", "1M", "1.23M", "1B", "10T")
    ]
    assert [duration(ms) for ms in (None, 0.4, 12, 999, 1500, 200_000)] == [
        *("–", "0.4\xa0ms", "12\xa0ms", "999\xa0ms", "1.5\xa0s", "3.3\xa0min")
    ]
    assert [percent(share) for share in (None, 0, 0.04, 2.5, 33.3)] == ["–", "0%", "0.0%", "2.5%", "33%"]
    now = timezone.now()
    assert [ago(now - timedelta(seconds=s), now) for s in (5, 150)] == ["just now", "2\xa0minutes ago"]
