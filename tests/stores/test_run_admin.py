import json

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse

from stores.models import MigrationRun, Quarantine, Revision, Secret
from stores.records.sealing import Sealer

pytestmark = pytest.mark.django_db

KEY = "sk-proj-abcdefghijklmnop1234"


@pytest.fixture
def owner_client(client):
    client.force_login(get_user_model().objects.create_superuser("owner"))
    return client


def make_run(**columns):
    counts = {"read": 1200, "created": 1199, "skipped": 1, "reasons": {"older": 1}}
    values = {
        "status": "error",
        "phases": [{"name": "chats", "status": "failed", "done": 3, "total": 12, "notes": ["cut <b>"]}],
        "counts": {"conversation": counts | {"updated": 0, "unchanged": 0, "quarantined": 0}},
        "errors": [{"at": "2026-11-21T19:00:00Z", "phase": "chats", "place": "chat 3", "message": "disk full"}],
        "notes": ["holds keys in clear"],
        "source_name": "flash.json",
        "pid": 1,
    }
    return MigrationRun.objects.create(**values | columns)


def page_of(client, row):
    url = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=(row.pk,))
    response = client.get(url)
    assert response.status_code == 200
    return response.content.decode()


def test_a_run_shows_its_progress_counts_notes_and_errors(owner_client):
    html = page_of(owner_client, make_run())
    for shown in (
        "failed",
        "3 of 12",
        "cut &lt;b&gt;",
        "1,200",
        "older: 1",
        "disk full",
        "chat 3",
        "holds keys in clear",
    ):
        assert shown in html, shown


def test_a_log_of_another_shape_is_shown_as_far_as_it_goes(owner_client):
    for odd in ([], {}, "text", 3, [None, 1, "x", {"name": 4, "done": "x", "total": True}], {"a": 1, "b": None}):
        page_of(owner_client, make_run(phases=odd, errors=odd, notes=odd))


def test_the_report_can_be_downloaded(owner_client):
    run = make_run(certificate={"states": {}, "differences": 0})
    response = owner_client.get(reverse("admin:stores_migrationrun_report", args=(run.pk,)))
    assert response["Content-Disposition"] == f'attachment; filename="migration-run-{run.pk}.json"'
    assert json.loads(response.content)["errors"] == run.errors
    assert owner_client.get(reverse("admin:stores_migrationrun_report", args=(999,))).status_code == 404


def test_a_secret_shows_its_end_and_its_date_alone(owner_client):
    sealer = Sealer()
    sealed = sealer.seal({"oaiKey": KEY, "text": f"and {KEY}"})
    sealer.save()
    secret = Secret.objects.get()
    html = page_of(owner_client, secret)
    assert "…1234" in html
    assert secret.reference not in html and KEY not in html
    raw = json.dumps(sealed)
    common = {"raw_digest": "", "is_json": True, "position": 0, "store": "app-ui", "collection": "x", "kind": "store"}
    rows = [
        Quarantine.objects.create(raw=raw, **common),
        Revision.objects.create(kind="store", uid="x", reason="original", body=raw, content_hash="", size=1),
    ]
    for row, field in zip(rows, ("raw", "body"), strict=True):
        html = page_of(owner_client, row)
        name = f"admin:stores_{row._meta.model_name}_download"
        download = owner_client.get(reverse(name, args=(row.pk, field))).content.decode()
        for shown in (html, download):
            assert "bigagi-secret:1234" in shown and secret.reference not in shown and KEY not in shown


def test_raw_text_is_shown_as_text_and_cut(owner_client):
    raw = "<script>alert(1)</script>\ud83d" + "x" * 60_000
    row = Quarantine.objects.create(
        raw=raw, raw_digest="", is_json=False, position=0, store="app-ui", collection="x", kind="store"
    )
    html = page_of(owner_client, row)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\ud83d" in html
    assert "x" * 50_001 not in html and "First 50000 of" in html.replace(",", "")
    download = owner_client.get(reverse("admin:stores_quarantine_download", args=(row.pk, "raw"))).content.decode()
    assert "x" * 60_000 in download
