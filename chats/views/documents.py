"""The text of documents over REST."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from chats.documents.faults import Unreadable
from chats.documents.reading import Busy, read_document
from chats.serializers.documents import DocumentSerializer
from stores.api.filters import check_parameters
from stores.api.parsers import MAX_BODY, read_body
from stores.api.problems import Problem
from stores.api.viewsets import WritingViewSet

BUSY = "Other documents are being read. Try again in a few seconds."
_BINARY = {"type": "string", "format": "binary"}
_TYPES = (
    "application/octet-stream",
    "application/pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "text/html",
)


class BytesParser(BaseParser):
    """The body as it is, of whatever type."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return read_body(stream, parser_context or {})


class DocumentViewSet(WritingViewSet):
    """Text from documents. Nothing is written."""

    serializer_class = DocumentSerializer
    parser_classes = [BytesParser]
    max_body = MAX_BODY
    keeps_answers = False

    @extend_schema(
        operation_id="documents_text",
        parameters=[
            OpenApiParameter("filename", OpenApiTypes.STR, description="The file's name; HTML is also known by it.")
        ],
        request=dict.fromkeys(_TYPES, _BINARY),
        responses={200: DocumentSerializer},
    )
    def create(self, request: Request) -> Response:
        """Read a document as text: PDF, Word (.docx), Excel (.xlsx, .xls), OpenDocument sheets (.ods), PowerPoint
        (.pptx) or HTML, of up to 10 MiB, as the body. Its kind is told by its bytes.

        The document is not stored, and neither is its text. Reading is limited to 20 seconds
        of computing and 1 GiB of memory."""
        check_parameters(request, ("filename",))
        if (request.content_type or "").startswith("multipart/"):
            raise Problem(415, "Send the document as the body itself, not in a form.")
        data = self._get_bytes()
        if not data:
            raise Problem(400, "The body must be the document; it is empty.", kind="unreadable-document")
        name = request.query_params.get("filename", "")[:300]
        try:
            document = read_document(data, name, request.content_type or "")
        except Unreadable as error:
            found = [{"pointer": "", "detail": error.detail, "code": str(error.code)}]
            raise Problem(400, error.detail, kind="unreadable-document", errors=found) from error
        except Busy as error:
            raise Problem(503, BUSY, kind="reading-documents", headers={"Retry-After": "5"}) from error
        return Response(DocumentSerializer(asdict(document)).data)

    def _get_bytes(self) -> bytes:
        data = self.request.data
        return data if isinstance(data, bytes) else b""
