"""Single models over REST. All together are at `/api/llms` (`llms.views.llms_store`)."""

from typing import Any

from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from llms import virtual
from llms.bigagi import MODELS
from llms.models import Model
from llms.serializers import ModelParametersSerializer, ModelSerializer, SetParametersSerializer
from llms.services import models as services
from llms.services import parameters as services_of_parameters
from llms.services.changes import check_not_virtual
from llms.views.records import LlmsRecordViewSet
from stores.api.concurrency import answer_of_store
from stores.api.filters import check_parameters
from stores.api.schema import PURGE, reads, writes
from stores.records.codecs import JSONObject


class ModelViewSet(LlmsRecordViewSet):
    """A model that a service offers. Its values, with your settings applied, are under `_server.effective`."""

    queryset = Model.objects.all()
    serializer_class = ModelSerializer

    def find_virtual(self, uid: str) -> JSONObject | None:
        return next((model for model in virtual.models() if model["id"] == uid), None)

    @writes(request=ModelSerializer, responses=ModelSerializer)
    def update(self, request: Request, id: str) -> Response:
        """Replace the model, including your settings: what is not sent is removed. Create models with `POST
        /api/llms`."""
        body = self.read_record(self.get_object())
        return self.answer(services.replace_model(self.get_origin(), self.get_uid(), body, self.get_precondition()))

    @writes(request=ModelSerializer, responses=ModelSerializer)
    def partial_update(self, request: Request, id: str) -> Response:
        """Change fields of the model (JSON Merge Patch): null removes your setting."""
        body = self.read_record(is_partial=True)
        return self.answer(services.patch_model(self.get_origin(), self.get_uid(), body, self.get_precondition()))

    @reads(responses=ModelParametersSerializer)
    @action(detail=True, methods=["get"])
    def parameters(self, request: Request, id: str) -> Response:
        """The parameters that you can set of the model, with their values, defaults and ranges."""
        check_parameters(request, ())
        virtual_model = self.find_virtual(self.get_uid())
        if virtual_model is not None:
            return Response(_present(virtual_model, {}))
        return answer_of_store(request, self.store, lambda: _present_row(self.get_object()))

    @writes(request=SetParametersSerializer, responses=ModelParametersSerializer)
    @parameters.mapping.patch
    def set_parameters(self, request: Request, id: str) -> Response:
        """Set parameters of the model, for all chats with it; null resets one to the model's default. What the
        provider refused of them is sent again."""
        uid = self.get_uid()
        check_not_virtual(uid)
        values = SetParametersSerializer(data=self.read_object()).take()
        written = services_of_parameters.set_parameters(self.get_origin(), uid, values, self.get_precondition())
        return self.answer_write(_present_row(written.row), self.get_etag(written.row), written.change)

    @writes(parameters=[PURGE], responses={204: None})
    def destroy(self, request: Request, id: str) -> Response:
        """Delete the model and its assignments."""
        return self.answer_purge(services.delete_model, self.get_precondition())


def _present_row(row: Model) -> JSONObject:
    return _present(MODELS.load([row])[0], services_of_parameters.find_refused(row))


def _present(model: JSONObject, refused: dict[str, services_of_parameters.Refused]) -> JSONObject:
    read = services_of_parameters.read_parameters(model)
    return {"parameters": [_present_one(held, refused) for held in read.values], "kept": read.kept}


def _present_one(held: Any, refused: dict[str, services_of_parameters.Refused]) -> JSONObject:
    parameter = held.parameter
    when = services_of_parameters.refused_of(parameter, refused)
    return {
        "id": parameter.id,
        "label": parameter.label,
        "about": parameter.about,
        "range": parameter.range,
        "choices": list(parameter.choices),
        "value": held.value,
        "default": held.default,
        "isSet": held.is_set,
        "refusedAt": when and round(when.at.timestamp() * 1000),
        "triedAgainAt": when and round(when.until.timestamp() * 1000),
    }
