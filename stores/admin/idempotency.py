"""The admin of idempotency keys."""

from django.contrib import admin
from unfold.paginator import InfinitePaginator

from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import instant
from stores.models import (
    IdempotencyKey,
)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    """The answers themselves are for the client that asks again."""

    empty_text = (
        "A program that sends an Idempotency-Key with a request is listed here for 24 hours, so that the same request "
        "sent again is not carried out twice."
    )
    list_display = ["key", "user", "status", instant("created_at", label="first sent")]
    search_fields = ["=key"]
    search_help_text = "The whole key"
    list_defer = ("headers", "body")
    list_select_related = ["user"]
    paginator = InfinitePaginator
    fields = ["key", "user", "status", "owner", "digest", instant("created_at", label="first sent")]
