import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from chats.models import Folder
from stores.admin.base import ReadOnlyAdmin
from stores.models import Secret
from tests.nightly import by_day
from tests.rows import all_models, make_row

pytestmark = pytest.mark.django_db

every_model = pytest.mark.parametrize("model", all_models(), ids=lambda model: model._meta.label_lower)


def some_models(start):
    """By day, half of the models: each comes in half of the walks."""
    return pytest.mark.parametrize(
        "model", by_day(all_models(), each=2, start=start), ids=lambda model: model._meta.label_lower
    )


@pytest.fixture
def owner_client(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def url_of(model, page, *args):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def queries_of(client, url):
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url)
        response.content.decode()
    assert response.status_code == 200, url
    return [query["sql"] for query in queries]


def test_every_model_is_there_and_nothing_else():
    assert set(admin.site._registry) == set(all_models())


def test_every_admin_has_the_read_only_base():
    for model, model_admin in admin.site._registry.items():
        assert isinstance(model_admin, ReadOnlyAdmin), model
        for name in ("has_add_permission", "has_change_permission", "has_delete_permission"):
            assert getattr(type(model_admin), name) is getattr(ReadOnlyAdmin, name), model
        # What actions and buttons do is seen in test_admin_writes.
        assert not model_admin.list_editable and not model_admin.inlines, model


@every_model
def test_it_refuses_every_write(owner_client, model):
    row = make_row(model, 1)
    before = model.objects.values().get(pk=row.pk)
    assert owner_client.get(url_of(model, "add")).status_code == 403
    assert owner_client.post(url_of(model, "add"), {"uid": "x"}).status_code == 403
    assert owner_client.post(url_of(model, "change", row.pk), {"uid": "x"}).status_code == 403
    assert owner_client.get(url_of(model, "delete", row.pk)).status_code == 403
    assert owner_client.post(url_of(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    action = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    owner_client.post(url_of(model, "changelist"), action)
    assert model.objects.values().get(pk=row.pk) == before


@every_model
def test_it_shows_lists_and_pages_to_the_signed_in_alone(client, model):
    row = make_row(model, 1)
    for url in (url_of(model, "changelist"), url_of(model, "change", row.pk)):
        response = client.get(url)
        assert response.status_code == 302 and "sign-in" in response.url or "login" in response.url
    visitor = get_user_model().objects.create_user("visitor")
    client.force_login(visitor)
    assert client.get(url_of(model, "changelist")).status_code == 302


@some_models(0)
def test_a_list_needs_the_same_queries_for_2_and_for_40_rows(owner_client, model):
    for number in range(2):
        make_row(model, number)
    few = queries_of(owner_client, url_of(model, "changelist"))
    for number in range(2, 40):
        make_row(model, number)
    many = queries_of(owner_client, url_of(model, "changelist"))
    assert len(many) == len(few), many
    assert len(many) < 15


@some_models(1)
def test_looking_writes_nothing(owner_client, model):
    row = make_row(model, 1)
    queries = queries_of(owner_client, url_of(model, "changelist"))
    queries += queries_of(owner_client, url_of(model, "change", row.pk))
    assert [sql for sql in queries if not sql.startswith("SELECT")] == []


@some_models(0)
def test_every_list_can_be_searched_and_sorted(owner_client, model):
    make_row(model, 1)
    model_admin = admin.site._registry[model]
    assert model_admin.search_fields or model is Secret
    assert owner_client.get(url_of(model, "changelist"), {"q": "number 1"}).status_code == 200
    for at in range(1, len(model_admin.list_display) + 1):
        assert owner_client.get(url_of(model, "changelist"), {"o": at}).status_code == 200


@some_models(1)
def test_every_filter_offers_what_the_list_takes(owner_client, model):
    make_row(model, 1)
    response = owner_client.get(url_of(model, "changelist"))
    changelist = response.context["cl"]
    for spec in changelist.filter_specs:
        for choice in spec.choices(changelist):
            answer = owner_client.get(url_of(model, "changelist") + choice["query_string"])
            assert answer.status_code == 200, (spec.title, choice)


@pytest.mark.parametrize(
    "query",
    [
        f"chats/conversation/?folder={10**20}",
        f"chats/fragment/?message={10**20}",
        f"stores/quarantine/?run={10**20}",
        "chats/conversation/?system_purpose_id=%00",
        "chats/message/?role=%00",
    ],
)
def test_a_filter_that_no_database_takes_leads_to_the_list(owner_client, query):
    make_row(Folder, 1)  # Without one there is no filter by folder.
    answer = owner_client.get(f"/admin/{query}")
    assert (answer.status_code, answer.url) == (302, f"/admin/{query.partition('?')[0]}?e=1")


@every_model
def test_long_tables_are_not_counted_twice(model):
    assert admin.site._registry[model].show_full_result_count is False
    assert admin.site._registry[model].date_hierarchy is None


def test_a_page_that_is_not_there_leads_back(owner_client):
    for model in all_models():
        assert owner_client.get(url_of(model, "change", 999)).status_code == 302


def test_a_download_has_the_whole_value_and_is_no_page(owner_client):
    for number, (model, model_admin) in enumerate(admin.site._registry.items()):
        # A row that another one brought along has the number of that.
        row = make_row(model, 100 + number)
        for field in model_admin.downloads:
            response = owner_client.get(url_of(model, "download", row.pk, field))
            assert response.status_code == 200
            assert response["X-Content-Type-Options"] == "nosniff"
            assert response["Content-Disposition"].startswith("attachment")
        assert owner_client.get(url_of(model, "download", row.pk, "id")).status_code == 404
        assert owner_client.get(url_of(model, "download", 999, "data")).status_code == 404
