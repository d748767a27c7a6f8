"""The personas that the person makes over REST. big-AGI keeps them in the store `app-app-personas`."""

from drf_spectacular.helpers import forced_singular_serializer
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from chats.personas import find_persona, load_personas
from chats.serializers.personas import PersonaListSerializer, PersonaSerializer
from chats.services import personas as services
from stores.api.concurrency import is_known, not_modified
from stores.api.filters import check_parameters
from stores.api.parsers import JSONParser, MergePatchParser
from stores.api.schema import reads, writes
from stores.api.viewsets import RecordViewSet
from stores.models import Store
from stores.records.codecs import JSONObject
from stores.records.written import Written


class PersonaViewSet(RecordViewSet):
    """The personas that you made, the newest first, in big-AGI's JSON. Each has an ETag of its own."""

    queryset = Store.objects.none()
    serializer_class = PersonaSerializer
    pagination_class = None
    parser_classes = [JSONParser, MergePatchParser]

    @extend_schema(responses=forced_singular_serializer(PersonaListSerializer))
    def list(self, request: Request) -> Response:
        """All personas that you made. big-AGI keeps at most 100, so there is one page."""
        check_parameters(request, ())
        return Response({"next": None, "previous": None, "results": PersonaSerializer().present(load_personas())})

    @writes(if_match=False, request=PersonaSerializer, responses={201: PersonaSerializer})
    def create(self, request: Request) -> Response:
        """Create a persona, in front of the others. 409 if there are 100 already."""
        return self._answer(services.create_persona(self.get_origin(), self.read_record()), is_new=True)

    @reads(responses=PersonaSerializer)
    def retrieve(self, request: Request, id: str) -> Response:
        """One persona."""
        check_parameters(request, ())
        persona = self._find()
        etag = services.etag_of_persona(persona)
        if is_known(request, etag):
            return not_modified(etag)
        return Response(PersonaSerializer().present([persona])[0], headers={"ETag": etag})

    @writes(request=PersonaSerializer, responses=PersonaSerializer)
    def partial_update(self, request: Request, id: str) -> Response:
        """Change fields of a persona (JSON Merge Patch). Other personas may change meanwhile."""
        patch = self.read_record(is_partial=True)
        return self._answer(services.patch_persona(self.get_origin(), self.get_uid(), patch, self.get_precondition()))

    @writes(request=None, responses={204: None})
    def destroy(self, request: Request, id: str) -> Response:
        """Delete a persona. Chats that have it are kept, and are sent with the default prompt."""
        check_parameters(request, ())
        change = services.delete_persona(self.get_origin(), self.get_uid(), self.get_precondition())
        return self.answer_deletion(change)

    @writes(if_match=False, request=None, responses={201: PersonaSerializer})
    @action(detail=True, methods=["post"])
    def copy(self, request: Request, id: str) -> Response:
        """Copy a persona, with all its fields, in front of the others."""
        self.refuse_members()
        return self._answer(services.copy_persona(self.get_origin(), self.get_uid()), is_new=True)

    def _find(self) -> JSONObject:
        uid = self.get_uid()
        persona = find_persona(uid)
        if persona is None:
            raise NotFound(f"There is no persona {uid}.")
        return persona

    def get_etag(self, row: JSONObject) -> str:
        return services.etag_of_persona(row)

    def _answer(self, made: services.PersonaWritten, *, is_new: bool = False) -> Response:
        return self.answer(Written(made.persona, made.persona, made.change, made.lost_keys), is_new=is_new)
