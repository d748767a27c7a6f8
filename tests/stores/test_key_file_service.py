"""The key file is this database's, or nothing is sealed with it; what other keys sealed is told apart."""

import os
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from bigagi_site.startup import prepare_key_file
from stores.models import KeyFingerprint, Secret
from stores.records import keys
from stores.records.errors import SecretsUnreadable
from stores.records.keyfile import fingerprint_of, read_keys
from stores.records.keys import adopt_key_file, count_foreign, note_keys, tell_foreign, why_unreadable
from stores.records.sealing import Masker, Sealer
from stores.records.secrets import MARKER, is_readable, reveal, reveal_readable

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("data_dir")]

FIRST, SECOND, THIRD = (Fernet.generate_key() for _ in range(3))


def put(settings, *lines: bytes) -> None:
    Path(settings.KEY_FILE).write_bytes(b"\n".join(lines) + b"\n")


def seal(value):
    sealer = Sealer()
    sealed = sealer.seal(value)
    sealer.save()
    return sealed


def seal_as_before(value: str) -> str:
    """Seal as it was done before fingerprints were kept: with whatever key is in the file."""
    key = read_keys()[-1]
    reference = keys.SealingKeys(key, [key]).digest(value)
    Secret.objects.create(reference=reference, ciphertext=Fernet(key).encrypt(value.encode()))
    return f"{MARKER}ref:{reference}"


def test_the_first_secret_notes_the_fingerprint_and_not_the_key(settings):
    put(settings, FIRST)
    assert not KeyFingerprint.objects.exists()

    seal({"apiKey": "hunter2"})

    assert KeyFingerprint.objects.get().fingerprint == fingerprint_of(FIRST)
    assert Secret.objects.get().sealed_with == fingerprint_of(FIRST)
    assert FIRST.decode()[:8] not in fingerprint_of(FIRST)


