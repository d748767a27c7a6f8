"""Which key of the key file is this database's: it seals nothing with the file of another one.

The database keeps the fingerprint of the key that makes references. The key file fits if it contains that key, in any
line; the first line encrypts.
"""

import hashlib
import hmac
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import transaction

from stores.models import KeyFingerprint, Secret
from stores.records.errors import SecretsUnreadable
from stores.records.iteration import batched
from stores.records.keyfile import KeyFileError, create_key_file, fingerprint_of, name_key, read_keys

HOW_TO_MEND = (
    "Put back the key file of this database. If it is lost, run `manage.py forget_secrets`: you lose stored API keys, "
    "but no chats."
)
BATCH = 500


@dataclass(frozen=True, repr=False)
class SealingKeys:
    """The keys with which secrets are sealed. Never print it."""

    reference_key: bytes
    keys: list[bytes]

    def digest(self, value: str) -> str:
        """Return the keyed digest by which the value is referred to: 32 hexadecimal digits."""
        return _digest(self.reference_key, value)

    def find_reference(self, value: str) -> str:
        """Return the digest by which the value is referred to: where another key of the file did that first, its own,
        so that what was sealed before a key was lost and found again is still the same."""
        mine = self.digest(value)
        others = [_digest(key, value) for key in self.keys if key != self.reference_key]
        if not others:
            return mine
        known = set(Secret.objects.filter(reference__in=[mine, *others]).values_list("reference", flat=True))
        return next((one for one in (mine, *others) if one in known), mine)

    def encrypt(self, value: str) -> bytes:
        """Return the value, encrypted with the newest key."""
        return Fernet(self.keys[0]).encrypt(value.encode("utf-8", "surrogatepass"))

    @property
    def sealed_with(self) -> str:
        """The fingerprint of the key that encrypts."""
        return fingerprint_of(self.keys[0])


def sealing_keys() -> SealingKeys:
    """Return the keys of the file, if it is this database's; make the file where nothing was ever sealed.

    Raises `SecretsUnreadable`."""
    try:
        return _find_sealing_keys()
    except KeyFileError as error:
        raise SecretsUnreadable(f"{error} {HOW_TO_MEND}") from error


def _find_sealing_keys() -> SealingKeys:
    expected = _noted()
    is_first = is_unused()
    if is_first:
        create_key_file()
    keys = read_keys()
    # The oldest key stays at the end of the file when keys are renewed, and with it all references.
    fitting = keys[-1] if is_first else _find_fitting(keys, expected)
    if fitting is None:
        raise KeyFileError(_tell_misfit([fingerprint_of(key) for key in keys], expected))
    return SealingKeys(fitting, keys)


def _tell_misfit(here: list[str], expected: str) -> str:
    sealed_with = f" ({name_key(expected)})" if expected else ""
    text = (
        f"The key file {settings.KEY_FILE} does not match: the stored keys were encrypted with another one"
        f"{sealed_with}; the file has {' and '.join(map(name_key, here))}."
    )
    if read := Secret.objects.filter(sealed_with__in=here).count():
        text += f" It reads {read} of {Secret.objects.count()}. If you have both files, put the lines of both into it."
    return text


def _noted() -> str:
    return KeyFingerprint.objects.values_list("fingerprint", flat=True).first() or ""


def _find_fitting(keys: list[bytes], expected: str) -> bytes | None:
    """Return the key that makes this database's references."""
    noted = next((key for key in keys if fingerprint_of(key) == expected), None)
    if noted or (expected and Secret.objects.filter(sealed_with__in=[expected, ""]).exists()):
        return noted
    # Sealed before fingerprints were kept, or the owner went on with another key, which sealed nothing. The newest
    # secret proves nothing: the wrong file may have sealed it.
    oldest = Secret.objects.order_by("pk").first()
    value = None if oldest is None else decrypt(keys, bytes(oldest.ciphertext))
    if oldest is None or value is None:
        return None
    return next((key for key in keys if _digest(key, value) == oldest.reference), None)


def _digest(key: bytes, value: str) -> str:
    # Sealed secrets are known by it: it must stay as it is.
    own = hashlib.sha256(b"reference" + key).digest()
    return hmac.new(own, value.encode("utf-8", "surrogatepass"), "sha256").hexdigest()[:32]


def note_key(keys: SealingKeys) -> None:
    """Keep the key's fingerprint, in the transaction of the first secret. Raises `SecretsUnreadable` where another
    server has sealed with another key meanwhile."""
    fingerprint = fingerprint_of(keys.reference_key)
    if not (known := _noted()):
        row = KeyFingerprint(pk=KeyFingerprint.ONLY, fingerprint=fingerprint)
        KeyFingerprint.objects.bulk_create([row], ignore_conflicts=True)
        known = _noted()
    if known != fingerprint and _find_fitting(keys.keys, known) == keys.reference_key:
        KeyFingerprint.objects.filter(fingerprint=known).update(fingerprint=fingerprint)
    elif known != fingerprint:
        raise SecretsUnreadable(f"The key file {settings.KEY_FILE} does not match any more. {HOW_TO_MEND}")


