import hashlib
import json
import os
import shutil
import sqlite3
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from django.db import connection

from chats.models import Asset
from stores.backups import asset_copies, creation, snapshots
from stores.backups.creation import AUTOMATIC_KEPT, BackupError, create_backup, list_backups
from stores.backups.sqlite_files import DamagedDatabase
from stores.models import Store
from stores.records import asset_files

pytestmark = pytest.mark.each_database


@pytest.fixture
def folders(settings, tmp_path):
    """Point the data folder elsewhere; the database stays the tests' own."""
    settings.DATA_DIR = tmp_path
    settings.ASSETS_DIR = tmp_path / "assets"
    settings.BACKUPS_DIR = tmp_path / "backups"
    return tmp_path


def make_asset_file(folder, content=b"\x89PNG"):
    digest = hashlib.sha256(content).hexdigest()
    path = folder / "assets" / digest[:2] / digest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def copy_of(asset, backup):
    return backup.path / "assets" / asset.parent.name / asset.name


def modes_of(folder):
    return {path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))}


@pytest.mark.django_db(transaction=True)
def test_it_holds_database_assets_and_manifest(folders):
    Store.objects.create(name="app-ui", data={}, content_hash="")
    asset = make_asset_file(folders)
    backup = create_backup("manual")
    assert backup.path.parent == folders / "backups"
    assert backup.path.name.endswith("-manual")
    manifest = json.loads((backup.path / "manifest.json").read_text())
    assert manifest["counts"]["stores_store"] == 1
    assert manifest["assets"] == 1
    assert manifest["app_version"] == creation.read_version()
    assert manifest["size"] == backup.size > 4
    database = backup.path / manifest["database"]
    assert manifest["sha256"] == hashlib.sha256(database.read_bytes()).hexdigest()
    copy = backup.path / "assets" / asset.parent.name / asset.name
    assert copy.read_bytes() == asset.read_bytes()
    assert not copy.samefile(asset), "what happens to the one here must not happen to the backup's"
    listed = (backup.path / "SHA256SUMS").read_text().splitlines()
    assert listed == [
        f"{manifest['sha256']}  {database.name}",
        f"{asset.name}  assets/{asset.parent.name}/{asset.name}",
    ]
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(database)) as copied:
            assert copied.execute("SELECT name FROM stores_store").fetchall() == [("app-ui",)]
            assert copied.execute("PRAGMA journal_mode").fetchone() == ("delete",)


@pytest.mark.django_db(transaction=True)
def test_it_is_private_and_without_the_key_file(folders, settings):
    settings.KEY_FILE = folders / "secrets.key"
    settings.KEY_FILE.write_text("the key")
    backup = create_backup("manual")
    assert modes_of(backup.path) == {0o700, 0o600}
    assert not [path for path in backup.path.rglob("*") if path.is_file() and b"the key" in path.read_bytes()]


@pytest.mark.django_db(transaction=True)
def test_backups_here_share_assets_that_nobody_can_write(folders):
    asset = make_asset_file(folders)
    first, second = (copy_of(asset, create_backup("manual")) for _ in range(2))
    assert second.samefile(first) and not second.samefile(asset)
    assert first.stat().st_mode & 0o777 == 0o400


@pytest.mark.django_db(transaction=True)
def test_it_copies_assets_where_links_are_not_possible(folders, monkeypatch):
    def refuse(*args):
        raise OSError("no links here")

    asset = make_asset_file(folders)
    first = create_backup("manual")
    monkeypatch.setattr(asset_copies.os, "link", refuse)
    copy = copy_of(asset, create_backup("manual"))
    assert copy.read_bytes() == asset.read_bytes()
    assert not copy.samefile(asset) and not copy.samefile(copy_of(asset, first))


def damage_by_flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    return bytes(content)


DAMAGES = {
    "flipped": damage_by_flip,
    "cut": lambda path: path.read_bytes()[:-1],
    "empty": lambda path: b"",
    "zeroed": lambda path: bytes(path.stat().st_size),
}


