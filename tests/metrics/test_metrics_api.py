import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bigagi_site.tokens import create_token
from metrics.ledger.rollups import find_differences
from metrics.models import Budget, CountingStart, UsageDay, UsageEvent
from stores.models import Change
from tests.api import make_baseline, make_model, make_service, read, read_problem, sign_in
from tests.metrics.events import NOON, make_event

pytestmark = pytest.mark.django_db

UNKNOWN = dict.fromkeys(
    [
        *("totalCosts", "totalSavings", "totalInputTokens", "totalOutputTokens", "usageCount", "freeUsages"),
        *("noPricingUsages", "noTokenUsages", "partialMessageUsages", "partialPriceUsages"),
        *("firstUsageDate", "lastUsageDate"),
    ]
)


NOTHING = {"cost_nano_usd": None, "unpriced": 0}


def without_facts(totals: dict) -> dict:
    return {name: value for name, value in totals.items() if name != "_server"}


def test_without_metrics_all_is_unknown():
    expected = {"totals": UNKNOWN | {"_server": NOTHING}, "services": {}, "since": None}
    assert read(sign_in().get("/api/metrics")) == expected


def test_totals_are_the_sums_over_the_services():
    first = {"totalCosts": 0.1, "totalSavings": -0.5, "usageCount": 2, "freeUsages": 1, "firstUsageDate": 20}
    second = {"totalCosts": 0.2, "usageCount": 3, "firstUsageDate": 10, "lastUsageDate": 40, "odd": ["kept"]}
    make_baseline("openai", **first)
    make_baseline("a/b", **second)
    metrics = read(sign_in().get("/api/metrics"))
    assert {service: without_facts(totals) for service, totals in metrics["services"].items()} == {
        "openai": first,
        "a/b": second,
    }
    assert metrics["services"]["openai"]["_server"] == {"cost_nano_usd": 100_000_000, "unpriced": 0}
    assert metrics["totals"]["_server"] == {"cost_nano_usd": 300_000_000, "unpriced": 0}
    assert without_facts(metrics["totals"]) == UNKNOWN | {
        "totalCosts": pytest.approx(0.3),
        "totalSavings": -0.5,
        "usageCount": 5,
        "freeUsages": 1,
        "firstUsageDate": 10,
        "lastUsageDate": 40,
    }


def test_damaged_totals_are_shown_and_not_added_up():
    damaged = {"totalCosts": "much", "totalSavings": 10**400, "usageCount": True, "freeUsages": None}
    make_baseline("odd", **damaged)
    make_baseline("openai", totalCosts=0.5, totalSavings=0.25, usageCount=1, freeUsages=2)
    metrics = read(sign_in().get("/api/metrics"))
    assert metrics["services"]["odd"] == damaged | {"_server": NOTHING}
    assert metrics["totals"]["totalCosts"] == 0.5
    assert metrics["totals"]["totalSavings"] == 0.25
    assert metrics["totals"]["usageCount"] == 1
    assert metrics["totals"]["freeUsages"] == 2


def test_calls_in_the_ledger_count_beside_what_browsers_counted():
    make_baseline("openai", totalCosts=0.5, usageCount=3, lastUsageDate=NOON, totalInputTokens=7)
    make_event(at=NOON, source="import", cost_nano_usd=1)
    make_event(at=NOON + 1, source="import", cost_nano_usd=10)
    make_event(at=NOON - 5, cost_nano_usd=200, cache_read_tokens=4)
    make_event(at=NOON + 9, cost_nano_usd=None, cost_code="no-pricing")
    make_event(source="test")
    metrics = read(sign_in().get("/api/metrics"))
    [totals] = metrics["services"].values()
    assert totals["_server"] == {"cost_nano_usd": 500_000_210, "unpriced": 1}
    assert totals["totalCosts"] == pytest.approx(0.50000021)
    assert (totals["usageCount"], totals["totalInputTokens"], totals["totalOutputTokens"]) == (6, 311, 60)
    assert (totals["firstUsageDate"], totals["lastUsageDate"]) == (NOON - 5, NOON + 9)


def test_what_no_call_tells_is_unknown():
    make_event(cost_nano_usd=None, cost_code="no-tokens", input_tokens=None, output_tokens=None)
    [totals] = read(sign_in().get("/api/metrics"))["services"].values()
    assert totals["usageCount"] == 1
    assert [totals[name] for name in ("totalCosts", "totalInputTokens", "totalOutputTokens")] == [None] * 3
    assert totals["_server"] == {"cost_nano_usd": None, "unpriced": 1}


