"""Opening the dashboard: the whole page, over a thousand calls and over many."""

import statistics
import time

from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from bigagi_site.dashboard import statistics as heavy
from tests.benchmarks.measuring import print_table

FEW = 1_000
GROWTH = 1.5
TIMES = 15


def open_dashboard() -> float:
    """Return the median seconds of the page. Heavy figures are found beside it, and not here."""
    heavy.find_in_background = lambda: None
    owner, _ = get_user_model().objects.get_or_create(username="owner", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(owner)
    seconds = []
    for _ in range(TIMES):
        started = time.perf_counter()
        response = client.get(reverse("admin:index"), headers={"host": "localhost"})
        assert response.status_code == 200
        seconds.append(time.perf_counter() - started)
    # The first ones compile templates.
    return statistics.median(seconds[3:])


def compare(few: float, many: float, events: int) -> bool:
    """Print the table; return whether the target is met."""
    heads = ["opening the dashboard", f"{FEW:,} calls, ms", f"{events:,} calls, ms", "ratio"]
    row = ["the whole page", f"{few * 1000:.0f}", f"{many * 1000:.0f}", f"{many / few:.2f} (≤ {GROWTH})"]
    print_table(heads, [row])
    return many <= few * GROWTH
