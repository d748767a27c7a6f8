"""What the views of models, services and assignments share."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from llms.bigagi import STORE
from llms.services.changes import check_not_virtual
from stores.api.parsers import JSONParser, MergePatchParser
from stores.api.viewsets import StoreRecordViewSet
from stores.records.codecs import JSONObject


class LlmsRecordViewSet(StoreRecordViewSet):
    """Records of `app-models`, whose ETag they share."""

    store = STORE
    parser_classes = [JSONParser, MergePatchParser]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if getattr(self, "action", "") in ("update", "partial_update", "destroy"):
            check_not_virtual(self.get_uid())

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        found = self.find_virtual(self.get_uid())
        return super().retrieve(request, *args, **kwargs) if found is None else Response(found)

    def find_virtual(self, uid: str) -> JSONObject | None:
        """Return what is never a row, with our facts, where this is its id."""
        return None
