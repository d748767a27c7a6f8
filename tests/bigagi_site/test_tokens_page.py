"""Tokens on the account page and in the admin."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from bigagi_site.models import Token
from bigagi_site.tokens import create_token
from tests.bigagi_site.factories import make_owner
from tests.bigagi_site.test_site_page import contrast


@pytest.fixture
def owner(client, db):
    owner = make_owner()
    client.force_login(owner)
    return owner


def make(client, **given):
    return client.post("/account/tokens", {"name": "backup script", "days": "90", **given})


def test_a_token_is_made_and_shown_once(client, owner):
    answer = make(client)
    text = re.search(r'value="([0-9a-f]{64})"', answer.text)[1]
    assert "no-store" in answer["Cache-Control"]
    token = Token.objects.get()
    assert (token.name, token.user, token.is_read_only) == ("backup script", owner, False)
    assert abs(token.expiry - token.created - timedelta(days=90)) < timedelta(minutes=1)
    assert Client(headers={"Authorization": f"Bearer {text}"}).get("/api/metrics").status_code == 200
    later = client.get("/account").text
    assert "backup script" in later
    assert text not in later and text not in client.get("/account/tokens", follow=True).text


def test_a_token_can_be_read_only_and_for_ever(client, owner):
    make(client, days="", is_read_only="on")
    token = Token.objects.get()
    assert token.is_read_only and token.expiry is None
    page = client.get("/account").text
    assert "read-only" in page and "does not expire" in page and "never used" in page


@pytest.mark.parametrize(
    "given", [{"name": ""}, {"name": "  "}, {"name": "x" * 101}, {"name": "a\x01b"}, {"days": "7"}, {"days": "x"}]
)
def test_what_cannot_be_is_told(client, owner, given):
    answer = make(client, **given)
    assert answer.status_code == 200
    assert 'role="alert"' in answer.text
    assert not Token.objects.exists()


def test_names_are_shown_as_text(client, owner):
    make(client, name="<b>bold</b>")
    page = client.get("/account").text
    assert "<b>bold" not in page and "&lt;b&gt;bold" in page


def test_a_token_is_revoked(client, owner):
    token, text = create_token(owner, "old one")
    program = Client(headers={"Authorization": f"Bearer {text}"})
    assert program.get("/api/metrics").status_code == 200
    answer = client.post(f"/account/tokens/{token.pk}/revoke", follow=True)
    assert "“old one” revoked" in answer.text
    assert program.get("/api/metrics").status_code == 401
    assert client.post(f"/account/tokens/{token.pk}/revoke").status_code == 404


def test_a_link_does_not_revoke(client, owner):
    token, _ = create_token(owner, "x")
    assert client.get(f"/account/tokens/{token.pk}/revoke").status_code == 405
    assert Token.objects.exists()


def test_nobody_revokes_or_sees_anothers(client, owner, django_user_model):
    token, _ = create_token(django_user_model.objects.create_user("other"), "of another")
    assert client.post(f"/account/tokens/{token.pk}/revoke").status_code == 404
    assert "of another" not in client.get("/account").text


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/account/tokens", "/account/tokens/1/revoke"])
def test_a_stranger_is_sent_to_sign_in(client, path):
    assert client.post(path).url == f"/sign-in?next={path}"


def test_a_form_of_another_page_is_refused(owner):
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert make(client).status_code == 403
    assert not Token.objects.exists()


def test_a_token_form_leaves_the_password_form_alone(client, owner):
    assert 'class="error"' not in make(client).text
    assert "Set a password" in make(client, name="").text


def test_the_admin_lists_tokens_and_links_to_where_they_are_made(client, owner):
    create_token(owner, "backup script")
    page = client.get("/admin/bigagi_site/token/").text
    assert "backup script" in page
    assert 'href="/account#tokens"' in page


def test_the_admin_revokes(client, owner):
    kept, _ = create_token(owner, "kept")
    revoked = [create_token(owner, name) for name in ("a", "b")]
    program = Client(headers={"Authorization": f"Bearer {revoked[0][1]}"})
    assert program.get("/api/metrics").status_code == 200
    chosen = [token.pk for token, _ in revoked]
    answer = client.post("/admin/bigagi_site/token/", {"action": "revoke", "_selected_action": chosen}, follow=True)
    assert "2 tokens revoked" in answer.text
    assert list(Token.objects.all()) == [kept]
    assert program.get("/api/metrics").status_code == 401


@pytest.mark.browser
@pytest.mark.parametrize("width", [360, 1280])
def test_a_token_is_made_copied_and_revoked_in_a_browser(page, server, width):
    page.set_viewport_size({"width": width, "height": 800})
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    page.goto("/account")
    page.get_by_label("What it is for").fill("A long-named-program-that-does-not-break-anywhere-" + "x" * 40)
    page.get_by_label("Read-only").check()
    page.get_by_role("button", name="Create token").click()
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("Copied.").wait_for()
    text = page.evaluate("navigator.clipboard.readText()")
    assert text == page.get_by_label("The token", exact=True).input_value()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    program = {"Authorization": f"Bearer {text}"}
    assert page.request.get("/api/chats", headers=program).status == 200
    page.goto("/account")
    page.locator("summary").first.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Revoke “A long").click()
    assert "revoked." in page.get_by_role("status").inner_text()
    assert page.request.get("/api/chats", headers=program).status == 401


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_texts_of_a_token_stand_out_from_their_ground(page, scheme):
    """The contrast is at least 4.5 : 1 (WCAG 2.1, 1.4.3)."""
    page.emulate_media(color_scheme=scheme)
    page.goto("/account")
    page.get_by_label("What it is for").fill("for its colours")
    page.get_by_role("button", name="Create token").click()
    page.locator("summary").first.click()
    colors = page.evaluate(
        """() => {
          const read = (element, name) => getComputedStyle(element)[name].match(/[0-9.]+/g).slice(0, 3).map(Number);
          const [button, summary] = [".button-bad", "summary"].map((name) => document.querySelector(name));
          return [
            [read(button, "color"), read(button, "backgroundColor")],
            [read(summary, "color"), read(summary.closest(".card"), "backgroundColor")],
          ];
        }"""
    )
    for text, ground in colors:
        assert contrast(*([part / 255 for part in color] for color in (text, ground))) >= 4.5
