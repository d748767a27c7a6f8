import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from stores.models import MigrationRun
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
        status="done", counts={"conversation": {"read": 12, "quarantined": 0}}, certificate={"states": {}}
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
