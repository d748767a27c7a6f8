"""The admin of images and audio."""

from django.contrib import admin
from django.db.models import Q
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from chats.admin.message import link_to_message
from chats.assets import path_of, uuid_of
from chats.fragments import RASTER_TYPES, content_url
from chats.models import Asset, Fragment
from stores.admin.base import ReadOnlyAdmin
from stores.admin.display import ROW_FACTS, column, folded, pretty, size_of, written
from stores.admin.filters import by_value

MAX_USES = 20


TYPE = column("mime_type", str, label="file type", ordering=True)


@admin.register(Asset)
class AssetAdmin(ReadOnlyAdmin):
    empty_text = (
        "Images and recordings appear here when you import a backup that includes images, or attach them to a message."
    )
    list_display = [
        *("__str__", column("asset_type", str, label="kind", ordering=True), TYPE, size_of("size"), "dimensions"),
        written("created", ordering=True),
    ]
    list_filter = [
        by_value("asset_type", "kind"),
        by_value("mime_type", "file type"),
        by_value("scope_id", "where used"),
    ]
    search_fields = ["uid", "label", "sha256"]
    search_help_text = "Name, id or SHA-256"
    list_defer = ("extra",)
    fieldsets = [
        (None, {"fields": ["preview", column("label", str, label="name"), "uses"]}),
        ("File", {"fields": [TYPE, size_of("size"), "dimensions", written("created"), "file"]}),
        folded(
            "Internals",
            *("uid", "asset_type", "scope_id", "context_id", column("sha256", str, label="SHA-256")),
            *(written("updated"), "position", pretty("extra"), *ROW_FACTS),
        ),
    ]

    @admin.display(description="width × height")
    def dimensions(self, obj: Asset) -> str:
        return f"{obj.width} × {obj.height}" if obj.width and obj.height else "–"

    @admin.display(description="content")
    def preview(self, obj: Asset) -> SafeString | str:
        if not obj.sha256:
            return "The import did not include the file itself."
        url, label = content_url(obj), obj.label or obj.uid
        if obj.mime_type in RASTER_TYPES:
            return format_html('<img class="bigagi-image" src="{}" alt="{}">', url, label)
        if (obj.mime_type or "").startswith("audio/"):
            return format_html('<audio controls preload="none" src="{}" aria-label="{}"></audio>', url, label)
        return format_html('<a class="bigagi-link" href="{}" download>Download</a>', url)

    @admin.display(description="file")
    def file(self, obj: Asset) -> str:
        if not obj.sha256:
            return "–"
        path = path_of(obj.sha256)
        return str(path) if path.is_file() else f"{path} (missing)"

    @admin.display(description="used by")
    def uses(self, obj: Asset) -> SafeString | str:
        # Reads the references only, which are few beside the texts.
        named = Q(part__contains=obj.uid) | Q(part__contains=uuid_of(obj.uid))
        rows = Fragment.objects.filter(named, pt__in=("reference", "image_ref"))
        rows = rows.select_related("message__conversation").only(
            "message__position", "message__conversation__user_title", "message__conversation__auto_title"
        )
        links = (
            (link_to_message(row.message, f"{row.message.conversation.title}, message {row.message.position}"),)
            for row in rows.order_by("pk")[:MAX_USES]
        )
        listed = format_html_join("", "<li>{}</li>", links)
        return format_html('<ul class="bigagi-list">{}</ul>', listed) if listed else "no message"