@pytest.mark.parametrize(
    "lines", [[SECOND], [b"no key at all"], [b""], None], ids=["other", "damaged", "empty", "none"]
)
def test_a_file_that_does_not_fit_seals_nothing(settings, lines: list[bytes] | None):
    put(settings, FIRST)
    sealed = seal({"apiKey": "hunter2"})
    os.unlink(settings.KEY_FILE)
    if lines is not None:
        put(settings, *lines)

    with pytest.raises(SecretsUnreadable, match=r"The key file .* forget_secrets"):
        Sealer().seal({"apiKey": "hunter3"})
    assert Sealer().seal({"label": "mine"}) == {"label": "mine"}
    assert "forget_secrets" in why_unreadable()
    assert Secret.objects.count() == 1 and (lines is not None) == os.path.exists(settings.KEY_FILE)

    put(settings, FIRST)
    assert why_unreadable() == "" and reveal(sealed) == {"apiKey": "hunter2"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root can read everything")
def test_a_file_that_cannot_be_read_is_told(settings):
    put(settings, FIRST)
    seal({"apiKey": "hunter2"})
    os.chmod(settings.KEY_FILE, 0)
    with pytest.raises(SecretsUnreadable, match="cannot be read"):
        Sealer().seal({"apiKey": "hunter3"})


def test_a_folder_in_the_files_place_is_told(settings):
    os.mkdir(settings.KEY_FILE)
    with pytest.raises(SecretsUnreadable, match="cannot be read"):
        Sealer().seal({"apiKey": "hunter3"})
    assert "cannot be read" in why_unreadable()


@pytest.mark.parametrize("written", [b"\xef\xbb\xbf%s\r\n", b'"%s"', b"\n%s,\n"], ids=["BOM", "quotes", "comma"])
def test_a_key_is_known_again_whatever_an_editor_puts_around_it(settings, written: bytes):
    put(settings, FIRST)
    seal({"apiKey": "hunter2"})
    put(settings, written % FIRST, FIRST)
    assert read_keys() == [FIRST] and why_unreadable() == ""


@pytest.mark.parametrize("lines", [[FIRST, SECOND], [SECOND, FIRST], [b"# a remark", SECOND, FIRST, THIRD]])
def test_of_several_keys_any_that_fits_reads_and_references_stay(settings, lines: list[bytes]):
    put(settings, FIRST)
    sealed = seal({"apiKey": "hunter2"})

    put(settings, *lines)

    assert why_unreadable() == ""
    assert reveal(sealed) == {"apiKey": "hunter2"}
    assert seal({"apiKey": "hunter2"}) == sealed
    newest = next(line for line in lines if line in (FIRST, SECOND))
    added = seal({"apiKey": "hunter3"})
    assert Secret.objects.first().sealed_with == fingerprint_of(newest)
    assert reveal(added) == {"apiKey": "hunter3"}


def test_the_newest_secret_does_not_make_a_wrong_file_right(settings):
    put(settings, FIRST)
    old = seal_as_before("first-secret")
    put(settings, SECOND)
    new = seal_as_before("second-secret")

    assert "does not match" in why_unreadable()
    with pytest.raises(SecretsUnreadable):
        Sealer().seal({"apiKey": "hunter3"})

    put(settings, FIRST)
    assert why_unreadable() == ""
    assert count_foreign() == {"": 1}
    assert "1 of 2 stored secrets were sealed with another key" in tell_foreign()

    put(settings, FIRST, SECOND)
    note_keys()
    assert tell_foreign() == "" and reveal([old, new]) == ["first-secret", "second-secret"]
    assert KeyFingerprint.objects.get().fingerprint == fingerprint_of(FIRST)
    put(settings, FIRST)
    assert count_foreign() == {fingerprint_of(SECOND): 1}
    assert fingerprint_of(SECOND)[:8] in tell_foreign()


def test_a_renewed_file_of_before_fits_by_what_it_reads(settings):
    put(settings, FIRST)
    reference = seal_as_before("first-secret")
    put(settings, SECOND, FIRST)
    assert why_unreadable() == ""
    assert seal({"apiKey": "first-secret"}) == {"apiKey": reference}


def test_a_start_with_the_right_file_notes_it_and_a_later_one_is_told_apart(settings):
    put(settings, FIRST)
    seal_as_before("first-secret")
    assert prepare_key_file() == []
    assert Secret.objects.get().sealed_with == fingerprint_of(FIRST)

    put(settings, SECOND)
    [told] = prepare_key_file()
    assert fingerprint_of(FIRST)[:8] in told and fingerprint_of(SECOND)[:8] in told
    assert Path(settings.KEY_FILE).read_bytes().split() == [SECOND]


def test_giving_up_deletes_nothing_and_is_undone_by_the_right_key(settings):
    put(settings, FIRST)
    sealed = seal({"text": "use sk-proj-aB3dE5fG7hI9jK1lM3nO5pQ7 here", "apiKey": "hunter2"})
    put(settings, SECOND)

    assert adopt_key_file() == 2

    assert why_unreadable() == "" and tell_foreign() == ""
    unreadable: list[str] = []
    shown = reveal_readable(sealed, unreadable)
    assert shown == {"text": f"use {MARKER}5pQ7 here", "apiKey": MARKER} and len(unreadable) == 2
    added = seal({"apiKey": "hunter3"})
    put(settings, SECOND, FIRST)
    assert reveal([sealed, added])[0]["text"] == "use sk-proj-aB3dE5fG7hI9jK1lM3nO5pQ7 here"
    assert all(is_readable(secret) for secret in Secret.objects.all())
    # Found with the next start, and lost once more: that is told.
    note_keys()
    put(settings, SECOND)
    assert "2 of 3 stored secrets" in tell_foreign()


def test_the_right_file_that_is_found_after_giving_up_fits_at_once_unless_the_new_one_sealed(settings):
    put(settings, FIRST)
    sealed = seal({"apiKey": "hunter2"})
    put(settings, SECOND)
    adopt_key_file()

    put(settings, FIRST)
    assert why_unreadable() == ""
    assert seal({"apiKey": "hunter2"}) == sealed
    seal({"apiKey": "hunter3"})
    assert KeyFingerprint.objects.get().fingerprint == fingerprint_of(FIRST)

    put(settings, SECOND)
    adopt_key_file()
    added = seal({"apiKey": "hunter4"})
    put(settings, FIRST)
    assert "reads 2 of 3" in why_unreadable() and "lines of both" in why_unreadable()
    with pytest.raises(SecretsUnreadable):
        Sealer().seal({"apiKey": "hunter5"})
    put(settings, FIRST, SECOND)
    assert reveal([sealed, added]) == [{"apiKey": "hunter2"}, {"apiKey": "hunter4"}]


def test_what_was_sealed_before_a_key_was_lost_is_the_same_when_it_is_found(settings):
    put(settings, FIRST)
    sealed = seal({"apiKey": "hunter2"})
    put(settings, SECOND)
    adopt_key_file()
    seal({"apiKey": "hunter3"})

    put(settings, SECOND, FIRST)

    assert seal({"apiKey": "hunter2"}) == sealed and Secret.objects.count() == 2


def test_another_server_that_sealed_first_with_another_key_wins(settings):
    put(settings, FIRST)
    sealer = Sealer()
    sealer.seal({"apiKey": "hunter2"})
    KeyFingerprint.objects.create(pk=KeyFingerprint.ONLY, fingerprint=fingerprint_of(SECOND))

    with pytest.raises(SecretsUnreadable):
        sealer.save()
    assert not Secret.objects.exists()


def test_a_masker_needs_no_key(settings):
    put(settings, b"no key at all")
    value = {"text": "use sk-proj-aB3dE5fG7hI9jK1lM3nO5pQ7", "list": [{"oaiKey": "0123456789abcdef"}]}
    assert Masker().seal(value) == {"text": f"use {MARKER}5pQ7", "list": [{"oaiKey": f"{MARKER}cdef"}]}
