import pytest
from django.test import Client

from tests.bigagi_site.factories import make_owner

pytestmark = pytest.mark.django_db
OLD, NEW = "correct horse battery", "staple tractor window"


def test_it_needs_a_sign_in(client):
    assert client.get("/account").url == "/sign-in?next=/account"


def test_the_first_password_needs_no_old_one(client):
    client.force_login(make_owner())
    assert "Set a password" in client.get("/account").text
    answer = client.post("/account", {"new_password1": NEW, "new_password2": NEW}, follow=True)
    assert "Password saved" in answer.text
    assert Client().login(username="owner", password=NEW)


def test_a_change_needs_the_old_one(client):
    client.force_login(make_owner(password=OLD))
    answer = client.post("/account", {"old_password": "wrong", "new_password1": NEW, "new_password2": NEW})
    assert answer.status_code == 200
    assert Client().login(username="owner", password=OLD)
    client.post("/account", {"old_password": OLD, "new_password1": NEW, "new_password2": NEW})
    assert Client().login(username="owner", password=NEW)


@pytest.mark.parametrize("password", ["short", "password123", "1234567890"])
def test_a_weak_password_is_refused(client, password):
    client.force_login(make_owner())
    answer = client.post("/account", {"new_password1": password, "new_password2": password})
    assert 'class="error"' in answer.text
    assert not Client().login(username="owner", password=password)


def test_a_new_password_ends_other_sessions_and_keeps_this_one(client):
    owner = make_owner(password=OLD)
    other = Client()
    client.force_login(owner)
    other.force_login(owner)
    client.post("/account", {"old_password": OLD, "new_password1": NEW, "new_password2": NEW})
    assert client.get("/").status_code == 200
    assert other.get("/").status_code == 302


def test_a_form_of_another_page_is_refused():
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_owner())
    answer = client.post("/account", {"new_password1": NEW, "new_password2": NEW})
    assert answer.status_code == 403
    assert "reload the page" in answer.text
