"""Undoing an import over REST."""

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from stores.api.origin import actor_of
from stores.api.parsers import JSONParser
from stores.api.problems import Problem
from stores.api.serializers import FormSerializer
from stores.api.viewsets import RecordViewSet
from stores.importers.one_run import AlreadyRunning
from stores.importers.undoing import Options
from stores.importers.undoing_start import start_undo
from stores.serializers import RunSerializer


class UndoSerializer(FormSerializer):
    """How to undo a run."""

    force = serializers.BooleanField(
        required=False, help_text="Also take back what was changed since; the state that is lost is kept as a revision."
    )


class UndoneRunMixin(RecordViewSet):
    """The action that undoes a run."""

    @extend_schema(
        parameters=[OpenApiParameter("force", OpenApiTypes.BOOL, description="The same as `force` in the body.")],
        request=UndoSerializer,
        responses={202: RunSerializer},
    )
    @action(detail=True, methods=["post"], parser_classes=[JSONParser])
    def undo(self, request: Request, id: str) -> Response:
        """Undo an import: all that it brought or changed becomes what it was before. What was changed since is kept,
        and listed in the certificate.

        The undo is a run of its own, which goes on after this response; its address shows the progress. Undo that run
        to bring the import back. An undo that was interrupted is completed. 409 if the run cannot be undone, or was
        undone already, and while another run is under way.
        """
        is_forced = self.read_flag("force")
        asked = UndoSerializer(data={} if request.data is None else self.read_object()).take()
        options = Options(is_forced or bool(asked.get("force")), actor_of(request))
        try:
            run = start_undo(int(id), options)
        except AlreadyRunning as error:
            raise Problem(409, f"{str(error)[:1].upper()}{str(error)[1:]}", kind="import-running") from error
        body = RunSerializer(run).data
        return Response(body, 202, headers={"Location": body["href"]})
