"""Secrets: one walker replaces them in any JSON by references before it is written.

What is secret is told in `bigagi-format.md` § 5: text under certain keys, user, password and query of a host's URL, and
the known shapes of API keys. A reference is `bigagi-secret:ref:<32 hexadecimal digits>`, a keyed digest of the value:
equal secrets have equal references, so that hashes of what holds them can be compared. It can stand inside a longer
text. On the wire a secret is the marker `bigagi-secret:<last4>`.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings

from stores.jsontext import UndecodableJSON, decode, encode
from stores.keyfile import KeyFileError, name_key, read_keys
from stores.keys import SealingKeys, decrypt, note_key, sealing_keys
from stores.models import Secret
from stores.shapes import KEY_SHAPE

MARKER = "bigagi-secret:"
LAST4_FROM = 16
"""Characters from which on a marker shows the last four."""

_REFERENCE = re.compile(r"bigagi-secret:ref:([0-9a-f]{32})")
_SECRET_KEY = re.compile(r"(?:key|keyid|token|secret)\Z|\A(?:googleCSEId|wssEndpoint)\Z", re.IGNORECASE)
_HOST_KEY = re.compile(r"(?:Host|Endpoint)\Z", re.IGNORECASE)
_USERINFO = re.compile(r"\A((?:(?:[A-Za-z][A-Za-z0-9+.-]*:)?//)?)([^/?#@\s]+(?:@[^/?#@\s]+)*)(?=@)")
_QUERY = re.compile(r"(?<=\?)([^#]+)")
_WHOLE_SHAPE = re.compile(r"(?=\D*\d|[^A-Z]*[A-Z])(?:sk-|AIza|AKIA)[A-Za-z0-9_\-]{12,}")
_FOUND_ANYWHERE = re.compile(f"{_REFERENCE.pattern}|{KEY_SHAPE.pattern}")
# Both are tried at the begin of a string or word alone: a long text of quotes or of base64, tried at each of its
# characters, took minutes in which the server answered nobody.
_MEMBER = re.compile(r'(?<!\\)"((?:[^"\\]++|\\.)*+)"(\s*+:\s*+(?:\[\s*+)?)"((?:[^"\\]++|\\.)*+)("|\\?\Z)', re.DOTALL)
_LOOSE_MEMBER = re.compile(
    r"(?<![A-Za-z0-9_])([A-Za-z0-9_]++)"
    r"(?:(?<=key)|(?<=keyid)|(?<=token)|(?<=secret)|(?<=googleCSEId)|(?<=Endpoint)|(?<=Host))"
    r'(\\*+"\s*+:\s*+(?:\[\s*+)?\\*+")((?:[^"\\]++|\\[^"])*+)',
    re.IGNORECASE | re.DOTALL,
)
"""A secret's key and its text where the quotes of damaged text do not pair."""

_HINTS = (
    *(b'key"', b'keyid"', b'token"', b'secret"', b'host"', b'endpoint"', b'googlecseid"'),
    *(b"sk-", b"aiza", b"akia", MARKER.encode(), b"\\u00"),
)


class UnreadableSecret(ValueError):
    """A secret that the key file cannot decrypt. Its ciphertext is never used in its place."""


# --- taking out -----------------------------------------------------------------------------------------------------


def may_hold_secrets(text: str) -> bool:
    """Tell quickly whether JSON text can hold a secret: False is certain."""
    # Bytes are searched several times as fast as text with wide characters.
    lowered = text.encode("utf-8", "surrogatepass").lower()
    return any(hint in lowered for hint in _HINTS)


