"""The owner, and the one-time links that sign them in."""

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
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
    # 256 random bits, stored only as a digest: a signature would add nothing.
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        SignInLink.objects.filter(expires_at__lt=now).delete()
        SignInLink.objects.create(user=user, digest=_digest(token), expires_at=now + LINK_LIFETIME)
    return f"{base_url.rstrip('/')}{reverse('sign-in')}?link={token}"


def is_sign_in_link(token: str) -> bool:
    """Tell whether the link can be used. It takes no lock, so anybody may ask."""
    return _usable_links().filter(digest=_digest(token)).exists()


def use_sign_in_link(token: str) -> User | None:
    """Use up the link and return its user; None if it is unknown, used, expired or the user inactive."""
    link = _usable_links().select_related("user").filter(digest=_digest(token)).first()
    # The condition is part of the UPDATE: of two parallel requests, only one finds a row.
    if link is None or not _usable_links().filter(pk=link.pk).update(used_at=timezone.now()):
        return None
    return link.user


def _usable_links() -> QuerySet[SignInLink]:
    return SignInLink.objects.filter(used_at=None, expires_at__gt=timezone.now(), user__is_active=True)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
