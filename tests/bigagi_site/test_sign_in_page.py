from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from bigagi_site.models import SignInLink
from bigagi_site.services import create_sign_in_link, get_owner, use_sign_in_link
from tests.bigagi_site.factories import make_owner

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture
def link():
    return create_sign_in_link(make_owner(), "http://testserver/").removeprefix("http://testserver")


def test_a_link_signs_in_and_leads_home_for_thirty_days(client, link):
    answer = client.get(link)
    assert (answer.status_code, answer.url) == (302, "/")
    assert answer.cookies["bigagi_session"]["max-age"] == 30 * 24 * 3600
    assert client.get("/").status_code == 200


def test_a_link_works_once(client, link):
    client.get(link)
    other = Client()
    answer = other.get(link)
    assert answer.status_code == 403
    assert "already been used" in answer.text
    assert "manage.py sign_in_link" in answer.text
    assert other.get("/").status_code == 302


def test_a_link_works_for_fifteen_minutes(client, link):
    with time_machine.travel(timezone.now() + timedelta(minutes=15, seconds=1), tick=False):
        assert client.get(link).status_code == 403


@pytest.mark.parametrize("token", ["", "x", "ü\ud800", "a" * 10_000, "\x00"])
def test_an_invented_link_does_not_sign_in(client, token, link):
    assert client.get("/sign-in", {"link": token.encode(errors="replace")}).status_code == 403
    assert use_sign_in_link(token) is None


@pytest.mark.parametrize("purpose", [{"Sec-Purpose": "prefetch;prerender"}, {"Purpose": "prefetch"}])
def test_a_browser_that_looks_ahead_leaves_the_link_unused(client, link, purpose):
    assert client.get(link, headers=purpose).status_code == 204
    assert client.head(link).status_code == 204
    assert client.get(link).status_code == 302


def test_a_link_of_somebody_inactive_does_not_sign_in(client, link):
    owner = get_owner()
    owner.is_active = False
    owner.save()
    assert client.get(link).status_code == 403


def test_only_a_digest_of_the_token_is_kept(link):
    token = link.partition("=")[2]
    assert token not in str(SignInLink.objects.values().get())


def test_expired_links_are_swept_away(link):
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        create_sign_in_link(get_owner(), "http://testserver")
    assert SignInLink.objects.count() == 1


def test_the_page_names_the_command(client):
    answer = client.get("/sign-in")
    assert answer.status_code == 200
    assert "uv run manage.py sign_in_link" in answer.text


def test_a_password_signs_in(client):
    make_owner(password=PASSWORD)
    answer = client.post("/sign-in", {"username": "owner", "password": PASSWORD, "next": "/account"})
    assert (answer.status_code, answer.url) == (302, "/account")


@pytest.mark.parametrize("password", ["", "wrong"])
def test_a_wrong_password_does_not(client, password):
    make_owner(password=PASSWORD)
    assert client.post("/sign-in", {"username": "owner", "password": password}).status_code == 200
    assert client.get("/").status_code == 302


def test_an_owner_without_a_password_cannot_sign_in_by_an_empty_one(client):
    make_owner()
    client.post("/sign-in", {"username": "owner", "password": ""})
    assert client.get("/").status_code == 302


def test_it_does_not_lead_to_another_site(client):
    make_owner(password=PASSWORD)
    answer = client.post("/sign-in", {"username": "owner", "password": PASSWORD, "next": "https://evil.example/"})
    assert answer.url == "/"


@pytest.mark.parametrize("back", ["/sign-in", "/sign-in?next=/sign-in"])
def test_it_does_not_lead_the_signed_in_back_to_itself(client, back):
    client.force_login(make_owner())
    answer = client.get("/sign-in", {"next": back})
    assert (answer.status_code, answer.url) == (302, "/")


def test_the_admin_has_no_sign_in_page_of_its_own(client):
    answer = client.get("/admin/", follow=True)
    assert answer.redirect_chain[-1][0] == "/sign-in?next=%2Fadmin%2F"


def test_signing_out_ends_the_session(client, link):
    client.get(link)
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").status_code == 302
    assert client.get("/").status_code == 302
