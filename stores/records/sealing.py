"""Taking secrets out of JSON before it is written: one walker replaces them by references (`secrets`)."""

import re
from typing import Any

from stores.models import Secret
from stores.records.jsontext import UndecodableJSON, decode, encode
from stores.records.keys import SealingKeys, note_key, sealing_keys
from stores.records.secrets import (
    FOUND_ANYWHERE,
    HOST_KEY,
    MARKER,
    SECRET_KEY,
    WHOLE_SHAPE,
    digits_of,
    is_marker,
    last4_of,
)

_USERINFO = re.compile(r"\A((?:(?:[A-Za-z][A-Za-z0-9+.-]*:)?//)?)([^/?#@\s]+(?:@[^/?#@\s]+)*)(?=@)")
_QUERY = re.compile(r"(?<=\?)([^#]+)")
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
        reference = f"{MARKER}ref:{self._keys.find_reference(secret)}"
        self.count += 1
        self.found[reference] = secret
        return reference

    def _seal_string(self, text: str, key: str) -> str:
        if not text or is_marker(text):
            return text
        if SECRET_KEY.search(key) or WHOLE_SHAPE.fullmatch(text):
            return self._seal(text)
        if not HOST_KEY.search(key):
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
            return FOUND_ANYWHERE.sub(lambda match: self._seal(match[0]), text)
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
        if '\\"' in text and not SECRET_KEY.search(key):
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
        known = set(Secret.objects.filter(reference__in=map(digits_of, self.found)).values_list("reference", flat=True))
        new = {name: value for name, value in self.found.items() if digits_of(name) not in known}
        Secret.objects.bulk_create(
            [
                Secret(
                    reference=digits_of(name),
                    ciphertext=keys.encrypt(value),
                    last4=last4_of(value),
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
        return MARKER + last4_of(secret)
