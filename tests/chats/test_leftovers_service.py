"""Files of images that nothing names any more go; all others stay."""

import base64
import os
import time

import pytest

from chats.assets import path_of, store_base64
from chats.bigagi.asset import ASSETS, with_base64
from chats.models import Asset
from chats.orphaned_files import LEFT_OVER_AFTER, delete_unnamed
from chats.services.assets import create_asset, delete_asset
from stores.models import Change, Quarantine, Revision
from stores.records.journal.purge import prune, tidy_files
from stores.records.journal.recorder import Origin
from stores.records.undoing import undo
from tests.api import make_asset

pytestmark = pytest.mark.django_db

ORIGIN = Origin(Change.Source.COMMAND)


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path):
    settings.ASSETS_DIR = tmp_path / "assets"


def store(content, *, age=LEFT_OVER_AFTER + 60):
    held = store_base64([base64.b64encode(content).decode()])
    grow_old(held.sha256, age)
    return held


def grow_old(sha256, age=LEFT_OVER_AFTER + 60):
    then = time.time() - age
    os.utime(path_of(sha256), (then, then))


def test_a_file_that_nothing_names_goes_once_it_is_old():
    orphan, young = store(b"orphan"), store(b"young", age=LEFT_OVER_AFTER - 60)
    assert delete_unnamed() == 1
    assert not path_of(orphan.sha256).exists() and path_of(young.sha256).exists()


def test_a_file_of_an_asset_a_revision_or_a_damaged_asset_stays():
    held = [store(text) for text in (b"row", b"revision", b"damaged")]
    make_asset("row", held=held[0])
    text = ASSETS.text_of(with_base64({"data": {}}, held[1]))
    Revision.objects.create(kind="asset", uid="x", reason="source", body=text, size=1, content_hash="x")
    Quarantine.objects.create(
        store="Big-AGI", collection="largeAssets", position=0, kind="asset", place="", reason="", raw_digest="",
        is_json=True, raw=ASSETS.text_of(with_base64({"data": {}}, held[2])),
    )  # fmt: skip
    assert delete_unnamed() == 0
    assert all(path_of(stored.sha256).exists() for stored in held)


def test_a_deleted_asset_keeps_its_file_until_the_journal_forgets_it():
    content = base64.b64encode(b"a picture").decode()
    create_asset(ORIGIN, {"id": "pic", "assetType": "image", "data": {"mimeType": "image/png", "base64": content}})
    sha256 = Asset.objects.get().sha256
    grow_old(sha256)
    change = delete_asset(ORIGIN, "pic")
    tidy_files()
    assert path_of(sha256).exists()
    undone = undo(ORIGIN, change.pk)
    assert Asset.objects.get().sha256 == sha256
    delete_asset(ORIGIN, "pic")
    prune(undone.at)
    assert path_of(sha256).exists()
    Change.objects.update(at=change.at)
    prune(undone.at)
    assert not path_of(sha256).exists()


def test_a_purge_deletes_the_file_when_it_is_committed(django_capture_on_commit_callbacks):
    content = base64.b64encode(b"another picture").decode()
    create_asset(ORIGIN, {"id": "pic", "assetType": "image", "data": {"mimeType": "image/png", "base64": content}})
    sha256 = Asset.objects.get().sha256
    grow_old(sha256)
    with django_capture_on_commit_callbacks() as callbacks:
        delete_asset(ORIGIN, "pic", purge=True)
        assert path_of(sha256).exists()
    for callback in callbacks:
        callback()
    assert not path_of(sha256).exists()


def test_the_same_bytes_of_another_asset_stay(django_capture_on_commit_callbacks):
    held = store(b"shared")
    make_asset("one", held=held)
    make_asset("two", 1, held=held)
    with django_capture_on_commit_callbacks(execute=True):
        delete_asset(ORIGIN, "one", purge=True)
    assert path_of(held.sha256).exists()


def test_other_files_in_the_folder_are_left_alone(settings):
    stranger = settings.ASSETS_DIR / "ab" / "notes.txt"
    stranger.parent.mkdir(parents=True)
    stranger.write_text("mine")
    os.utime(stranger, (0, 0))
    assert delete_unnamed() == 0 and stranger.exists()
