"""An import that changes where a service leads does not carry the key along that is stored here."""

from pathlib import Path

import pytest

from llms.models import Service
from stores.records.secrets import reveal
from tests.stores.imports import import_path, write_backup

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_imports")]

KEY, NEW = "sk-0123456789abcdefWXYZ", "sk-9876543210zyxwvuABCD"
HERE, THERE = "https://one.example/v1", "https://two.example/v1"
LATER = "2027-01-01T00:00:00.000Z"


def write(path: Path, setup: dict, **members: str) -> Path:
    service = {"id": "mine", "label": "Mine", "vId": "openai", "setup": setup}
    stores = {"app-models": {"state": {"sources": [service], "llms": []}, "version": 5}}
    return write_backup(path, None, stores=stores, **members)


def setup_here() -> dict:
    return reveal(Service.objects.get(uid="mine").setup)


@pytest.mark.parametrize("given", [{}, {"oaiKey": ""}, {"oaiKey": "bigagi-secret:WXYZ"}], ids=str)
def test_a_key_does_not_follow_to_another_host_and_the_run_says_so(tmp_path: Path, given: dict):
    import_path(write(tmp_path / "first.json", {"oaiKey": KEY, "oaiHost": HERE}))
    second = write(tmp_path / "second.json", {"oaiHost": THERE} | given, taken_at=LATER)

    progress = import_path(second)

    assert setup_here() == {"oaiHost": THERE} | ({"oaiKey": ""} if given else {})
    assert any("Mine: oaiKey" in note and "Enter them again" in note for note in progress.notes)
    assert progress.run.status == "done"
    again = import_path(second)
    assert not any("Mine: oaiKey" in note for note in again.notes) and again.run.status == "done"


@pytest.mark.parametrize("key", [KEY, NEW])
def test_a_key_that_the_file_has_goes_along(tmp_path: Path, key: str):
    import_path(write(tmp_path / "first.json", {"oaiKey": KEY, "oaiHost": HERE}))
    progress = import_path(write(tmp_path / "second.json", {"oaiKey": key, "oaiHost": THERE}, taken_at=LATER))
    assert setup_here() == {"oaiKey": key, "oaiHost": THERE}
    assert not any("removed" in note for note in progress.notes)
