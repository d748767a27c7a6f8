"""Services over REST."""

from dataclasses import asdict
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from llms import virtual
from llms.callable_model import ENV_SERVICE
from llms.calls.demo import SERVICE as DEMO
from llms.filters import ServiceFilterSet
from llms.models import RefusedParameter, Service
from llms.refused import forget_refusals
from llms.serializers import RefreshedSerializer, ServiceSerializer
from llms.services import services
from llms.services.refresh import Refreshed, refresh_environment, refresh_service
from llms.views.problems import calls_told
from llms.views.records import LlmsRecordViewSet
from stores.api.schema import PURGE, writes
from stores.records.codecs import JSONObject
from stores.records.preconditions import counter_of, etag_of


class ServiceViewSet(mixins.ListModelMixin, LlmsRecordViewSet):
    """Providers' endpoints. Keys are write-only: they are shown as `bigagi-secret:` and their last four characters.

    Sending such a marker back keeps the stored key; if none is stored, the key becomes empty and
    `_server.notes` says so. A key stays with its host: if scheme, host or port change, the stored key is removed unless
    it is sent again, and `_server.notes` says so."""

    queryset = Service.objects.all()
    serializer_class = ServiceSerializer
    filterset_class = ServiceFilterSet

    @property
    def answers_in_one_transaction(self) -> bool:  # type: ignore[override]  # not for what waits for a provider
        return getattr(self, "action", "") != "refresh"

    def find_virtual(self, uid: str) -> JSONObject | None:
        return next((service for service in virtual.services() if service["id"] == uid), None)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """All services; those that come with the program or from the environment are at the end of the last page."""
        answer = super().list(request, *args, **kwargs)
        vendor = request.query_params.get("vendor")
        listed = [service for service in virtual.services() if vendor in (None, "", service["vId"])]
        if answer.data["next"] is None:
            answer.data["results"] = [*answer.data["results"], *listed]
        if "count" in answer.data:
            answer.data["count"] += len(listed)
        return answer

    @writes(request=None, responses=RefreshedSerializer)
    @action(detail=True, methods=["post"], waits=True)
    def refresh(self, request: Request, id: str) -> Response:
        """Ask the provider which models it offers, and merge them with the stored models.

        New ones are added after the service's others. Your settings, clones, and models that are no longer offered
        are kept; the latter are hidden. All of this is one change. 409 if the service cannot be called, 502 if
        the call fails."""
        self.refuse_members()
        uid, precondition = self.get_uid(), self.get_precondition()
        precondition.check(etag_of(counter_of(self.store)))
        with calls_told():
            if uid == ENV_SERVICE:
                found = refresh_environment()
            elif uid == DEMO:
                found = Refreshed(kept=[model["id"] for model in virtual.models() if model["sId"] == DEMO])
            else:
                found = refresh_service(self.get_origin(), uid, precondition)
        body: dict[str, Any] = {"added": found.added, "kept": found.kept, "vanished": found.vanished}
        body["leftOut"] = [asdict(model) for model in found.left_out]
        return self.answer_write(body, etag_of(counter_of(self.store)), found.change)

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["delete"])
    def refused(self, request: Request, id: str) -> Response:
        """Forget which parameters the service refused: the next call sends them again.

        `_server.refused` lists them. They are no part of its setup, so this is not in the journal."""
        uid = self.get_uid()
        if self.find_virtual(uid) is None:
            self.get_object()
        forget_refusals(RefusedParameter.objects.filter(service_uid=uid))
        return Response(status=204)

    @writes(request=ServiceSerializer, responses={201: ServiceSerializer})
    def create(self, request: Request) -> Response:
        """Create a service after the existing ones. 409 if the id is taken."""
        body = self.read_record()
        return self.answer(services.create_service(self.get_origin(), body, self.get_precondition()), is_new=True)

    @writes(request=ServiceSerializer, responses=ServiceSerializer)
    def update(self, request: Request, id: str) -> Response:
        """Replace the service."""
        body = self.read_record(self.get_object())
        return self.answer(services.replace_service(self.get_origin(), self.get_uid(), body, self.get_precondition()))

    @writes(request=ServiceSerializer, responses=ServiceSerializer)
    def partial_update(self, request: Request, id: str) -> Response:
        """Change fields of the service (JSON Merge Patch)."""
        body = self.read_record(is_partial=True)
        return self.answer(services.patch_service(self.get_origin(), self.get_uid(), body, self.get_precondition()))

    @writes(parameters=[PURGE], responses={204: None})
    def destroy(self, request: Request, id: str) -> Response:
        """Delete the service with its models and their assignments."""
        return self.answer_purge(services.delete_service, self.get_precondition())
