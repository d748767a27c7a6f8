"""The admin of secrets and of the key that they are sealed with."""

from django.contrib import admin

from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import instant, yes_no
from stores.models import (
    KeyFingerprint,
    Secret,
)
from stores.records import secrets
from stores.records.keyfile import name_key


@admin.register(Secret)
class SecretAdmin(ReadOnlyAdmin):
    """Neither the value nor the reference is ever shown."""

    empty_text = "API keys that you enter under Services, or that an import brings, are kept here, encrypted."
    list_display = [
        *("last_four", "is_readable", "key", yes_no("is_given_up", label="given up")),
        instant("created_at", label="stored"),
    ]
    fields = list_display

    @admin.display(description="ends in")
    def last_four(self, obj: Secret) -> str:
        return str(obj)

    @admin.display(description="readable with the key file", boolean=True)
    def is_readable(self, obj: Secret) -> bool:
        return secrets.is_readable(obj)

    @admin.display(description="encrypted with", ordering="sealed_with")
    def key(self, obj: Secret) -> str:
        return name_key(obj.sealed_with)


@admin.register(KeyFingerprint)
class KeyFingerprintAdmin(ReadOnlyAdmin):
    """The key file that is this database's."""

    empty_text = (
        "The first API key that is stored ties the database to its key file; the file's fingerprint is kept here."
    )
    list_display = ["fingerprint", instant("created_at", label="first used")]
    search_fields = ["=fingerprint"]
    search_help_text = "The whole fingerprint"
    fields = list_display