def damage(path, kind):
    """Write into the very file, as a disk that rots does."""
    content = DAMAGES[kind](path)
    mode = path.stat().st_mode
    path.chmod(0o600)
    path.write_bytes(content)
    path.chmod(mode)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", [*DAMAGES, "missing", "link"])
def test_a_damaged_asset_is_named_and_a_good_one_comes_from_an_earlier_backup(folders, kind):
    asset, other = make_asset_file(folders), make_asset_file(folders, b"another picture")
    Asset.objects.create(uid="asset-1", sha256=asset.name, position=0)
    create_backup("manual")
    if kind == "missing":
        asset.unlink()
    elif kind == "link":
        asset.rename(folders / "moved")
        asset.symlink_to(folders / "moved")
    else:
        damage(asset, kind)
    for to in (None, folders / "elsewhere"):
        backup = create_backup("manual", to)
        assert list(backup.replaced) == [asset.name] and backup.lost == {}
        assert copy_of(asset, backup).read_bytes() == b"\x89PNG"
        assert copy_of(other, backup).read_bytes() == b"another picture"


@pytest.mark.django_db(transaction=True)
def test_an_asset_without_a_good_copy_keeps_nothing_else_back(folders):
    asset, other = make_asset_file(folders), make_asset_file(folders, b"another picture")
    damage(asset, "flipped")
    backup = create_backup("manual")
    assert backup.lost == {asset.name: "has different bytes"} and backup.replaced == {}
    assert not copy_of(asset, backup).exists()
    assert copy_of(other, backup).read_bytes() == b"another picture"
    manifest = json.loads((backup.path / "manifest.json").read_text())
    assert manifest["lost"] == backup.lost and manifest["assets"] == 1


@pytest.mark.django_db(transaction=True)
def test_a_damaged_copy_in_a_backup_is_not_shared(folders):
    asset = make_asset_file(folders)
    first = create_backup("manual")
    damage(copy_of(asset, first), "flipped")
    backup = create_backup("manual")
    assert backup.replaced == backup.lost == {}
    assert copy_of(asset, backup).read_bytes() == b"\x89PNG"


@pytest.mark.django_db(transaction=True)
def test_a_file_that_was_read_is_trusted_until_it_changes(folders, monkeypatch):
    asset = make_asset_file(folders)
    long_ago = time.time() - 60
    os.utime(asset, (long_ago, long_ago))
    create_backup("manual")
    create_backup("manual")
    read = []
    monkeypatch.setattr(asset_files, "find_fault", lambda path, pause: read.append(path) or "")
    create_backup("manual")
    assert asset not in read
    asset.chmod(0o600)
    asset.write_bytes(b"\x89PNH")
    create_backup("manual")
    assert asset in read


@pytest.mark.django_db(transaction=True)
def test_it_leaves_unfinished_assets_out(folders):
    asset = make_asset_file(folders)
    asset.with_name("half.part").write_bytes(b"half")
    backup = create_backup("manual")
    assert [path.name for path in (backup.path / "assets").glob("*/*")] == [asset.name]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("existing", [True, False])
def test_it_goes_where_it_is_told(folders, existing):
    target = folders / "elsewhere"
    if existing:
        target.mkdir()
    backup = create_backup("manual", target)
    assert (backup.path.parent if existing else backup.path) == target
    assert modes_of(backup.path) == {0o700, 0o600}
    assert not (folders / "backups").exists()
    # The next one is never inside a backup.
    assert create_backup("manual", backup.path).path == backup.path.with_name(f"{backup.path.name}-2")


@pytest.mark.django_db(transaction=True)
def test_two_in_one_second_have_two_names(folders):
    assert create_backup("manual").path != create_backup("manual").path


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("to", [None, "elsewhere"])
def test_two_at_the_same_moment_are_two_backups(folders, monkeypatch, to):
    """The second one takes the name while the first one is being filled."""
    now, fill, others = datetime.now(UTC), creation._fill, []
    monkeypatch.setattr(creation, "datetime", SimpleNamespace(now=lambda zone: now, fromisoformat=now.fromisoformat))

    def fill_both(folder, *args, **kwargs):
        if not others:
            others.append(folder)
            others.append(create_backup("manual", to and folders / to).path)
        return fill(folder, *args, **kwargs)

    monkeypatch.setattr(creation, "_fill", fill_both)
    first = create_backup("manual", to and folders / to).path
    assert {first, others[1]} == {first, first.with_name(first.name.removesuffix("-2"))} and first.name.endswith("-2")
    assert all((path / "manifest.json").is_file() for path in (first, others[1]))


