"""New ids, of the lengths that big-AGI gives (`bigagi-format.md` § 3)."""

import secrets
import string
import uuid

from stores.records.codecs import JSONObject, is_id
from stores.records.errors import at

_ALPHABET = string.ascii_letters + string.digits + "_-"
"""64 characters, so that each is as likely as any other."""


def new_chat_id() -> str:
    return str(uuid.uuid4())


def new_message_id() -> str:
    return _new_id(21)


def new_fragment_id() -> str:
    return _new_id(8)


def _new_id(length: int) -> str:
    return "".join(_ALPHABET[byte % 64] for byte in secrets.token_bytes(length))


def read_id(record: JSONObject, pointer: str = "") -> str:
    """Return the id of a record, which stands at this place of a body. Raises `Invalid`."""
    uid = record.get("id")
    if not is_id(uid):
        raise at(f"{pointer}/id", "Must be a string of 1 to 200 characters, without NUL or lone surrogates.", "type")
    return str(uid)
