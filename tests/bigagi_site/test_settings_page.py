"""The settings page as HTML and forms, without scripts: what it shows, writes, keeps and takes back."""

import re
from zoneinfo import available_timezones

import pytest
from django.urls import reverse

from bigagi_site.display import list_zones
from bigagi_site.preferences import PREFERENCES
from chats.pages.preferences import HONOURED, read_ui
from llms.catalog import assignments
from metrics.budgets import read_budgets
from stores.defaults import DEFAULTS
from stores.models import Change, Store
from tests.api import make_assignment, make_model, make_service, make_store
from tests.bigagi_site.factories import make_owner

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner_client(client):
    client.force_login(make_owner())
    return client


def page(client):
    return " ".join(client.get("/settings").text.split())


def shown(client):
    """Return what the forms of the page hold, as a browser would send them."""
    html = client.get("/settings").text
    hidden = dict(re.findall(r'<input type="hidden" name="(was\.[^"]+)" value="([^"]*)"', html))
    checked = dict(re.findall(r'<input type="radio" name="([^"]+)" value="([^"]*)"[^>]* checked', html))
    return {name: value for name, value in (hidden | checked).items() if name != "theme"}


def save(client, section, **fields):
    answer = client.post(f"/settings/{section}", {**fields})
    assert answer.url == f"/settings#{section}"
    return page(client)


def undo(client, html, again="Undo"):
    """Press the button of a message."""
    [(address, number)] = re.findall(rf'formaction="([^"]+)" name="change" value="(\d+)">{again}<', html)
    client.post(address, {"change": number})
    return page(client)


def state(name="app-ui"):
    return Store.objects.get(name=name).data


def test_every_preference_that_the_chat_page_honours_can_be_chosen():
    offered = {}
    for preference in PREFERENCES:
        offered.setdefault(preference.store, {})[preference.member] = {value for value, _ in preference.options}
    assert offered == HONOURED


def test_it_is_for_staff(client, django_user_model):
    assert client.get("/settings").url == "/sign-in?next=/settings"
    client.force_login(django_user_model.objects.create_user("guest"))
    for name in ("display", "chat", "models", "budgets", "chat/undo"):
        assert client.post(f"/settings/{name}").url.startswith("/sign-in")
    assert not Change.objects.exists()


def test_reading_it_writes_nothing(owner_client):
    owner_client.get("/settings")
    assert not Change.objects.exists() and not Store.objects.exists()


def test_a_store_that_is_missing_is_made_with_big_agis_defaults(owner_client):
    fields = shown(owner_client) | {"app-ui.centerMode": "narrow"}
    html = save(owner_client, "chat", **fields)
    assert Store.objects.get(name="app-ui").version == 3
    assert state() == DEFAULTS["app-ui"]["state"] | {"centerMode": "narrow"}
    assert read_ui()["centerMode"] == "narrow"
    assert 'class="is-chat scaling-sm center-narrow"' in owner_client.get("/chat-test").text
    assert not Store.objects.filter(name="app-ux-labs").exists()
    change = Change.objects.get()
    assert (change.source, change.actor) == ("settings", "owner")
    html = undo(owner_client, html)
    assert not Store.objects.exists()
    undo(owner_client, html, again="Redo")
    assert state()["centerMode"] == "narrow"


def test_unknown_and_odd_members_are_shown_and_kept(owner_client):
    odd = {"contentScaling": "huge", "enterIsNewline": "yes", "dismissals": {"a": [1]}, "novel": "<b>", "centerMode": 7}
    make_store("app-ui", {"state": odd, "version": 3, "beside": 1})
    html = page(owner_client)
    for text in ("As stored: &quot;huge&quot;", "As stored: &quot;yes&quot;", "As stored: 7", "novel", "&lt;b&gt;"):
        assert text in html
    fields = shown(owner_client)
    assert fields["app-ui.contentScaling"] == "stored"
    save(owner_client, "chat", **fields | {"app-ui.doubleClickToEdit": "true"})
    assert state() == odd | {"doubleClickToEdit": True}
    assert Store.objects.get(name="app-ui").extra == {"beside": 1}
    save(owner_client, "chat", **shown(owner_client) | {"app-ui.contentScaling": "xs"})
    assert state() == odd | {"doubleClickToEdit": True, "contentScaling": "xs"}


def test_the_later_of_two_tabs_keeps_what_the_other_saved(owner_client):
    make_store("app-ui", DEFAULTS["app-ui"])
    one = other = shown(owner_client)
    first = save(owner_client, "chat", **one | {"app-ui.enterIsNewline": "true"})
    save(owner_client, "chat", **other | {"app-ui.centerMode": "wide", "app-ux-labs.labsScreenWakeLock": "false"})
    assert state() == DEFAULTS["app-ui"]["state"] | {"enterIsNewline": True, "centerMode": "wide"}
    assert state("app-ux-labs")["labsScreenWakeLock"] is False
    # The first tab's undo would take the second's change along: it is told, and nothing is lost.
    html = undo(owner_client, first)
    assert "was changed later by change" in html and 'role="alert"' in html
    assert state()["enterIsNewline"] is True and state()["centerMode"] == "wide"


