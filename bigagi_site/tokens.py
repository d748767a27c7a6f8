"""Making and revoking the tokens of programs."""

import re
import unicodedata
from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import QuerySet

from bigagi_site.models import Token
from stores.api.tokens import CACHE

MAX_NAME = 100
MAX_DAYS = 36_500
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class TokenError(ValueError):
    """Why the token cannot be created, in a sentence."""


def create_token(
    user: User, name: str, *, is_read_only: bool = False, lifetime: timedelta | None = None
) -> tuple[Token, str]:
    """Create a token and return it with its text, which is not stored. Without a lifetime it is valid until revoked.

    Raises `TokenError` for a name that no list could show.
    """
    token: Token
    token, text = Token.objects.create(user, expiry=lifetime, name=check_name(name), is_read_only=is_read_only)
    return token, text


def check_name(name: str) -> str:
    """Return the name of a token as it is kept. Raises `TokenError`."""
    name = name.strip()
    if not name:
        raise TokenError("Enter a name for the token, such as: backup script.")
    if len(name) > MAX_NAME:
        raise TokenError(f"The name must be at most {MAX_NAME} characters.")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        raise TokenError("The name must not contain control characters.")
    return name


def revoke_tokens(tokens: QuerySet[Token]) -> int:
    """Delete the tokens and return how many: they stop working at once in this process, and within 30 s in others."""
    count, _ = tokens.delete()
    CACHE.clear()
    return count


def tokens_of(user: User) -> QuerySet[Token]:
    """Return the user's tokens, the newest first."""
    return Token.objects.filter(user=user).order_by("-pk")


def read_lifetime(text: str) -> timedelta:
    """Return the duration of a text such as 90d, 12h, 30m or 2w. Raises `TokenError`."""
    found = re.fullmatch(r"([0-9]{1,8})([mhdw])", text.strip())
    lifetime = timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else timedelta()
    if not timedelta() < lifetime <= timedelta(days=MAX_DAYS):
        raise TokenError(f"{text!r} is not a duration. Use a number and a unit, such as 90d, 12h, 30m or 2w.")
    return lifetime