class Sealer:
    """Takes the secrets out of values and texts; `save` writes them. One serves a whole batch.

    The methods raise `SecretsUnreadable` for a secret where the key file is not this database's."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self.count = 0
        self._keys: SealingKeys | None = None

    def _seal(self, secret: str) -> str:
        if self._keys is None:
            self._keys = sealing_keys()
        reference = f"{MARKER}ref:{self._keys.digest(secret)}"
        self.count += 1
        self.found[reference] = secret
        return reference

    def _seal_string(self, text: str, key: str) -> str:
        if not text or is_marker(text):
            return text
        if _SECRET_KEY.search(key) or _WHOLE_SHAPE.fullmatch(text):
            return self._seal(text)
        if not _HOST_KEY.search(key):
            return self._seal_found(text)
        # Each character is sealed once at most: what a reference stands for is not looked at again.
        sealed, at = "", 0
        if user := _USERINFO.match(text):
            sealed, at = user[1] + self._keep_or_seal(user[2]), user.end()
        for query in _QUERY.finditer(text, at):
            sealed += self._seal_found(text[at : query.start()]) + self._keep_or_seal(query[1])
            at = query.end()
        return sealed + self._seal_found(text[at:])

    def _seal_found(self, text: str) -> str:
        """Seal what is secret by its shape, and what only looks like a reference: revealing gives it back."""
        if "sk-" in text or "AIza" in text or "AKIA" in text or MARKER in text:
            return _FOUND_ANYWHERE.sub(lambda match: self._seal(match[0]), text)
        return text

    def _keep_or_seal(self, secret: str) -> str:
        return secret if is_marker(secret) else self._seal(secret)

    def seal(self, value: Any, key: str = "") -> Any:
        """Return the JSON value with references in the place of secrets; `key` is the key that it stands under."""
        if isinstance(value, str):
            return self._seal_string(value, key)
        if isinstance(value, list):
            # The strings of a list stand under the list's key.
            return [self.seal(item, key) for item in value]
        if isinstance(value, dict):
            return {
                self._seal_found(name) if MARKER in name else name: self.seal(item, name)
                for name, item in value.items()
            }
        return value

    def seal_text(self, text: str) -> str:
        """Return raw text, JSON or damaged, with references in the place of secrets."""
        if not may_hold_secrets(text):
            return text
        sealed, at = [], 0
        for match in _MEMBER.finditer(text):
            sealed += [self._seal_loose(text[at : match.start()]), self._seal_member(*match.groups())]
            at = match.end()
        return "".join([*sealed, self._seal_loose(text[at:])])

    def _seal_member(self, key: str, colon: str, text: str, end: str) -> str:
        try:
            plain_key = decode(f'"{key}"')
        except UndecodableJSON:
            plain_key = key
        return f'"{self._seal_found(key)}"{colon}"{self._seal_inside(text, plain_key)}{end}'

    def _seal_loose(self, text: str) -> str:
        sealed, at = [], 0
        for match in _LOOSE_MEMBER.finditer(text):
            key, colon, inside = match.groups()
            sealed += [self._seal_found(text[at : match.start()]), key, colon, self._seal_inside(inside, key)]
            at = match.end()
        return "".join([*sealed, self._seal_found(text[at:])])

    def _seal_inside(self, text: str, key: str) -> str:
        """Seal the inside of a JSON string, as it is escaped; it may hold JSON itself."""
        if '\\"' in text and not _SECRET_KEY.search(key):
            return self._seal_loose(text)
        try:
            plain = decode(f'"{text}"')
        except UndecodableJSON:
            return self._seal_string(text, key)
        sealed = self._seal_string(plain, key)
        return text if sealed == plain else encode(sealed)[1:-1]

    def save(self) -> None:
        """Write the secrets that were found and are not known yet; call it in the transaction of what refers to
        them."""
        keys = self._keys
        if not self.found or keys is None:
            return
        note_key(keys)
        known = set(Secret.objects.filter(reference__in=map(_digits, self.found)).values_list("reference", flat=True))
        new = {name: value for name, value in self.found.items() if _digits(name) not in known}
        Secret.objects.bulk_create(
            [
                Secret(
                    reference=_digits(name),
                    ciphertext=keys.encrypt(value),
                    last4=_last4(value),
                    sealed_with=keys.sealed_with,
                )
                for name, value in new.items()
            ],
            ignore_conflicts=True,
        )
        self.found.clear()


class Masker(Sealer):
    """Puts the wire's markers in the place of secrets, for text that must be kept while they cannot be sealed."""

    def _seal(self, secret: str) -> str:
        self.count += 1
        return MARKER + _last4(secret)


def is_marker(text: str) -> bool:
    """Tell whether the text is the wire's marker of a whole secret."""
    return text.startswith(MARKER) and len(text) <= len(MARKER) + 4


def is_reference(text: str) -> bool:
    """Tell whether the text is the reference of a whole secret."""
    return _REFERENCE.fullmatch(text) is not None


def may_hold_key(key: str) -> bool:
    """Tell whether what stands under this key is secret, or a host that can hold a secret."""
    return bool(_SECRET_KEY.search(key) or _HOST_KEY.search(key))


def _digits(reference: str) -> str:
    return reference.rpartition(":")[2]


def _last4(value: str) -> str:
    return value[-4:] if len(value) >= LAST4_FROM and value[-4:].isascii() and value[-4:].isprintable() else ""


# --- putting back ---------------------------------------------------------------------------------------------------


def _map_strings(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value) if MARKER in value else value
    if isinstance(value, list):
        return [_map_strings(item, change) for item in value]
    if isinstance(value, dict):
        return {change(key) if MARKER in key else key: _map_strings(item, change) for key, item in value.items()}
    return value


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


def mask_found(text: str, start: int = 0) -> str:
    """Return the text from `start` on with the wire's marker in the place of what is secret by its shape, or looks like
    a reference."""
    if not ("sk-" in text or "AIza" in text or "AKIA" in text or MARKER in text):
        return text[start:]
    masked = []
    for match in _FOUND_ANYWHERE.finditer(text, start):
        masked += [text[start : match.start()], MARKER + _last4(match[0])]
        start = match.end()
    return "".join([*masked, text[start:]])


def hide(text: str) -> str:
    """Return text with a marker that tells nothing in the place of each reference: it needs no look-up, and what is cut
    short afterwards has no half of a reference."""
    return _REFERENCE.sub(MARKER, text) if MARKER in text else text


def hide_found(text: str) -> str:
    """Return text with such a marker in the place of each reference, and of what is secret by its shape. It needs no
    key."""
    if _WHOLE_SHAPE.fullmatch(text):
        return MARKER
    return _FOUND_ANYWHERE.sub(MARKER, text)


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
