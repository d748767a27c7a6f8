"""What the site itself keeps: one-time sign-in links, and the tokens of programs."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from knox.models import AbstractAuthToken
from knox.settings import CONSTANTS

from stores.records.fields import VerbatimJSONField


class SignInLink(models.Model):
    """A link that signs one person in, once. Only a digest of its token is kept."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="sign_in_links",
        help_text="Whom the link signs in.",
    )
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the token in the link.")
    expires_at = models.DateTimeField(help_text="When the link ceases to work.")
    used_at = models.DateTimeField(null=True, blank=True, help_text="When it signed somebody in.")
    created_at = models.DateTimeField(auto_now_add=True, help_text="When it was made.")

    class Meta:
        verbose_name = "sign-in link"
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"Link for {self.user}, until {self.expires_at:%Y-%m-%d %H:%M} UTC"


class Token(AbstractAuthToken):
    """A token by which a program uses the API in its owner's name. Only a digest of it is kept (KNOX_TOKEN_MODEL)."""

    # knox's own fields, with help and a primary key that says nothing of the token.
    digest = models.CharField(max_length=CONSTANTS.DIGEST_LENGTH, unique=True, help_text="SHA-512 of the token.")
    token_key = models.CharField(
        max_length=CONSTANTS.MAXIMUM_TOKEN_PREFIX_LENGTH + CONSTANTS.TOKEN_KEY_LENGTH,
        db_index=True,
        help_text="The token's first characters, by which it is found.",
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="auth_token_set",
        help_text="In whose name the program acts.",
    )
    name = models.CharField(max_length=100, help_text="What it is for; the journal names the program so.")
    is_read_only = models.BooleanField("read only", default=False, help_text="Whether it is refused all that writes.")
    created = models.DateTimeField(auto_now_add=True, help_text="When it was made.")
    expiry = models.DateTimeField(
        "expires", null=True, blank=True, help_text="When it ceases to work; empty: when it is revoked."
    )
    last_used_at = models.DateTimeField(
        "last use", null=True, blank=True, help_text="When it was last used, to about ten seconds; empty: never."
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = "API token"

    def __str__(self) -> str:
        return self.name

    @property
    def is_expired(self) -> bool:
        """Tell whether it ceased to work."""
        return self.expiry is not None and self.expiry <= timezone.now()

    @property
    def beginning(self) -> str:
        """Return the few characters by which a person knows a token again."""
        return self.token_key[:6]


class Statistic(models.Model):
    """Figures that are slow to calculate: found in the background, and shown with their age."""

    name = models.CharField(max_length=40, unique=True, help_text="What was found.")
    figures = VerbatimJSONField(help_text="The figures.")
    found_at = models.DateTimeField(help_text="When they were found.")
    seconds = models.FloatField(help_text="How long that took, in seconds.")
    error = models.CharField(max_length=500, blank=True, help_text="Why newer ones could not be found.")

    class Meta:
        ordering = ["name"]
        verbose_name = "dashboard figure"

    def __str__(self) -> str:
        return self.name
