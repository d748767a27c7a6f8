"""The REST API of migration runs."""

from collections.abc import Callable
from dataclasses import replace
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
from stores.importers import previews, uploads
from stores.importers.file_facts import Strategy
from stores.importers.incoming import IncomingFile
from stores.importers.options import Options, options_of
from stores.importers.report import run_markdown, run_report
from stores.models import MigrationRun
from stores.querysets import as_seen_now
from stores.records.secrets import mask
from stores.serializers import ListedRunSerializer, ReportSerializer, RunSerializer
from stores.views.run_problems import run_problems
from stores.views.run_progress import RunProgressViews
from stores.views.undone_runs import UndoneRunMixin

PREVIEW = ("preview", "dry_run")
"""The parameters that ask for a report without an import."""
RAW_TYPES = ("", "application/json", "application/octet-stream")
FORM_TYPE = "multipart/form-data"
OPTIONS = [
    OpenApiParameter("restore_deleted", OpenApiTypes.BOOL, description="Also restore records that were deleted here."),
    OpenApiParameter("recover", OpenApiTypes.BOOL, description="Import chats that are only in a recovery copy too."),
    OpenApiParameter(
        "strategy",
        enum=list(Strategy),
        default="merge",
        description="What becomes of a record that is here in another state than in the file: both are merged, "
        "and a chat that was continued on both sides gets a branch; `ours` or `theirs` is shown, and the other "
        "kept as a revision; a chat becomes a `copy`.",
    ),
]
PREFER = OpenApiParameter(
    "Prefer",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    description="`respond-async`: answer as soon as the preview has begun (202), and not when it is over (200).",
)
_BINARY = {"type": "string", "format": "binary"}
_UPLOAD = {
    "application/json": {"type": "object", "additionalProperties": True},
    "application/octet-stream": _BINARY,
    FORM_TYPE: {"type": "object", "required": ["file"], "properties": {"file": _BINARY}},
}


class RunViewSet(UndoneRunMixin, mixins.ListModelMixin, mixins.RetrieveModelMixin, RunProgressViews):
    """Imports, newest first."""

    queryset = MigrationRun.objects.all()
    filterset_class = RunFilterSet
    lookup_field = "pk"
    lookup_value_regex = "[0-9]{1,18}"
    orderings = ("-id", "id")
    parser_classes = [UnreadParser]
    answers_in_one_transaction = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # A preview is not repeated: it tells what is so now.
        self.keeps_answers = not any(request.query_params.get(name) in TRUE_WORDS for name in PREVIEW)
        super().initial(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[MigrationRun]:
        runs = super().get_queryset()
        return runs.defer("phases", "errors", "notes", "certificate", "checkpoint") if self.action == "list" else runs

    def get_serializer_class(self) -> type:
        return ListedRunSerializer if self.action == "list" else RunSerializer

    @extend_schema(
        parameters=[
            OpenApiParameter("filename", OpenApiTypes.STR, description="The file name to show in the report."),
            OpenApiParameter(
                "preview",
                OpenApiTypes.BOOL,
                description="Say what would be done, and write nothing. The file is kept for seven days, in which "
                "`POST /api/migrations/{id}/run` imports it.",
            ),
            OpenApiParameter("dry_run", OpenApiTypes.BOOL, description="The same as `preview`.", deprecated=True),
            *OPTIONS,
            PREFER,
        ],
        request=_UPLOAD,
        responses={200: RunSerializer, 202: RunSerializer},
    )
    def create(self, request: Request) -> Response:
        """Import a big-AGI file of any size: as the body, or as the only file of a form.

        The import continues after this response; its address shows the progress. 409 while another import is running.
        With `preview=1`, see first what it would do: the numbers, and under `records_href` each record.
        """
        check_parameters(request, ("filename", *PREVIEW, "restore_deleted", "recover", "strategy"))
        is_preview = any(self.parse_flag(name) for name in PREVIEW)
        options = self._read_options(Options(actor=actor_of(request)))
        with run_problems():
            uploads.check_ready()
            upload = uploads.open_upload(request.query_params.get("filename", ""), self._get_length())
            try:
                self._receive(upload)
                uploads.check_upload(upload)
            except BaseException:
                upload.discard()
                raise
            if is_preview:
                return self._answer_preview(self._choose()(upload, options))
            return self._answer_begun(uploads.start_import(upload, options))

    @extend_schema(
        request=None,
        parameters=[
            OpenApiParameter(
                "preview", OpenApiTypes.BOOL, description="Only preview it again, with the options given here."
            ),
            *OPTIONS,
            PREFER,
        ],
        responses={200: RunSerializer, 202: RunSerializer},
    )
    @action(detail=True, methods=["post"], parser_classes=RecordViewSet.parser_classes)
    def run(self, request: Request, id: str) -> Response:
        """Import the file of a preview as was previewed, without sending it again.

        410 when the file is no longer kept. What was changed here since the preview is imported into as it is then, and
        a note says so. With `preview=1`, the file is previewed again, with other options.
        """
        check_parameters(request, ("preview", "restore_deleted", "recover", "strategy"))
        self.refuse_members()
        run = as_seen_now(self.get_object())
        with run_problems():
            if self.parse_flag("preview"):
                options = self._read_options(replace(options_of(run), actor=actor_of(request)))
                return self._answer_preview(previews.preview_again(run, options, self._choose()))
            if given := sorted({"restore_deleted", "recover", "strategy"} & set(request.query_params)):
                raise Problem(400, f"{given[0]} needs preview=1: what is imported is what was previewed.")
            return self._answer_begun(previews.run_preview(run, actor_of(request)))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete a preview and its file. 409 for an import."""
        check_parameters(request, ())
        with run_problems():
            previews.forget_preview(as_seen_now(self.get_object()))
        return Response(status=204)

    def _read_options(self, given: Options) -> Options:
        """Return how to import by the query, beside what is given."""
        strategies = (given.strategy, *(one for one in Strategy if one != given.strategy))
        return replace(
            given,
            restore_deleted=self.parse_flag("restore_deleted", is_default=given.restore_deleted),
            recover=self.parse_flag("recover", is_default=given.recover),
            strategy=Strategy(read_choice(self.request, "strategy", strategies)),
        )

    def _choose(self) -> Callable[..., MigrationRun]:
        """Return what makes a preview: all of it before the answer, or only its begin."""
        prefers = [part.strip().lower() for part in self.request.headers.get("Prefer", "").split(",")]
        return previews.start_preview if "respond-async" in prefers else previews.make_preview

    def _answer_begun(self, run: MigrationRun) -> Response:
        body = RunSerializer(run).data
        return Response(body, 202, headers={"Location": body["href"]})

    def _answer_preview(self, run: MigrationRun) -> Response:
        if run.status == MigrationRun.Status.RUNNING:
            return self._answer_begun(run)
        return Response(RunSerializer(run).data)

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