def decrypt(keys: list[bytes], ciphertext: bytes) -> str | None:
    """Return the value with any of the keys that fits, or None."""
    try:
        plain = MultiFernet([Fernet(key) for key in keys]).decrypt(ciphertext)
    except InvalidToken:
        return None
    return plain.decode("utf-8", "surrogatepass")


# --- telling --------------------------------------------------------------------------------------------------------


def why_unreadable() -> str:
    """Return why secrets can neither be read nor stored and how to fix that, or an empty text. It makes no file."""
    try:
        if is_unused():
            # Without a file one is made when it is needed; one that is damaged has to go first.
            with suppress(FileNotFoundError):
                Path(settings.KEY_FILE).stat()
                read_keys()
            return ""
        _find_sealing_keys()
    except (KeyFileError, OSError) as error:
        return f"{error} {HOW_TO_MEND}"
    return ""


def is_unused() -> bool:
    """Tell whether no secret was ever sealed here, so that any key file fits."""
    return not _noted() and not Secret.objects.exists()


def count_foreign() -> Counter[str]:
    """Count the secrets that no key of the file decrypts, by the fingerprints of their keys ("": not known), without
    those that were given up."""
    try:
        here = {fingerprint_of(key): key for key in read_keys()}
    except KeyFileError:
        here = {}
    found: Counter[str] = Counter()
    rows = Secret.objects.filter(is_given_up=False).exclude(sealed_with__in=list(here))
    for fingerprint, ciphertext in rows.order_by().values_list("sealed_with", "ciphertext").iterator():
        if fingerprint or not here or decrypt(list(here.values()), bytes(ciphertext)) is None:
            found[fingerprint] += 1
    return found


def has_unreadable() -> bool:
    """Tell whether there are secrets that no key of the file decrypts, given up or not."""
    return Secret.objects.filter(is_given_up=True).exists() or bool(count_foreign())


def tell_foreign() -> str:
    """Return that some secrets were sealed with other keys than the file has, and what to do; or an empty text."""
    found = count_foreign()
    if not found:
        return ""
    named = ", ".join(f"{count} with {name_key(fingerprint)}" for fingerprint, count in sorted(found.items()))
    return (
        f"{found.total()} of {Secret.objects.count()} stored secrets were sealed with another key than "
        f"{settings.KEY_FILE} has: {named}. If you have that key file, add its line to this one: any key in it reads. "
        "If it is lost, run `manage.py forget_secrets`: no text of a chat is deleted."
    )


# --- keeping record -------------------------------------------------------------------------------------------------


def note_keys() -> None:
    """Keep by which keys older secrets were sealed, as far as the key file tells it: before, nobody noted that."""
    if is_unused():
        return
    try:
        keys = read_keys()
    except KeyFileError:
        return
    with transaction.atomic():
        for key in keys:
            unknown = Secret.objects.filter(sealed_with="").order_by().values_list("pk", "ciphertext")
            mine = [pk for pk, ciphertext in unknown.iterator() if decrypt([key], bytes(ciphertext)) is not None]
            for some in batched(mine, BATCH):
                Secret.objects.filter(pk__in=some).update(sealed_with=fingerprint_of(key))
            # Found again: should it be lost once more, that is told.
            Secret.objects.filter(sealed_with=fingerprint_of(key), is_given_up=True).update(is_given_up=False)
        with suppress(KeyFileError, SecretsUnreadable):
            note_key(_find_sealing_keys())


def adopt_key_file() -> int:
    """Make the key file this database's, as it is, and return how many secrets it cannot read.

    Those stay sealed and are readable again as soon as the file has their key too. Raises `KeyFileError`."""
    create_key_file()
    keys = read_keys()
    note_keys()
    with transaction.atomic():
        try:
            _find_sealing_keys()
        except KeyFileError:
            fingerprint = fingerprint_of(keys[-1])
            KeyFingerprint.objects.update_or_create(pk=KeyFingerprint.ONLY, defaults={"fingerprint": fingerprint})
        given_up = 0
        rows = Secret.objects.filter(is_given_up=False).order_by().values_list("pk", "ciphertext")
        foreign = [pk for pk, ciphertext in rows.iterator() if decrypt(keys, bytes(ciphertext)) is None]
        for some in batched(foreign, BATCH):
            given_up += Secret.objects.filter(pk__in=some).update(is_given_up=True)
    return given_up
