"""New ids, of the lengths that big-AGI gives (`bigagi-format.md` § 3)."""

import secrets
import string
import uuid

_ALPHABET = string.ascii_letters + string.digits + "_-"


def new_chat_id() -> str:
    return str(uuid.uuid4())


def new_message_id() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(21))


def new_fragment_id() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(8))
