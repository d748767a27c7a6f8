"""The admin of secrets and of the key that they are sealed with."""

from django.contrib import admin

from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import instant
from stores.models import (
    KeyFingerprint,
    Secret,
)
from stores.records import secrets
from stores.records.keyfile import name_key


@admin.register(Secret)
class SecretAdmin(ReadOnlyAdmin):
    """Neither the value nor the reference is ever shown."""

    list_display = ["last_four", "is_readable", "key", "is_given_up", instant("created_at")]
    fields = ["last_four", "is_readable", "key", "is_given_up", instant("created_at")]

    @admin.display(description="last four characters")
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

    list_display = ["fingerprint", instant("created_at")]
    search_fields = ["=fingerprint"]
    fields = ["fingerprint", instant("created_at")]