def test_an_unknown_parameter_is_refused():
    read_problem(sign_in().get("/api/metrics?service=openai"), 400)


def test_the_number_of_queries_does_not_grow_with_the_rows():
    client = sign_in()
    counts = []
    for first, last in ((0, 3), (3, 60)):
        for number in range(first, last):
            make_baseline(f"s{number}")
        with CaptureQueriesContext(connection) as queries:
            assert len(read(client.get("/api/metrics"))["services"]) == last
        counts.append(len(queries))
    assert counts[0] == counts[1]


# --- one call --------------------------------------------------------------------------------------------------------

CALL = {"model": "gpt-4o-mini", "vendor": "openai", "input_tokens": 1000, "output_tokens": 100, "at": NOON}


def post(client, body, path="/api/metrics", **headers):
    return client.post(path, body, content_type="application/json", headers=headers)


def test_a_call_is_written_into_the_ledger_and_can_be_undone():
    client = sign_in()
    answer = post(client, CALL | {"service": "elsewhere", "cost_nano_usd": 7, "ms_total": 900})
    assert answer.status_code == 201
    event = answer.json()
    assert read(client.get(answer["Location"])) == event
    assert event["source"] == "api" and event["outcome"] == "done" and event["reasoning_tokens"] is None
    assert (event["cost_nano_usd"], event["price_source"], event["cost_code"]) == (7, "client", "")
    change = Change.objects.get(pk=answer["Bigagi-Change"])
    assert change.action == "record usage" and change.summary == "gpt-4o-mini"
    assert UsageDay.objects.get(dimension="service", key="elsewhere").cost_nano_usd == 7
    assert post(client, {}, f"/api/changes/{change.pk}/undo").status_code == 201
    assert UsageDay.objects.get(dimension="service", key="elsewhere").cost_nano_usd == 0
    assert read(client.get(answer["Location"]))["corrected_by"] == UsageEvent.objects.get(corrects=event["id"]).pk
    assert find_differences() == []


def test_a_call_of_a_model_that_is_here_has_its_price():
    make_service()
    make_model(pricing={"chat": {"input": 2, "output": 10}})
    event = post(sign_in(), CALL | {"model": "openai-gpt", "vendor": ""}).json()
    assert (event["service"], event["vendor"], event["price_source"]) == ("openai", "openai", "model")
    assert event["cost_nano_usd"] == 1000 * 2000 + 100 * 10_000


def test_a_price_beyond_all_sense_leaves_a_call_unpriced():
    make_service()
    make_model(pricing={"chat": {"input": 900_000_000, "output": 1}})
    event = post(sign_in(), CALL | {"model": "openai-gpt", "input_tokens": 10**12 - 1}).json()
    assert (event["input_tokens"], event["cost_nano_usd"], event["cost_code"]) == (10**12 - 1, None, "no-pricing")
    assert UsageDay.objects.get(dimension="all").unpriced == 1


def test_a_call_of_another_model_has_the_price_of_the_book():
    event = post(sign_in(), CALL).json()
    assert event["cost_nano_usd"] == 1000 * 150 + 100 * 600
    assert event["price_source"].startswith("book")


@pytest.mark.parametrize(
    ("change", "code"),
    [({"model": "nobody-knows"}, "no-pricing"), ({"input_tokens": None, "output_tokens": 0}, "no-tokens")],
)
def test_where_no_price_is_known_the_code_says_why(change, code):
    event = post(sign_in(), CALL | change).json()
    assert (event["cost_nano_usd"], event["cost_code"]) == (None, code)


def test_a_key_that_slipped_into_a_name_does_not_stay_for_good():
    key = "sk-proj-" + "A1b2C3d4" * 5
    event = post(sign_in(), CALL | {"model": f"gpt {key}", "service": key}).json()
    assert (event["model"], event["service"]) == ("gpt bigagi-secret:C3d4", "bigagi-secret:C3d4")
    assert not UsageEvent.objects.filter(model__contains=key).exists()


