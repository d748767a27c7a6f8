"""Secrets and what stands in their places: references in the database, markers on the wire.

What is secret is told in `bigagi-format.md` § 5: text under certain keys, user, password and query of a host's URL, and
the known shapes of API keys. A reference is `bigagi-secret:ref:<32 hexadecimal digits>`, a keyed digest of the value:
equal secrets have equal references, so that hashes of what holds them can be compared. It can stand inside a longer
text. On the wire a secret is the marker `bigagi-secret:<last4>`.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings

from stores.models import Secret
from stores.records.jsontext import encode
from stores.records.key_shapes import KEY_SHAPE
from stores.records.keyfile import KeyFileError, name_key, read_keys
from stores.records.keys import decrypt

MARKER = "bigagi-secret:"
LAST4_FROM = 16
"""Characters from which on a marker shows the last four."""

REFERENCE_LENGTH = len(MARKER) + len("ref:") + 32

_REFERENCE = re.compile(r"bigagi-secret:ref:([0-9a-f]{32})")
SECRET_KEY = re.compile(r"(?:key|keyid|token|secret)\Z|\A(?:googleCSEId|wssEndpoint)\Z", re.IGNORECASE)
HOST_KEY = re.compile(r"(?:Host|Endpoint)\Z", re.IGNORECASE)
WHOLE_SHAPE = re.compile(r"(?=\D*\d|[^A-Z]*[A-Z])(?:sk-|AIza|AKIA)[A-Za-z0-9_\-]{12,}")
FOUND_ANYWHERE = re.compile(f"{_REFERENCE.pattern}|{KEY_SHAPE.pattern}")


class UnreadableSecret(ValueError):
    """A secret that the key file cannot decrypt. Its ciphertext is never used in its place."""


def is_marker(text: str) -> bool:
    """Tell whether the text is the wire's marker of a whole secret."""
    return text.startswith(MARKER) and len(text) <= len(MARKER) + 4


def is_reference(text: str) -> bool:
    """Tell whether the text is the reference of a whole secret."""
    return _REFERENCE.fullmatch(text) is not None


def may_hold_key(key: str) -> bool:
    """Tell whether what stands under this key is secret, or a host that can hold a secret."""
    return bool(SECRET_KEY.search(key) or HOST_KEY.search(key))


def is_host_key(key: str) -> bool:
    """Tell whether what stands under this key is a host, and no secret as a whole."""
    return bool(HOST_KEY.search(key)) and not SECRET_KEY.search(key)


def digits_of(reference: str) -> str:
    """Return what tells a reference from others."""
    return reference.rpartition(":")[2]


def last4_of(value: str) -> str:
    """Return what a marker shows of a secret."""
    return value[-4:] if len(value) >= LAST4_FROM and value[-4:].isascii() and value[-4:].isprintable() else ""


def _map_strings(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value) if MARKER in value else value
    if isinstance(value, list):
        return [_map_strings(item, change) for item in value]
    if isinstance(value, dict):
        return {change(key) if MARKER in key else key: _map_strings(item, change) for key, item in value.items()}
    return value


def holds_marker(value: Any) -> bool:
    """Tell whether a JSON value still has a marker beside its references."""
    return MARKER in _REFERENCE.sub("", encode(value))


def references_in(value: Any) -> set[str]:
    """Return the references, as their digits, in a JSON value."""
    return set(_REFERENCE.findall(encode(value)))


def remove_references(value: Any, digits: set[str]) -> Any:
    """Return the JSON value with nothing in the place of these references."""
    return _map_strings(value, lambda text: _REFERENCE.sub(lambda ref: "" if ref[1] in digits else ref[0], text))


def count_references(text: str) -> int:
    """Return how many references are in a text."""
    return len(_REFERENCE.findall(text))


def _secrets(digits: Iterable[str]) -> dict[str, Secret]:
    return {secret.reference: secret for secret in Secret.objects.filter(reference__in=set(digits))}


def mask(value: Any) -> Any:
    """Return the JSON value with the wire's marker in the place of each reference."""
    if MARKER not in encode(value):
        return value
    known = _secrets(references_in(value))
    last4 = {digits: secret.last4 for digits, secret in known.items()}
    return _map_strings(value, lambda text: _REFERENCE.sub(lambda ref: MARKER + last4.get(ref[1], ""), text))


def shown_as(text: str) -> list[tuple[str, str]]:
    """Return the references of a text in their order, each behind the marker that it is shown as."""
    digits = _REFERENCE.findall(text)
    known = _secrets(digits)
    return [(MARKER + known[one].last4, f"{MARKER}ref:{one}") for one in digits if one in known]


def mask_found(text: str, start: int = 0) -> str:
    """Return the text from `start` on with the wire's marker in the place of what is secret by its shape, or looks like
    a reference."""
    if not ("sk-" in text or "AIza" in text or "AKIA" in text or MARKER in text):
        return text[start:]
    masked = []
    for match in FOUND_ANYWHERE.finditer(text, start):
        masked += [text[start : match.start()], MARKER + last4_of(match[0])]
        start = match.end()
    return "".join([*masked, text[start:]])


def hide(text: str) -> str:
    """Return text with a marker that tells nothing in the place of each reference: it needs no look-up, and what is cut
    short afterwards has no half of a reference."""
    return _REFERENCE.sub(MARKER, text) if MARKER in text else text


def hide_found(text: str) -> str:
    """Return text with such a marker in the place of each reference, and of what is secret by its shape. It needs no
    key."""
    if WHOLE_SHAPE.fullmatch(text):
        return MARKER
    return FOUND_ANYWHERE.sub(MARKER, text)


def reveal(value: Any) -> Any:
    """Return the JSON value with the secrets themselves. Raises `UnreadableSecret` without the right key."""
    if MARKER not in encode(value):
        return value
    known = _secrets(references_in(value))
    return _map_strings(value, lambda text: _REFERENCE.sub(lambda ref: _open(known.get(ref[1])), text))


def reveal_readable(value: Any, unreadable: list[str]) -> Any:
    """Return the JSON value with the secrets that can be read; the others are markers, and why is added to
    `unreadable` for each."""
    if MARKER not in encode(value):
        return value
    known = _secrets(references_in(value))

    def show(reference: re.Match[str]) -> str:
        secret = known.get(reference[1])
        try:
            return _open(secret)
        except UnreadableSecret as error:
            unreadable.append(str(error))
            return MARKER + (secret.last4 if secret is not None else "")

    return _map_strings(value, lambda text: _REFERENCE.sub(show, text))


def is_readable(secret: Secret) -> bool:
    """Tell whether the key file can decrypt the secret."""
    try:
        _open(secret)
    except UnreadableSecret:
        return False
    return True


def _open(secret: Secret | None) -> str:
    if secret is None:
        raise UnreadableSecret("It is not stored any more. Enter it again.")
    try:
        keys = read_keys()
    except KeyFileError as error:
        raise UnreadableSecret(str(error)) from error
    value = decrypt(keys, bytes(secret.ciphertext))
    if value is None:
        raise UnreadableSecret(
            f"The key file {settings.KEY_FILE} does not match: this secret was encrypted with "
            f"{name_key(secret.sealed_with)}. If you have the file with that key, add its line to the key file."
        )
    return value


def show_text(text: str, shown: Callable[[Any], Any]) -> str:
    """Return raw JSON text, sealed as text, with its references shown by `mask` or `reveal`."""
    if MARKER not in text:
        return text
    return _REFERENCE.sub(lambda reference: encode(shown(reference[0]))[1:-1], text)
