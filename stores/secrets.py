"""Secrets: one walker takes them out of any JSON before it is written, and puts a reference in their place.

What is secret is told in `bigagi-format.md` § 5: text under certain keys, user, password and query of a host's URL, and
the known shapes of API keys. A reference is `bigagi-secret:ref:<32 hexadecimal digits>`, a keyed digest of the value:
equal secrets have equal references, so that hashes of what holds them can be compared. It can stand inside a longer
text. On the wire a secret is the marker `bigagi-secret:<last4>`.
"""

import hashlib
import hmac
import os
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from stores.jsontext import UndecodableJSON, decode, encode
from stores.models import Secret

MARKER = "bigagi-secret:"
LAST4_FROM = 16
"""Characters from which on a marker shows the last four."""

_REFERENCE = re.compile(r"bigagi-secret:ref:([0-9a-f]{32})")
_SECRET_KEY = re.compile(r"(?:key|keyid|token|secret)\Z|\A(?:googleCSEId|wssEndpoint)\Z", re.IGNORECASE)
_HOST_KEY = re.compile(r"(?:Host|Endpoint)\Z", re.IGNORECASE)
_USERINFO = re.compile(r"\A((?:[A-Za-z][A-Za-z0-9+.-]*:)?(?://)?)([^/?#@\s]+(?:@[^/?#@\s]+)*)(?=@)")
_QUERY = re.compile(r"(?<=\?)([^#]+)")
_WHOLE_SHAPE = re.compile(r"(?=\D*\d|[^A-Z]*[A-Z])(?:sk-|AIza|AKIA)[A-Za-z0-9_\-]{12,}")
_SHAPE = re.compile(
    r"(?<![A-Za-z0-9])(?:sk-(?=[A-Za-z_\-]*\d)[A-Za-z0-9_\-]{20,}|AIza[A-Za-z0-9_\-]{35}|AKIA[A-Z0-9]{16})"
)
_MEMBER = re.compile(r'"((?:[^"\\]|\\.)*)"(\s*:\s*)"((?:[^"\\]|\\.)*)("|\Z)', re.DOTALL)
_HINTS = (
    *(b'key"', b'keyid"', b'token"', b'secret"', b'host"', b'endpoint"', b'googlecseid"'),
    *(b"sk-", b"aiza", b"akia", MARKER.encode(), b"\\u00"),
)


class UnreadableSecret(ValueError):
    """A secret whose key is not in the key file: it is never replaced by its ciphertext."""


# --- the key file ---------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4)
def _read_keys(path: Path, changed_ns: int) -> list[bytes]:
    return path.read_bytes().split()


def _keys(*, create: bool = False) -> list[bytes]:
    path = Path(settings.KEY_FILE)
    if not path.exists():
        if not create:
            return []
        path.parent.mkdir(parents=True, exist_ok=True)
        # Nobody else may read it even for a moment, and of two processes that make it one wins.
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(Fernet.generate_key() + b"\n")
        except FileExistsError:
            pass
    return _read_keys(path, path.stat().st_mtime_ns)


def refer(value: str) -> str:
    """Return the reference that stands for the secret."""
    # The oldest key stays at the end of the file when keys are renewed, and with it all references.
    key = hashlib.sha256(b"reference" + _keys(create=True)[-1]).digest()
    return f"{MARKER}ref:{hmac.new(key, value.encode('utf-8', 'surrogatepass'), 'sha256').hexdigest()[:32]}"


# --- taking out -----------------------------------------------------------------------------------------------------


def may_hold_secrets(text: str) -> bool:
    """Tell quickly whether JSON text can hold a secret: False is certain."""
    # Bytes are searched several times as fast as text with wide characters.
    lowered = text.encode("utf-8", "surrogatepass").lower()
    return any(hint in lowered for hint in _HINTS)