def test_a_tests_call_counts_nowhere():
    assert post(sign_in(), CALL | {"source": "test"}).json()["source"] == "test"
    assert not UsageDay.objects.exists()


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("input_tokens", -1),
        ("input_tokens", 10**12),
        ("cost_nano_usd", 10**13),
        ("cost_reported_nano_usd", 10**13),
        ("ms_total", 2**53 + 1),
        ("input_tokens", "5"),
        ("input_tokens", True),
        ("output_tokens", 0.5),
        ("at", -1),
        ("at", None),
        ("at", 10**14),
        ("source", "chat"),
        ("source", []),
        ("model", ""),
        ("model", "x" * 201),
        ("service", 5),
        ("service", "a\u0000b"),
        ("estimated", 1),
        ("cost_nano_usd", -5),
        ("id", 5),
        ("corrects", None),
    ],
)
def test_a_wrong_member_is_refused_by_its_pointer(member, value):
    problem = read_problem(post(sign_in(), CALL | {member: value}), 400)
    assert problem["errors"][0]["pointer"] == f"/{member}"
    assert not UsageEvent.objects.exists() and not Change.objects.exists()


def test_the_pointer_to_an_unknown_member_is_escaped():
    client = sign_in()
    for answer in (post(client, CALL | {"a/b~c": 1}), put(client, "/api/metrics/budgets/all", {"a/b~c": 1})):
        assert read_problem(answer, 400)["errors"][0]["pointer"] == "/a~1b~0c"


