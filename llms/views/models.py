"""Single models over REST. All together are at `/api/llms` (`llms.views.llms_store`)."""

from rest_framework.request import Request
from rest_framework.response import Response

from llms import virtual
from llms.models import Model
from llms.serializers import ModelSerializer
from llms.services import models as services
from llms.views.records import LlmsRecordViewSet
from stores.api.schema import PURGE, writes
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

    @writes(parameters=[PURGE], responses={204: None})
    def destroy(self, request: Request, id: str) -> Response:
        """Delete the model and its assignments."""
        return self.answer_purge(services.delete_model, self.get_precondition())