@pytest.mark.django_db(transaction=True)
def test_an_earlier_backup_that_is_deleted_meanwhile_is_passed_over(folders, monkeypatch):
    asset = make_asset_file(folders)
    earlier = create_backup("manual").path

    def find_and_delete(name, backups, known):
        shutil.rmtree(earlier)
        return iter([earlier / "assets" / asset.parent.name / asset.name])

    monkeypatch.setattr(asset_copies, "find_copies", find_and_delete)
    backup = create_backup("manual")
    assert backup.lost == {} and copy_of(asset, backup).read_bytes() == b"\x89PNG"


@pytest.mark.django_db(transaction=True)
def test_an_unsound_copy_gets_no_name(folders, monkeypatch):
    def find_damage(path):
        raise DamagedDatabase("page 7 is never used")

    monkeypatch.setattr(snapshots, "check_snapshot", find_damage)
    with pytest.raises(BackupError, match="page 7"):
        create_backup("manual")
    assert list((folders / "backups").iterdir()) == []


@pytest.mark.django_db(transaction=True)
def test_a_place_that_cannot_be_written_is_told(folders):
    (folders / "file").write_text("")
    with pytest.raises(BackupError, match="The backup was not made"):
        create_backup("manual", folders / "file" / "below")


@pytest.mark.django_db(transaction=True)
def test_old_automatic_ones_go_and_manual_ones_stay(folders):
    manual = create_backup("manual")
    made = [create_backup("before-import") for _ in range(AUTOMATIC_KEPT + 2)]
    left = [backup.path for backup in list_backups()]
    assert manual.path in left
    assert len(left) == AUTOMATIC_KEPT + 1
    assert made[-1].path in left


@pytest.mark.django_db(transaction=True)
def test_a_foreign_folder_among_them_is_passed_over(folders):
    (folders / "backups" / "mine").mkdir(parents=True)
    (folders / "backups" / "mine" / "manifest.json").write_text("[]")
    (folders / "backups" / "yours").mkdir(parents=True)
    (folders / "backups" / "yours" / "manifest.json").write_text("{")
    (folders / "backups" / "theirs").mkdir(parents=True)
    told = {"created_at": "2026-01-01T00:00:00", "size": 1, "reason": "manual"}
    (folders / "backups" / "theirs" / "manifest.json").write_text(json.dumps(told))
    backup = create_backup("manual")
    assert [found.path for found in list_backups()] == [backup.path]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's own dump sees one moment")
@pytest.mark.django_db(transaction=True)
def test_writers_go_on_and_it_holds_one_moment(folders):
    """Two rows are always written together; a copy of two moments would have one without the other."""
    stop = threading.Event()
    written = threading.Event()
    path = connection.settings_dict["NAME"]

    def write():
        with closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as other:
            number = 0
            while not stop.is_set():
                number += 1
                other.execute("BEGIN IMMEDIATE")
                for name in ("left", "right"):
                    other.execute(INSERT, [f"{name}-{number}"])
                other.execute("COMMIT")
                written.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert written.wait(20)
        backup = create_backup("manual")
    finally:
        stop.set()
        writer.join()
    with closing(sqlite3.connect(backup.path / "bigagi.sqlite3")) as copied:
        names = [row[0] for row in copied.execute("SELECT name FROM stores_store")]
    left = {name.partition("-")[2] for name in names if name.startswith("left")}
    right = {name.partition("-")[2] for name in names if name.startswith("right")}
    assert left == right != set()


INSERT = (
    "INSERT INTO stores_store (name, shape, data, revision, content_hash, created_at, updated_at)"
    " VALUES (?, 'value', '1', 1, '', '2026-01-01', '2026-01-01')"
)