def test_what_is_no_state_is_shown_and_left_alone(owner_client):
    make_store("app-ui", ["odd"])
    assert "&quot;odd&quot;" in page(owner_client)
    html = save(owner_client, "chat", **shown(owner_client) | {"app-ui.centerMode": "wide"})
    assert "Nothing was saved: app-ui does not hold what big-AGI keeps there." in html
    assert state() == ["odd"]


def test_a_value_that_is_not_offered_is_refused(owner_client):
    html = save(owner_client, "chat", **shown(owner_client) | {"app-ui.centerMode": "sideways"})
    assert "Width of a chat: choose one of the options." in html
    assert not Store.objects.exists()
    assert "No change was needed." in save(owner_client, "chat", **shown(owner_client))


def test_the_default_model_is_chosen_kept_and_taken_back(owner_client):
    make_service("openai", vId="openai", label="OpenAI")
    make_model("openai-gpt", label="GPT", sId="openai")
    make_assignment("primaryChat", modelId="openai-gone", modelParameters={"llmTemperature": 1}, novel=2)
    fields = shown(owner_client)
    assert fields["was.primaryChat"] == "openai-gone"
    assert "openai-gone (not in your lists)" in page(owner_client)
    html = save(owner_client, "models", **fields | {"primaryChat": "openai-gpt", "fastUtil": ""})
    stored = assignments()
    assert stored["primaryChat"]["modelId"] == "openai-gpt" and stored["primaryChat"]["novel"] == 2
    assert "fastUtil" not in stored
    assert "Default model saved." in html
    undo(owner_client, html)
    assert assignments()["primaryChat"]["modelId"] == "openai-gone"
    save(owner_client, "models", **shown(owner_client) | {"primaryChat": "", "fastUtil": "bigagi-demo-echo"})
    stored = assignments()
    assert "primaryChat" not in stored
    assert stored["fastUtil"] == {"mct": "model-parametric", "domainId": "fastUtil", "modelId": "bigagi-demo-echo"}


def test_a_budget_is_set_and_taken_back(owner_client):
    html = save(owner_client, "budgets", service="", usd="20")
    assert "Budget for all services set to $20.00 per month." in html and "$0.00 of $20.00 this month" in html
    undo(owner_client, html)
    assert read_budgets() == []
    assert "Budget: Enter a number." in save(owner_client, "budgets", service="", usd="much")
    # A browser leaves the comma out of a number's field.
    assert 'type="number" name="usd"' not in html
    assert "set to $1.50 per month" in save(owner_client, "budgets", service="", usd="1,5")
    for unclear in ("1,234", "1,234.50", "1.234,50"):
        assert "Use a point before the cents" in save(owner_client, "budgets", service="", usd=unclear)


def test_theme_and_time_zone_are_kept_in_the_browser(owner_client):
    html = save(owner_client, "display", theme="dark", zone="Asia/Kolkata")
    assert '<html lang="en" data-theme="dark" data-zone="Asia/Kolkata" class="dark dark-mode">' in html
    assert owner_client.cookies["bigagi_theme"]["samesite"] == "Lax"
    # A page of the admin, and one that needs no session.
    assert 'class="dark" x-data="theme(\'dark\')"' in owner_client.get("/admin/").text
    assert 'data-theme="dark"' in owner_client.get("/nowhere").text
    assert ">UTC<" in html and 'value="Asia/Kolkata" selected' in html
    # The message holds what was there before.
    before = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)" form="display-undo">', html))
    assert before == {"theme": "system", "zone": ""}
    html = save(owner_client, "display", **before)
    assert 'data-theme="system" data-zone="UTC"' in html
    html = save(owner_client, "display", theme="dark", zone="Moon/Tranquillity")
    assert "there is no Moon/Tranquillity" in html and 'data-theme="system"' in html


def test_times_are_those_of_the_chosen_zone_else_of_the_browsers(owner_client):
    make_store("app-ui", DEFAULTS["app-ui"])
    owner_client.post("/settings/chat", {"app-ui.centerMode": "wide"})
    change = Change.objects.get()
    Change.objects.filter(pk=change.pk).update(at="2026-07-01T22:30:15Z")
    address = reverse("admin:stores_change_changelist")
    assert "2026-07-01 22:30:15 UTC" in owner_client.get(address).text
    owner_client.cookies["bigagi_browser_zone"] = "Europe/Berlin"
    assert "2026-07-02 00:30:15 CEST" in owner_client.get(address).text
    owner_client.cookies["bigagi_zone"] = "America/Sao_Paulo"
    assert "2026-07-01 19:30:15 UTC-03" in owner_client.get(address).text
    # What no zone is called so, whoever wrote the cookie.
    for odd in ("../../etc/passwd", "x" * 5_000, "Europe/", ""):
        owner_client.cookies["bigagi_zone"] = odd
        assert "2026-07-02 00:30:15 CEST" in owner_client.get(address).text
    # Programs read one zone, whatever the browser has.
    assert owner_client.get("/api/changes").json()["results"][0]["at"] == "2026-07-01T22:30:15Z"


def test_every_zone_that_is_offered_is_known():
    offered = {name for _, names in list_zones() for name, _ in names}
    assert "UTC" in offered and "Europe/Berlin" in offered
    assert offered <= available_timezones()
