"""The owner, and the one-time links that sign them in."""

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from bigagi_site.models import SignInLink

OWNER_NAME = "owner"
LINK_LIFETIME = timedelta(minutes=15)


def get_owner() -> User | None:
    """Return the first active superuser: the person whose chats these are."""
    return User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()


def create_owner() -> User:
    """Make the first owner, who has no password and signs in by link."""
    return User.objects.create_superuser(OWNER_NAME, password=None)


def create_sign_in_link(user: User, base_url: str) -> str:
    """Return a fresh link under `base_url` that signs `user` in once, within `LINK_LIFETIME`."""
    now = timezone.now()
    SignInLink.objects.filter(expires_at__lt=now).delete()
    # 256 random bits, stored only as a digest: a signature would add nothing.
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(user=user, digest=_digest(token), expires_at=now + LINK_LIFETIME)
    return f"{base_url.rstrip('/')}{reverse('sign-in')}?link={token}"


def use_sign_in_link(token: str) -> User | None:
    """Use up the link and return its user; None if it is unknown, used, expired or the user inactive."""
    now = timezone.now()
    usable = SignInLink.objects.filter(used_at=None, expires_at__gt=now, user__is_active=True)
    # Read first: on SQLite an UPDATE takes the write lock even where it finds nothing, and anybody may send links.
    link = usable.select_related("user").filter(digest=_digest(token)).first()
    # The condition is part of the UPDATE: of two parallel requests, only one finds a row.
    if link is None or not usable.filter(pk=link.pk).update(used_at=now):
        return None
    return link.user


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