def test_a_call_sent_twice_with_one_key_is_one_event():
    client = sign_in()
    answers = [post(client, CALL, **{"Idempotency-Key": "once"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json() and answers[1].status_code == 201
    assert UsageEvent.objects.count() == 1


# --- counting anew ---------------------------------------------------------------------------------------------------


def test_counting_anew_asks_first():
    client = sign_in()
    for path in ("/api/metrics", "/api/metrics?confirm=false"):
        problem = read_problem(client.delete(path), 409)
        assert problem["type"].endswith("#not-confirmed")
    assert not CountingStart.objects.exists()


def test_counting_anew_leaves_what_was_counted_of_all_time():
    make_baseline("openai", totalCosts=0.5, usageCount=3)
    make_event()
    client = sign_in()
    before = read(client.get("/api/metrics"))
    answer = client.delete("/api/metrics?confirm=true")
    assert answer.status_code == 200
    make_event(service="anthropic", cost_nano_usd=5, at=answer.json()["at"])
    after = read(client.get("/api/metrics"))
    assert after["services"]["openai"] == before["services"]["openai"]
    since = after["since"]
    assert since["at"] == answer.json()["at"] and str(since["change"]) == answer["Bigagi-Change"]
    assert since["totals"]["_server"]["cost_nano_usd"] == 5 and since["totals"]["usageCount"] == 1
    assert since["services"]["openai"]["usageCount"] == 0
    assert post(client, {}, f"/api/changes/{since['change']}/undo").status_code == 201
    assert read(client.get("/api/metrics"))["since"] is None


def test_right_after_counting_began_anew_all_is_0():
    make_event()
    client = sign_in()
    client.delete("/api/metrics?confirm=true")
    since = read(client.get("/api/metrics"))["since"]
    assert since["totals"]["usageCount"] == 0 and since["totals"]["totalCosts"] == 0
    assert since["totals"]["_server"]["cost_nano_usd"] == 0
    assert [service["usageCount"] for service in since["services"].values()] == [0]


# --- budgets ---------------------------------------------------------------------------------------------------------


def put(client, path, body):
    return client.put(path, body, content_type="application/json")


def test_budgets_are_set_read_and_removed():
    client = sign_in()
    assert read(client.get("/api/metrics/budgets"))["results"] == []
    whole = put(client, "/api/metrics/budgets/all", {"nano_usd": 10**10})
    assert whole.status_code == 200 and whole.json()["service"] is None and whole["Bigagi-Change"]
    assert "Bigagi-Change" not in put(client, "/api/metrics/budgets/all", {"nano_usd": 10**10})
    one = put(client, "/api/metrics/budgets/~YS9i", {"nano_usd": 0}).json()
    assert (one["service"], one["share"], one["state"]) == ("a/b", None, "ok")
    named_all = put(client, "/api/metrics/budgets/~YWxs", {"nano_usd": 1}).json()
    assert named_all["service"] == "all"
    results = read(client.get("/api/metrics/budgets"))["results"]
    assert [budget["service"] for budget in results] == [None, "a/b", "all"]
    for budget in results:
        answer = client.delete(budget["href"])
        assert answer.status_code == 204 and answer["Bigagi-Change"]
        read_problem(client.delete(budget["href"]), 404)
    assert read(client.get("/api/metrics/budgets"))["results"] == []
    assert Budget.objects.count() == 6


def test_a_key_that_slipped_into_a_budgets_name_is_masked_as_in_events():
    key = "sk-proj-" + "A1b2C3d4" * 5
    client = sign_in()
    budget = put(client, f"/api/metrics/budgets/{key}", {"nano_usd": 1}).json()
    assert (budget["service"], Budget.objects.get().service) == ("bigagi-secret:C3d4",) * 2
    assert client.delete(budget["href"]).status_code == 204
    assert key not in read_problem(client.delete(f"/api/metrics/budgets/{key}"), 404)["detail"]


@pytest.mark.parametrize("body", [{}, {"nano_usd": -1}, {"nano_usd": None}, {"nano_usd": "5"}, {"nano_usd": 2**53 + 1}])
def test_a_wrong_budget_is_refused(body):
    problem = read_problem(put(sign_in(), "/api/metrics/budgets/all", body), 400)
    assert problem["errors"][0]["pointer"] == "/nano_usd"


# --- all of it -------------------------------------------------------------------------------------------------------


def test_the_reconciliation_tells_of_each_service():
    make_baseline("openai", totalCosts=0.5, usageCount=3, lastUsageDate=NOON)
    make_event(source="import")
    [report] = read(sign_in().get("/api/metrics/reconciliation"))["results"]
    assert report["counted"]["calls"] == 3 and report["explained"]["calls"] == 1 and report["gap"]["calls"] == 2
    assert report["total"]["cost_nano_usd"] == 500_000_000


def test_calls_are_priced_anew():
    post(sign_in(), CALL | {"cost_nano_usd": 7})
    path = "/api/metrics/repricing?start=2026-05-28&end=2026-05-28"
    [found] = read(sign_in(username="two").get(path))["results"]
    assert found["calls"] == 1 and found["recorded"] == {"cost_nano_usd": 7, "unpriced": 0}
    assert found["listed"] == found["today"] == {"cost_nano_usd": 210_000, "unpriced": 0}
    other = read(sign_in(username="three").get(f"{path}&service=other"))
    assert other["results"] == [] and other["end"] == "2026-05-28"


def test_a_price_can_be_tried_on_a_local_models_calls():
    make_event(service="ollama", vendor="ollama", model="ollama-my/llama", cost_nano_usd=None, cost_code="no-pricing")
    make_event()
    path = "/api/metrics/repricing?start=2026-05-28&end=2026-05-28&model=ollama-my/llama"
    client = sign_in()
    assert read(client.get(path))["supposed"] is None
    found = read(client.get(f"{path}&input=1.5&output=2"))
    assert [result["model"] for result in found["results"]] == ["ollama-my/llama"]
    assert found["results"][0]["today"] == {"cost_nano_usd": 0, "unpriced": 1}
    assert found["supposed"] == {"cost_nano_usd": 100 * 1500 + 20 * 2000, "unpriced": 0}


@pytest.mark.parametrize(
    ("query", "name"),
    [
        *(("start=2025-01-01&end=2026-01-02", "start"), ("end=1960-01-01", "end"), ("start=x", "start")),
        ("end=9999-12-31", "end"),
        *(("model=m&input=1", "output"), ("input=1&output=1", "model"), ("model=m&input=nan&output=1", "input")),
        *(("model=m&input=1&output=-1", "output"), ("model=m&input=1&output=1_0", "output")),
    ],
)
def test_pricing_anew_is_bounded(query, name):
    problem = read_problem(sign_in().get(f"/api/metrics/repricing?{query}"), 400)
    assert problem["errors"][0]["pointer"] == f"?{name}"


def test_who_may_only_read_cannot_write():
    owner = User.objects.create_user("owner", is_staff=True)
    _, made = create_token(owner, "reader", is_read_only=True)
    reader = Client(headers={"Authorization": f"Bearer {made}"})
    for path in ("/api/metrics", "/api/metrics/events", "/api/metrics/series", "/api/metrics/budgets"):
        read(reader.get(path))
    read_problem(post(reader, CALL), 403)
    read_problem(reader.delete("/api/metrics?confirm=true"), 403)
    read_problem(put(reader, "/api/metrics/budgets/all", {"nano_usd": 5}), 403)
    read_problem(reader.delete("/api/metrics/budgets/all"), 403)
    assert not Change.objects.exists()


@pytest.mark.parametrize("path", ["", "/events", "/series", "/budgets", "/reconciliation", "/repricing"])
def test_strangers_see_nothing(path):
    read_problem(Client().get(f"/api/metrics{path}"), 401)
    read_problem(sign_in().get(f"/api/metrics{path}?nonsense=1"), 400)
