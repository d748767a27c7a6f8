import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from bigagi_site.dashboard import statistics
from bigagi_site.dashboard.heavy import find_expensive_chats
from bigagi_site.models import Statistic
from stores.models import MigrationRun
from tests.api import make_chat
from tests.metrics.events import make_event
from tests.rows import all_models, make_row

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner_client(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def home_of(client):
    response = client.get(reverse("admin:index"))
    assert response.status_code == 200
    return response.content.decode()


def test_an_empty_home_tells_the_command_and_the_place(owner_client, settings):
    html = home_of(owner_client)
    assert "uv run manage.py import_indexeddb" in html
    assert "There is nothing here yet" in html
    assert str(settings.DATA_DIR) in html


def test_a_filled_home_tells_what_is_here(owner_client):
    for model in all_models():
        if not model.objects.exists():
            make_row(model, 1)
    MigrationRun.objects.all().update(
        status="done",
        counts={"conversation": {"read": 12, "quarantined": 0}},
        certificate={"states": {}, "verdict": {"here": {"conversation": 12}}},
    )
    html = home_of(owner_client)
    assert "12 chats: all here, verified." in html
    assert "There is nothing here yet" not in html
    assert "user_title 1" in html


def test_the_sidebar_leads_to_every_list(owner_client):
    html = home_of(owner_client)
    for model in all_models():
        assert reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") in html, model


def test_the_admin_adds_no_scripts_and_no_styles_of_its_own(owner_client):
    """The content security policy lets no inline script run; unfold's own inline style is the only one."""
    html = home_of(owner_client)
    assert html.count("<script") == html.count("<script src=")
    assert html.count("<style") == html.count('<style id="unfold-theme-colors"')


@pytest.mark.parametrize("name", ["admin:index", "dashboard"])
def test_a_key_in_a_title_shows_neither_itself_nor_its_reference(owner_client, monkeypatch, name):
    key = "sk-proj-" + "A1b2C3d4" * 5
    answer = owner_client.post(
        "/api/chats", {"messages": [], "userTitle": f"Why {key}"}, content_type="application/json"
    )
    assert answer.status_code == 201
    make_event(conversation=answer.json()["id"])
    monkeypatch.setattr(statistics, "find_in_background", lambda: None)
    statistics.find("expensive_chats", find_expensive_chats)
    html = owner_client.get(reverse(name)).content.decode()
    assert html.count("Why bigagi-secret:C3d4") >= 2
    assert key not in html and "bigagi-secret:ref" not in html


def test_no_title_stays_behind_of_a_chat_that_is_deleted_for_good(owner_client, monkeypatch):
    monkeypatch.setattr(statistics, "find_in_background", lambda: None)
    chat = make_chat(userTitle="A title to forget")
    make_event(conversation=chat.uid)
    statistics.find("expensive_chats", find_expensive_chats)
    assert home_of(owner_client).count("A title to forget") == 2
    assert owner_client.delete(f"/api/chats/{chat.uid}?purge=true").status_code == 204
    html = home_of(owner_client)
    assert "A title to forget" not in html and "no longer here" in html
    assert "A title to forget" not in str(Statistic.objects.values_list("figures"))
