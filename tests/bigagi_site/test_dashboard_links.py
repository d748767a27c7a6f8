"""Each number of the dashboard leads to a list of the calls that it counts, and of no others."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from bigagi_site.dashboard import statistics
from bigagi_site.dashboard.heavy import FINDERS
from metrics.counting import start_counting
from metrics.ledger.corrections import correct
from metrics.models import ApiRequest, UsageBaseline
from stores.records.journal.recorder import Origin
from tests.api import make_baseline
from tests.metrics.events import make_event

pytestmark = pytest.mark.django_db

NANO = 10**9


def ms(day: str, hour: int = 12) -> int:
    return int(datetime.fromisoformat(day).replace(hour=hour, tzinfo=UTC).timestamp()) * 1000


UNTIL, START = ms("2026-04-20"), ms("2026-05-04")
NAMELESS = {"service": "", "vendor": "", "model": ""}
CALLS = {
    "old": {"at": ms("2024-05-01"), "cost_nano_usd": None, "cost_code": "no-pricing"},
    "counted": {"at": UNTIL, "source": "import", "cost_nano_usd": 32 * NANO},
    "later": {"at": UNTIL + 1, "source": "import", "cost_nano_usd": 64 * NANO},
    "nameless counted": {"at": UNTIL, "source": "import", "cost_nano_usd": 2 * NANO} | NAMELESS,
    "unpriced": {"at": ms("2026-05-03"), "cost_nano_usd": None, "cost_code": "no-pricing"},
    "just before": {"at": START - 1, "cost_nano_usd": 4 * NANO},
    "first": {"at": START, "cost_nano_usd": 8 * NANO},
    "nameless": {"at": ms("2026-05-05"), "outcome": "timeout", "cost_nano_usd": NANO} | NAMELESS,
    "chat": {"at": ms("2026-05-07"), "conversation": "Chat 1", "cost_nano_usd": 128 * NANO},
    "other chat": {"at": ms("2026-05-07"), "conversation": "chat 1", "model": "Chat 1", "cost_nano_usd": 256 * NANO},
    "reversed": {"at": ms("2026-05-08"), "service": "back", "outcome": "timeout", "cost_nano_usd": 512 * NANO},
    "brought back": {"at": ms("2026-05-08"), "service": "back", "cost_nano_usd": 1024 * NANO},
    "tomorrow": {"at": ms("2026-05-11"), "cost_nano_usd": 16 * NANO},
    "test": {"at": ms("2026-05-08"), "source": "test", "cost_nano_usd": 2048 * NANO},
}
SINCE = ["first", "nameless", "chat", "other chat", "brought back", "tomorrow"]
MAY = ["unpriced", "just before", *SINCE]
ALL = ["old", "counted", "later", "nameless counted", *MAY]


@pytest.fixture
def owner_client(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


@pytest.fixture
def calls(time_machine):
    """Write the calls; return the events by which they stand."""
    time_machine.move_to("2026-05-10T08:00:00Z", tick=False)
    events = {name: make_event(**facts) for name, facts in CALLS.items()}
    correct(events["reversed"])
    events["brought back"] = correct(correct(events["brought back"]))
    for service, usd in (("openai", 32), ("", 2)):
        make_baseline(service, usageCount=1, totalCosts=usd, firstUsageDate=1, lastUsageDate=UNTIL)
    return events


def find_statistics():
    for name in ("expensive_chats", "accounts", "prices"):
        statistics.find(name, FINDERS[name].find)


def card_of(client, name: str) -> str:
    html = client.get(reverse("admin:index")).content.decode()
    return html.partition(f'data-card="{name}"')[2].partition("data-card=")[0]


def follow(client, card: str, text: str):
    [address] = set(re.findall(rf'href="([^"]*)">{re.escape(text)}</a>', card))
    return client.get(unescape(address)).context["cl"]


@pytest.mark.parametrize(
    ("card", "shown", "link", "found"),
    [
        ("figures", "Spent in May $1,437.00", "$1,437.00", MAY),
        ("figures", "Calls in May 8", "8", MAY),
        ("figures", "1 failed", "1 failed", ["nameless"]),
        ("figures", "1 call unpriced", "1 call", ["unpriced"]),
        ("figures", "Since 2026-05-04 $1,433.00 6 calls", "$1,433.00", SINCE),
        ("figures", "All time: $1,535.00, 12 calls", "$1,535.00, 12 calls", ALL),
        ("chart-spending", "no service", "no service", ["nameless counted", "nameless"]),
        ("chart-spending", "May 8", "May 8", ["brought back"]),
        ("models", "no model $3.00 2", "no model", ["nameless counted", "nameless"]),
        ("speed", "no service 2 50%", "no service", ["nameless counted", "nameless"]),
        ("speed", "no service 2 50%", "50%", ["nameless"]),
        ("speed", "back 1 0%", "back", ["brought back"]),
        ("accounts", "openai $32.00 $32.00", "$32.00", ["counted"]),
        ("accounts", "no service $2.00 $2.00", "$2.00", ["nameless counted"]),
        ("expensive-chats", "Chat 1 no longer here $128.00 1", "Chat 1", ["chat"]),
        ("expensive-chats", "chat 1 no longer here $256.00 1", "chat 1", ["other chat"]),
        ("prices", "1 call of these are unpriced", "1 call", ["unpriced"]),
    ],
)
def test_a_number_leads_to_its_calls(owner_client, calls, card, shown, link, found):
    find_statistics()
    start_counting(Origin("api", "owner"), at=START)
    html = card_of(owner_client, card)
    assert shown in " ".join(strip_tags(html).split())
    listed = follow(owner_client, html, link)
    assert sorted(row.pk for row in listed.result_list) == sorted(calls[name].pk for name in found)
    # Each filter is among those that the list shows, and can be taken away there.
    for spec in listed.filter_specs:
        assert sum(choice["selected"] for choice in spec.choices(listed)) == 1, spec.title


def test_all_time_leads_to_all_calls(owner_client, calls):
    find_statistics()
    html = card_of(owner_client, "figures")
    assert "All time $1,535.00 12 calls" in " ".join(strip_tags(html).split())
    listed = follow(owner_client, html, "$1,535.00")
    assert sorted(row.pk for row in listed.result_list) == sorted(calls[name].pk for name in ALL)


def test_totals_without_a_date_explain_all_messages(owner_client, calls):
    UsageBaseline.objects.all().delete()
    make_baseline("openai", usageCount=2, totalCosts=96)
    find_statistics()
    listed = follow(owner_client, card_of(owner_client, "accounts"), "$96.00")
    assert sorted(row.pk for row in listed.result_list) == [calls["counted"].pk, calls["later"].pk]


def test_messages_that_explain_nothing_are_no_link(owner_client, calls):
    UsageBaseline.objects.all().delete()
    find_statistics()
    html = card_of(owner_client, "accounts")
    assert "openai $0.00 $0.00 $0.00" in " ".join(strip_tags(html).split())
    assert reverse("admin:metrics_usageevent_changelist") not in html


def test_a_slow_route_leads_to_its_requests_of_the_hour(owner_client, time_machine):
    time_machine.move_to("2026-05-10T08:00:00Z", tick=False)
    found = []
    for minutes, route, method in ((61, "/api/chats", "GET"), (59, "/api/chats", "GET"), (5, "/api/llms", "GET")):
        at = timezone.now() - timedelta(minutes=minutes)
        facts = {"at": at, "method": method, "route": route, "status": 200, "duration_ms": 1.5}
        found.append(ApiRequest.objects.create(**facts, query_count=1, query_ms=0.5, bytes_sent=10))
    listed = follow(owner_client, card_of(owner_client, "routes"), "GET /api/chats")
    assert [row.pk for row in listed.result_list] == [found[1].pk]
