"""Damage in any page of the database: backup, restore and check say what is so, and the chats come back."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from stores.backups import data_check, snapshots
from stores.backups.creation import BackupError, create_backup
from stores.backups.restoration import restore_backup
from tests import generators
from tests.servers import manage

pytestmark = [
    pytest.mark.slow,
    pytest.mark.exhaustive,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="the pages are SQLite's"),
]

CHATS, PAGES = 100, 200


@pytest.fixture(scope="module")
def pattern(first_start, tmp_path_factory):
    """A database of 100 chats, as one file."""
    from tests.conftest import copy_environment

    folder = tmp_path_factory.mktemp("pattern")
    generators.write_backup(folder / "chats.json", generators.make_conversations(CHATS, 6))
    with copy_environment(first_start, folder / "data") as environment:
        done = manage("import_indexeddb", str(folder / "chats.json"), environment=environment)
        assert done.returncode == 0, done.stdout + done.stderr
    path = folder / "data" / "bigagi.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=DELETE")
    assert count_chats(path) == CHATS
    return path


@pytest.fixture
def live(pattern, tmp_path, monkeypatch, django_db_blocker):
    """The path of a database that the program takes for its own."""
    path = tmp_path / "data" / "bigagi.sqlite3"
    path.parent.mkdir()
    shutil.copyfile(pattern, path)
    for name, value in {"DATA_DIR": "", "ASSETS_DIR": "assets", "BACKUPS_DIR": "backups"}.items():
        monkeypatch.setattr(settings, name, path.parent / value)
    with django_db_blocker.unblock():
        connection.close()
        monkeypatch.setitem(connection.settings_dict, "NAME", str(path))
        yield path
        connection.close()


def count_chats(path):
    with closing(sqlite3.connect(path)) as database:
        return database.execute("SELECT count(*) FROM chats_conversation").fetchone()[0]


def read_all(path):
    """Return all rows of the database, and what they are in."""
    with closing(sqlite3.connect(path)) as database:
        database.text_factory = bytes
        tables = database.execute("SELECT name, sql FROM sqlite_master WHERE rootpage ORDER BY name").fetchall()
        of_tables = [name.decode() for name, sql in tables if sql and sql.startswith(b"CREATE TABLE")]
        return tables, {name: database.execute(f'SELECT * FROM "{name}"').fetchall() for name in of_tables}


def damages(path, pages):
    """Yield the bytes of the database with one damage each, in this many of its pages: a byte flipped in the page or in
    its header, the page zeroed, or the file cut there."""
    content = path.read_bytes()
    size = int.from_bytes(content[16:18], "big")
    of_file = len(content) // size
    for turn, number in enumerate(range(0, of_file, max(of_file // pages, 1))):
        at = number * size
        # Moves through the page from turn to turn: header, pointers, cells.
        place = at + (3 if turn % 4 == 1 else (turn * 37) % size)
        flipped = content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]
        zeroed = content[:at] + bytes(size) + content[at + size :]
        cut = content[: at + size // 2]
        yield f"page {number}, turn {turn}", (flipped, flipped, zeroed, cut)[turn % 4]


def write_live(path, content):
    for file in path.parent.glob("bigagi.sqlite3*"):
        file.unlink()
    path.write_bytes(content)


def test_a_backup_and_a_check_agree_in_each_page(live):
    found = {True: 0, False: 0}
    for name, content in damages(live, PAGES):
        write_live(live, content)
        connection.close()
        pages = snapshots.find_damage(is_quick=False)
        try:
            backup = create_backup("of-damage").path
        except BackupError as error:
            assert pages and "damaged" in str(error), (name, str(error), pages)
        else:
            # Every byte is backed up, whatever it says: it can be restored.
            assert not pages, (name, pages)
            assert count_chats(backup / "bigagi.sqlite3") == CHATS
            shutil.rmtree(backup)
        found[bool(pages)] += 1
    assert found[True] > 50 and found[False] > 10, found


def test_a_good_backup_is_restored_over_any_damage(live):
    good = create_backup("manual").path
    whole = read_all(good / "bigagi.sqlite3")
    for name, content in damages(live, 24):
        write_live(live, content)
        connection.close()
        restored = restore_backup(good)
        assert restored.faults == [] and restored.kept, name
        assert not list(live.parent.glob(".bigagi*")), name
        assert read_all(live) == whole, name
        connection.close()


def test_a_damaged_backup_is_restored_and_named_or_refused_and_nothing_changes(live):
    backup = create_backup("manual").path
    whole = read_all(live)
    refused = restored_ones = 0
    for name, content in damages(backup / "bigagi.sqlite3", 60):
        damaged = live.parent.parent / "damaged"
        shutil.copytree(backup, damaged)
        (damaged / "bigagi.sqlite3").write_bytes(content)
        connection.close()
        try:
            restored = restore_backup(damaged)
        except BackupError as error:
            refused += 1
            assert str(damaged / "bigagi.sqlite3") in str(error) and str(backup) in str(error), (name, str(error))
            assert read_all(live) == whole, name
        else:
            restored_ones += 1
            assert any(str(damaged / "bigagi.sqlite3") in fault for fault in restored.faults), name
            assert count_chats(live) == CHATS, (name, restored.faults)
            assert snapshots.find_damage(is_quick=False) == [], name
            connection.close()
            shutil.rmtree(restored.kept)
            write_live(live, (backup / "bigagi.sqlite3").read_bytes())
        shutil.rmtree(damaged)
    assert refused > 20 and restored_ones > 8, (refused, restored_ones)


def test_damaged_indexes_are_built_anew(live):
    with closing(sqlite3.connect(live)) as database:
        size = database.execute("PRAGMA page_size").fetchone()[0]
        leaf = "SELECT pageno FROM dbstat WHERE name = 'chats_fragment_position' AND pagetype = 'leaf'"
        [page] = database.execute(leaf).fetchone()
    good = create_backup("manual").path
    whole = read_all(good / "bigagi.sqlite3")
    content = bytearray(live.read_bytes())
    content[page * size - 1] ^= 1
    write_live(live, bytes(content))
    connection.close()
    assert data_check.check().pages
    aside = data_check.repair_database()
    assert (aside / "bigagi.sqlite3").read_bytes() == bytes(content)
    assert data_check.check().pages == []
    assert read_all(live) == whole
    assert snapshots.has_data()


def test_a_damaged_table_is_not_repaired_and_a_backup_is_named(live):
    good = create_backup("manual").path
    content = bytearray(live.read_bytes())
    with closing(sqlite3.connect(live)) as database:
        size = database.execute("PRAGMA page_size").fetchone()[0]
        [root] = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'chats_message'").fetchone()
    content[(root - 1) * size : root * size] = bytes(size)
    write_live(live, bytes(content))
    connection.close()
    with pytest.raises(data_check.NotRepaired, match="damaged"):
        data_check.repair_database()
    assert live.read_bytes() == bytes(content)
    assert str(good) in data_check.advise_restore()


def test_rows_whose_content_cannot_be_read_are_named(live):
    with closing(sqlite3.connect(live)) as database:
        first, second = (
            row[0] for row in database.execute("SELECT id FROM chats_fragment WHERE text IS NOT NULL LIMIT 2")
        )
        database.execute("UPDATE chats_fragment SET extra = '{' WHERE id = ?", [first])
        database.execute("UPDATE chats_fragment SET text = CAST(x'ff6869' AS TEXT) WHERE id = ?", [second])
        database.commit()
    connection.close()
    result = data_check.check()
    assert result.pages == []
    assert [words.partition(":")[0] for words in result.rows] == [f"chats_fragment {first}", f"chats_fragment {second}"]
    assert "chats_fragment" in result.summary and "All else can be read" in result.advice
    assert create_backup("manual").lost == {}


def test_a_message_that_reads_otherwise_than_it_was_written_is_named_by_its_chat(live):
    with closing(sqlite3.connect(live)) as database:
        find = (
            "SELECT f.id, c.uid, coalesce(c.user_title, c.auto_title) FROM chats_fragment f"
            " JOIN chats_message m ON m.id = f.message_id JOIN chats_conversation c ON c.id = m.conversation_id"
            " WHERE f.text <> '' AND coalesce(c.user_title, c.auto_title) <> '' LIMIT 1"
        )
        fragment, _, title = database.execute(find).fetchone()
        database.execute("UPDATE chats_fragment SET text = '!' || substr(text, 2) WHERE id = ?", [fragment])
        database.commit()
    connection.close()
    result = data_check.check()
    assert result.pages == [] and result.rows == [f"the conversation “{title[:60]}” differs from its digest"]


def test_a_database_of_no_byte_is_replaced_and_never_taken_for_a_good_one(live):
    good, empty = create_backup("manual").path, create_backup("manual").path
    (empty / "bigagi.sqlite3").write_bytes(b"")
    connection.close()
    with pytest.raises(BackupError, match="empty"):
        restore_backup(empty)
    assert count_chats(live) == CHATS
    write_live(live, b"")
    connection.close()
    with pytest.raises(BackupError, match="empty"):
        create_backup("manual")
    connection.close()
    assert restore_backup(good).faults == []
    assert count_chats(Path(live)) == CHATS
