"""Chats as files over REST."""

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from django.utils.timezone import localdate
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request

from chats.bigagi.conversation import CONVERSATIONS
from chats.exports.archive import write_zip
from chats.exports.chat_files import FORMATS, MOST_IDS, file_stem, write_chat
from chats.models import Conversation
from stores.api.filters import check_parameters
from stores.api.pagination import read_choice
from stores.api.problems import bad_parameter
from stores.api.streaming import stream
from stores.api.viewsets import RecordViewSet
from stores.records.iteration import batched
from stores.records.jsontext import encode
from stores.records.secrets import mask

ZIP, NDJSON = "zip", "ndjson"
ZIP_TYPE, NDJSON_TYPE = "application/zip", "application/x-ndjson"
EXPORT_BATCH = 20
"""Chats that an export of lines of JSON holds in memory."""

_FILES = OpenApiParameter(
    "files",
    OpenApiTypes.STR,
    description="Which files a zip has of each chat, separated by commas: markdown, json, html. Default: "
    "markdown,json. Their images are in `images/`.",
)
_AS_FILE = OpenApiParameter(
    "as",
    enum=(*FORMATS, ZIP),
    description="markdown (default), json (big-AGI's own file of one chat, which it and bigagi import), html (one file "
    "that needs no network), or zip.",
)
_AS_STREAM = OpenApiParameter(
    "as", enum=(NDJSON, ZIP), description="ndjson (default): each chat as a line of JSON; or zip."
)
_IDS = OpenApiParameter(
    "id", OpenApiTypes.STR, many=True, description=f"Only chats with these ids: up to {MOST_IDS:,}, each as id=…"
)


class ExportingViewSet(RecordViewSet):
    """The exports of chats."""

    @extend_schema(
        operation_id="chats_export_one",
        parameters=[_AS_FILE, _FILES],
        responses={
            (200, "text/markdown"): OpenApiTypes.STR,
            (200, "application/json"): OpenApiTypes.OBJECT,
            (200, "text/html"): OpenApiTypes.STR,
            (200, ZIP_TYPE): OpenApiTypes.BINARY,
        },
    )
    @action(detail=True, url_path="export", url_name="export-one")
    def export_one(self, request: Request, id: str) -> HttpResponseBase:
        """The chat as a file: Markdown, JSON, a page that needs no network, or a zip. API keys are masked."""
        check_parameters(request, ("as", "files"))
        wanted = read_choice(request, "as", (*FORMATS, ZIP))
        files = _read_files(request, is_zip=wanted == ZIP)
        chat: Conversation = self.get_object()
        if wanted == ZIP:
            return _answer(request, write_zip([chat.pk], files), f"{file_stem(chat)}.zip", ZIP_TYPE)
        kind = FORMATS[wanted]
        return _answer(request, write_chat(chat, wanted), f"{file_stem(chat)}.{kind.ending}", kind.content_type)

    @extend_schema(
        filters=True,
        parameters=[_AS_STREAM, _FILES, _IDS],
        responses={(200, NDJSON_TYPE): OpenApiTypes.STR, (200, ZIP_TYPE): OpenApiTypes.BINARY},
    )
    @action(detail=False, pagination_class=None, own_parameters=("as", "files", "id"))
    def export(self, request: Request) -> HttpResponseBase:
        """All matching chats with their messages, as lines of JSON or as a zip; without a filter, all chats."""
        chats = self.filter_queryset(self.get_queryset()).order_by("position", "pk")
        wanted = read_choice(request, "as", (NDJSON, ZIP))
        files = _read_files(request, is_zip=wanted == ZIP)
        keys = list(_only_asked(request, chats).values_list("pk", flat=True))
        if wanted == NDJSON:
            return _answer(request, _write_lines(keys), "chats.ndjson", NDJSON_TYPE)
        return _answer(request, write_zip(keys, files), f"chats {localdate():%Y-%m-%d}.zip", ZIP_TYPE)


def _answer(request: Request, pieces: Iterator[bytes], filename: str, content_type: str) -> HttpResponseBase:
    headers = {
        # Never a page of this site, whatever is in it.
        "Content-Disposition": content_disposition_header(True, filename) or "attachment",
        "X-Content-Type-Options": "nosniff",
    }
    return stream(request, pieces, content_type=content_type, headers=headers)


def _read_files(request: Request, *, is_zip: bool) -> list[str]:
    text = request.query_params.get("files", "")
    if text and not is_zip:
        raise bad_parameter("files", "files says what goes into a zip: send as=zip too.")
    names = list(dict.fromkeys((text or "markdown,json").split(",")))
    if unknown := [name for name in names if name not in FORMATS]:
        raise bad_parameter("files", f"Unknown: {unknown[0]!r}. files may have: {', '.join(FORMATS)}.", "unknown")
    return names


def _only_asked(request: Request, chats: QuerySet[Conversation]) -> QuerySet[Conversation]:
    ids = request.query_params.getlist("id")
    if len(ids) > MOST_IDS:
        raise bad_parameter("id", f"At most {MOST_IDS:,} ids. Use the filters, or export in parts.")
    if any("\0" in uid for uid in ids):
        raise bad_parameter("id", "An id cannot hold NUL.")
    return chats.filter(uid__in=ids) if ids else chats


def _write_lines(keys: list[int]) -> Iterator[bytes]:
    for some in batched(keys, EXPORT_BATCH):
        rows: QuerySet[Any] = Conversation.objects.filter(pk__in=some).order_by("position", "pk")
        for chat in CONVERSATIONS.load(list(rows)):
            yield f"{encode(mask(chat))}\n".encode("ascii")