class Sealer:
    """Takes the secrets out of values and texts; `save` writes them. One serves a whole batch."""

    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self.count = 0

    def _seal(self, secret: str) -> str:
        reference = refer(secret)
        self.count += 1
        self.found[reference] = secret
        return reference

    def _seal_string(self, text: str, key: str) -> str:
        if not text or _is_marker(text):
            return text
        if _SECRET_KEY.search(key) or _WHOLE_SHAPE.fullmatch(text):
            return self._seal(text)
        if MARKER in text:
            text = _REFERENCE.sub(lambda match: self._seal(match[0]), text)
        if _HOST_KEY.search(key):
            text = _USERINFO.sub(lambda match: match[1] + self._keep_or_seal(match[2]), text)
            text = _QUERY.sub(lambda match: self._keep_or_seal(match[1]), text)
        if "sk-" in text or "AIza" in text or "AKIA" in text:
            text = _SHAPE.sub(lambda match: self._seal(match[0]), text)
        return text

    def _keep_or_seal(self, secret: str) -> str:
        return secret if _is_marker(secret) else self._seal(secret)

    def seal(self, value: Any, key: str = "") -> Any:
        """Return the JSON value with references in the place of secrets; `key` is the key that it stands under."""
        if isinstance(value, str):
            return self._seal_string(value, key)
        if isinstance(value, list):
            # The strings of a list stand under the list's key.
            return [self.seal(item, key) for item in value]
        if isinstance(value, dict):
            return {name: self.seal(item, name) for name, item in value.items()}
        return value

    def seal_text(self, text: str) -> str:
        """Return raw text, JSON or damaged, with references in the place of secrets."""
        if not may_hold_secrets(text):
            return text
        return _SHAPE.sub(lambda match: self._seal(match[0]), _MEMBER.sub(self._seal_member, text))

    def _seal_member(self, match: re.Match[str]) -> str:
        key, colon, text, end = match.groups()
        try:
            plain_key, plain = decode(f'"{key}"'), decode(f'"{text}"')
        except UndecodableJSON:
            plain_key, plain = key, text
        sealed = self._seal_string(plain, plain_key)
        return match[0] if sealed == plain else f'"{key}"{colon}{encode(sealed)[:-1]}{end}'

    def save(self) -> None:
        """Write the secrets that were found and are not known yet; call it in the transaction of what refers to
        them."""
        if not self.found:
            return
        known = set(Secret.objects.filter(reference__in=map(_digits, self.found)).values_list("reference", flat=True))
        new = {name: value for name, value in self.found.items() if _digits(name) not in known}
        box = MultiFernet([Fernet(key) for key in _keys(create=True)]) if new else None
        Secret.objects.bulk_create(
            [
                Secret(
                    reference=_digits(name),
                    ciphertext=box.encrypt(value.encode("utf-8", "surrogatepass")),
                    last4=_last4(value),
                )
                for name, value in new.items()
                if box
            ],
            ignore_conflicts=True,
        )
        self.found.clear()


def _is_marker(text: str) -> bool:
    return text.startswith(MARKER) and len(text) <= len(MARKER) + 4


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
        return {key: _map_strings(item, change) for key, item in value.items()}
    return value


def references_in(value: Any) -> set[str]:
    """Return the references, as their digits, in a JSON value."""
    return set(_REFERENCE.findall(encode(value)))


def _secrets(digits: Iterable[str]) -> dict[str, Secret]:
    return {secret.reference: secret for secret in Secret.objects.filter(reference__in=set(digits))}


def mask(value: Any) -> Any:
    """Return the JSON value with the wire's marker in the place of each reference."""
    if MARKER not in encode(value):
        return value
    known = _secrets(references_in(value))
    last4 = {digits: secret.last4 for digits, secret in known.items()}
    return _map_strings(value, lambda text: _REFERENCE.sub(lambda ref: MARKER + last4.get(ref[1], ""), text))


def reveal(value: Any) -> Any:
    """Return the JSON value with the secrets themselves. Raises `UnreadableSecret` without the right key."""
    if MARKER not in encode(value):
        return value
    known = _secrets(references_in(value))
    return _map_strings(value, lambda text: _REFERENCE.sub(lambda ref: _open(known.get(ref[1])), text))


def _open(secret: Secret | None) -> str:
    keys = _keys()
    if secret is None or not keys:
        raise UnreadableSecret(f"The key file {settings.KEY_FILE} is missing or empty: put it back to read API keys.")
    try:
        plain = MultiFernet([Fernet(key) for key in keys]).decrypt(bytes(secret.ciphertext))
    except (InvalidToken, ValueError) as error:
        raise UnreadableSecret(
            f"The key file {settings.KEY_FILE} is not the one this secret was stored with."
        ) from error
    return plain.decode("utf-8", "surrogatepass")


def keep(incoming: Any, ours: Any, key: str = "", *, lost: list[str] | None = None) -> Any:
    """Return incoming JSON with our reference wherever it has a marker, or nothing where we have a key.

    A marker for which we have nothing becomes "" under a secret's key, and its key is added to `lost`.
    """
    if isinstance(incoming, dict):
        mine = ours if isinstance(ours, dict) else {}
        kept = {name: keep(item, mine.get(name), name, lost=lost) for name, item in incoming.items()}
        absent = {
            name: item
            for name, item in mine.items()
            if name not in incoming and isinstance(item, str) and _REFERENCE.fullmatch(item)
        }
        return kept | absent
    if isinstance(incoming, list):
        mine_list = ours if isinstance(ours, list) else []
        return [
            keep(item, mine_list[at] if at < len(mine_list) else None, key, lost=lost)
            for at, item in enumerate(incoming)
        ]
    if isinstance(incoming, str):
        if incoming == "" and isinstance(ours, str) and _REFERENCE.fullmatch(ours):
            return ours
        if MARKER in incoming and isinstance(ours, str) and mask(ours) == incoming:
            return ours
        if _is_marker(incoming) and (_SECRET_KEY.search(key) or _HOST_KEY.search(key)):
            if lost is not None:
                lost.append(key)
            return ""
    return incoming
