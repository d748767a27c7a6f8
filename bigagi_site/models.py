"""What the site itself keeps: one-time sign-in links."""

from django.conf import settings
from django.db import models


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
