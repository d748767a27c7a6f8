"""`POST /api/services/{id}/test`: here and not with the services, since the call is an event of the ledger."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from llms.views.problems import calls_told
from metrics.service_test import test_service
from stores.api.filters import check_parameters
from stores.api.members import NameMember
from stores.api.serializers import FormSerializer
from stores.api.viewsets import WritingViewSet
from stores.records.ids import decode_id


class TestedModelMember(NameMember):
    fault = "Must be the id of a model. Leave it out to test the cheapest."

    def fits(self, data: Any) -> bool:
        return super().fits(data) and data != ""


class ServiceTestSerializer(FormSerializer):
    """What to test."""

    modelId = TestedModelMember(help_text="A model of the service. Default: the cheapest visible one.")


class TestedServiceSerializer(serializers.Serializer[Any]):
    """The result of one small call."""

    model = serializers.CharField(help_text="The model's id.")
    ms_to_first_token = serializers.IntegerField(help_text="From the request to the first part of the answer.")
    ms_total = serializers.IntegerField(help_text="From the request to the end of the answer.")
    text = serializers.CharField(help_text="The answer.")
    event = serializers.IntegerField(help_text="The number of the ledger event of the call.")
    cost_nano_usd = serializers.IntegerField(allow_null=True, help_text="In 10⁻⁹ USD; null if unpriced or free.")


class ServiceTestViewSet(WritingViewSet):
    """Whether a service works."""

    serializer_class = TestedServiceSerializer
    # A transaction must not wait for a provider.
    answers_in_one_transaction = False
    waits = True

    @extend_schema(
        operation_id="services_test", request=ServiceTestSerializer, responses={200: TestedServiceSerializer}
    )
    def create(self, request: Request, id: str) -> Response:
        """Make one small call to the service, and report how long it took.

        409 if the service cannot be called, 502 if the call fails; both say why. The call is recorded as an
        event in the ledger, with the source `test`."""
        check_parameters(request, ())
        model_id = ServiceTestSerializer(data=self.read_object()).take().get("modelId")
        with calls_told():
            checked, event = test_service(decode_id(id), model_id)
        return Response(
            {
                "model": checked.model.id,
                "ms_to_first_token": checked.first_ms,
                "ms_total": checked.total_ms,
                "text": checked.text,
                "event": event.pk,
                "cost_nano_usd": event.cost_nano_usd,
            }
        )
