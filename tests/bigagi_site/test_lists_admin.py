"""One name for one list, what empty lists and search fields say, and where numbers stand, in all admins."""

import re
from html import unescape

import pytest
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.contrib.auth import get_user_model
from django.db import models
from django.test import RequestFactory
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.text import capfirst

from bigagi_site.admin_navigation import GROUPS, INTERNALS, build_navigation
from metrics.models import UsageEvent, ZoneOffset
from stores.admin.display import NUMBER
from tests.nightly import by_day
from tests.rows import all_models, make_row

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner_client(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def html_of(client, model, page, *args, **query):
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)
    response = client.get(url, query)
    assert response.status_code == 200, url
    return response.content.decode()


def text_of(pattern, html):
    found = re.search(pattern, html, re.DOTALL)
    assert found, pattern
    return " ".join(unescape(strip_tags(found[1])).replace("›", " › ").split())


def active_item(html):
    """Return what the sidebar calls the list that is open."""
    return text_of(
        r'<a href="[^"]*" class="[^"]* active">(.*?)</a>',
        re.sub(r"<span class=\"material.*?</span>", "", html, flags=re.DOTALL),
    )


def test_every_list_is_in_one_group_of_the_sidebar():
    labels = [label for items in GROUPS.values() for _, label in items]
    assert sorted(labels) == sorted(model._meta.label for model in all_models())
    assert list(GROUPS) == ["Chats", "Models", "Usage", "Imports", "Changes", "Settings", INTERNALS]
    groups = {group.get("title"): group["items"] for group in build_navigation(RequestFactory().get("/admin/"))}
    assert groups["Settings"][0]["link"] == "/settings"


@pytest.mark.parametrize("model", by_day(all_models(), each=2), ids=lambda model: model._meta.label_lower)
def test_a_list_is_called_the_same_everywhere(owner_client, model):
    row = make_row(model, 1)
    name = capfirst(str(model._meta.verbose_name_plural))
    group = next(title for title, items in GROUPS.items() if model._meta.label in [label for _, label in items])
    path = name if name == group else f"{group} › {name}"
    listed = html_of(owner_client, model, "changelist")
    assert active_item(listed) == name
    assert text_of(r"<h1[^>]*>(.*?)</h1>", listed) == path
    assert text_of(r"<title>(.*?)</title>", listed) == f"{name} | bigagi"
    shown = html_of(owner_client, model, "change", row.pk)
    assert active_item(shown) == name
    assert text_of(r"<h1[^>]*>(.*?)</h1>", shown).startswith(f"{path} › ")
    assert f"| {capfirst(str(model._meta.verbose_name))} | bigagi" in text_of(r"<title>(.*?)</title>", shown)


@pytest.mark.parametrize("model", by_day(all_models(), each=2, start=1), ids=lambda model: model._meta.label_lower)
def test_an_empty_list_says_what_would_be_here(owner_client, model):
    model_admin = admin.site._registry[model]
    # The offsets of the time zone come with the database.
    if model.objects.exists():
        assert model is ZoneOffset
        return
    html = html_of(owner_client, model, "changelist")
    assert "Nothing here yet" in html
    assert len(model_admin.empty_text) > 40 and model_admin.empty_text in unescape(html)
    if model_admin.search_fields:
        assert model_admin.search_help_text
        assert f'placeholder="{model_admin.search_help_text}"' in unescape(html)
        found = html_of(owner_client, model, "changelist", q="no such thing")
        assert "Nothing matches" in found and 'href="?">Show all' in found


def test_every_number_of_a_list_stands_to_the_right():
    """Columns of numbers are known by their names; a column of a number without such a name stands to the left."""
    for model, model_admin in admin.site._registry.items():
        for column in model_admin.list_display:
            name = column if isinstance(column, str) else column.__name__
            field = next((field for field in model._meta.fields if field.name == name), None)
            is_number = isinstance(field, models.IntegerField | models.FloatField)
            # An HTTP status is a word of three digits.
            assert not is_number or name == "status", f"{model.__name__}.{name}"


def test_labels_and_filters_are_words(owner_client):
    odd = re.compile(r"^at$|_|\buid\b|\bpk\b|nano|\bsha256\b")
    for model, model_admin in admin.site._registry.items():
        for column in model_admin.list_display:
            label = str(label_for_field(column, model, model_admin))
            assert not odd.search(label), f"{model.__name__}: {label}"
        if not model.objects.exists():
            make_row(model, 1)
        response = owner_client.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"))
        for spec in response.context["cl"].filter_specs:
            assert not odd.search(str(spec.title)), f"{model.__name__}: {spec.title}"


def test_numbers_are_marked_in_the_page(owner_client):
    make_row(UsageEvent, 1)
    html = html_of(owner_client, UsageEvent, "changelist")
    for name in ("input_tokens", "output_tokens", "cost"):
        assert f"column-{name}{NUMBER}" in html and f"field-{name}{NUMBER}" in html
