"""The REST API of migration runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler
from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request
from rest_framework.response import Response

from stores.api.bodies import BrokenOff, body_of
from stores.api.filters import check_parameters
from stores.api.origin import actor_of
from stores.api.pagination import read_choice
from stores.api.parsers import UnreadParser
from stores.api.problems import Problem
from stores.api.viewsets import TRUE_WORDS, RecordViewSet
from stores.filters import RunFilterSet
from stores.importers import uploads
from stores.importers.file_facts import Strategy
from stores.importers.importer import Options
from stores.importers.incoming import IncomingFile, NoSpace, Refused
from stores.importers.report import run_markdown, run_report
from stores.importers.run import AlreadyRunning
from stores.models import MigrationRun
from stores.querysets import as_seen_now
from stores.records.secrets import mask
from stores.serializers import DryRunSerializer, ListedRunSerializer, ReportSerializer, RunSerializer
from stores.views.undone_runs import UndoneRunMixin

PREVIEW = ("preview", "dry_run")
"""The parameters that ask for a report without an import."""
RAW_TYPES = ("", "application/json", "application/octet-stream")
FORM_TYPE = "multipart/form-data"
_BINARY = {"type": "string", "format": "binary"}
_UPLOAD = {
    "application/json": {"type": "object", "additionalProperties": True},
    "application/octet-stream": _BINARY,
    FORM_TYPE: {"type": "object", "required": ["file"], "properties": {"file": _BINARY}},
}


class RunViewSet(UndoneRunMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, RecordViewSet):
    """Imports, newest first."""

    queryset = MigrationRun.objects.all()
    filterset_class = RunFilterSet
    lookup_field = "pk"
    lookup_value_regex = "[0-9]{1,18}"
    orderings = ("-id", "id")
    parser_classes = [UnreadParser]
    answers_in_one_transaction = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # A preview writes nothing.
        self.keeps_answers = not any(request.query_params.get(name) in TRUE_WORDS for name in PREVIEW)
        super().initial(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[MigrationRun]:
        runs = super().get_queryset()
        return runs.defer("phases", "errors", "notes", "certificate") if self.action == "list" else runs

    def get_serializer_class(self) -> type:
        return ListedRunSerializer if self.action == "list" else RunSerializer

    @extend_schema(
        parameters=[
            OpenApiParameter("filename", OpenApiTypes.STR, description="The file name to show in the report."),
            OpenApiParameter(
                "preview", OpenApiTypes.BOOL, description="Report what would be done, without writing anything."
            ),
            OpenApiParameter("dry_run", OpenApiTypes.BOOL, description="The same as `preview`.", deprecated=True),
            OpenApiParameter(
                "restore_deleted", OpenApiTypes.BOOL, description="Also restore records that were deleted here."
            ),
            OpenApiParameter(
                "recover", OpenApiTypes.BOOL, description="Import chats that are only in a recovery copy too."
            ),
            OpenApiParameter(
                "strategy",
                enum=list(Strategy),
                default="merge",
                description="What becomes of a record that is here in another state than in the file: both are merged, "
                "and a chat that was continued on both sides gets a branch; `ours` or `theirs` is shown, and the other "
                "kept as a revision; a chat becomes a `copy`.",
            ),
        ],
        request=_UPLOAD,
        responses={200: DryRunSerializer, 202: RunSerializer},
    )
    def create(self, request: Request) -> Response:
        """Import a big-AGI file of any size: as the body, or as the only file of a form.

        The import continues after this response; its address shows the progress. 409 while another import is running.
        """
        check_parameters(request, ("filename", *PREVIEW, "restore_deleted", "recover", "strategy"))
        is_preview = any(self.parse_flag(name) for name in PREVIEW)
        options = Options(
            restore_deleted=self.parse_flag("restore_deleted"),
            recover=self.parse_flag("recover"),
            strategy=Strategy(read_choice(request, "strategy", tuple(Strategy))),
            actor=actor_of(request),
        )
        with _problems():
            uploads.check_ready()
            upload = uploads.open_upload(request.query_params.get("filename", ""), self._get_length())
            try:
                self._receive(upload)
                uploads.check_upload(upload)
            except BaseException:
                upload.discard()
                raise
            if is_preview:
                progress = uploads.dry_run(upload, options)
                found = {"counts": progress.counts, "notes": progress.notes, "errors": progress.errors}
                return Response(DryRunSerializer(found).data)
            run = uploads.start_import(upload, options)
        body = RunSerializer(run).data
        return Response(body, 202, headers={"Location": body["href"]})

    def describe_body(self) -> str:
        """Return what is known of the body before it is read."""
        if self.action == "undo":
            return super().describe_body()
        return f"{self.request.content_type} {self._get_length()}"

    def _get_length(self) -> int:
        length = self.request.META.get("CONTENT_LENGTH") or "0"
        return int(length) if length.isascii() and length.isdigit() else 0

    def _receive(self, upload: IncomingFile) -> None:
        """Write the body to disk as it comes. Raises `Problem`."""
        media_type = (self.request.content_type or "").partition(";")[0].strip().lower()
        body = body_of(self.request._request)
        if media_type == FORM_TYPE:
            self._receive_form(upload, body)
            return
        if media_type not in RAW_TYPES:
            raise UnsupportedMediaType(media_type)
        size = upload.write(body.read)
        if size < self._get_length():
            raise BrokenOff("the body was cut off")

    def _receive_form(self, upload: IncomingFile, body: Any) -> None:
        handler = _ToDisk(upload)
        # Without a length, as in a body of chunks, the parser would not read it.
        meta = self.request.META | {"CONTENT_LENGTH": self._get_length() or 1}
        try:
            MultiPartParser(meta, body, [handler], "utf-8").parse()
        except MultiPartParserError as error:
            raise Problem(400, f"The form must be valid multipart/form-data: {error}") from error
        except RequestDataTooBig as error:
            raise Problem(413, "The form must have only the file, without other large fields.") from error
        if handler.files != 1:
            raise Problem(400, f"The form must have exactly one file; it has {handler.files}.")

    @extend_schema(
        parameters=[OpenApiParameter("format", enum=["json", "markdown"], default="json")],
        responses={(200, "application/json"): ReportSerializer, (200, "text/markdown"): OpenApiTypes.STR},
    )
    @action(detail=True)
    def report(self, request: Request, id: str) -> HttpResponseBase:
        """The full report of the import, as JSON or Markdown."""
        check_parameters(request, ("format",))
        wanted = read_choice(request, "format", ("json", "markdown"))
        run = as_seen_now(self.get_object())
        if wanted == "json":
            return Response(run_report(run))
        text = mask(run_markdown(run)).encode("utf-8", "replace")
        return HttpResponse(text, content_type="text/markdown; charset=utf-8")


class _ToDisk(FileUploadHandler):
    """Writes the one file of a form where the upload has its place."""

    def __init__(self, upload: IncomingFile) -> None:
        super().__init__()
        self.upload = upload
        self.files = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.files += 1
        if self.files == 1 and not self.upload.has_name:
            self.upload.rename(self.file_name or "")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.files == 1:
            self.upload.append(raw_data)

    def file_complete(self, file_size: int) -> None:
        return None


@contextmanager
def _problems() -> Iterator[None]:
    """Tell why a file is not imported."""
    try:
        yield
    except AlreadyRunning as error:
        raise Problem(409, f"{str(error)[:1].upper()}{str(error)[1:]}", kind="import-running") from error
    except NoSpace as error:
        raise Problem(507, str(error), kind="disk-full") from error
    except Refused as error:
        raise Problem(400, str(error), kind="not-a-backup") from error
    except BrokenOff as error:
        raise Problem(400, "The body was cut off. Send the whole file again.") from error
