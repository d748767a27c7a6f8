"""What the views of models, services and assignments share."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from llms.bigagi import STORE
from llms.services.changes import check_not_virtual
from stores.api.parsers import JSONParser, MergePatchParser
from stores.api.serializers import RecordSerializer, with_notes
from stores.api.viewsets import StoreRecordViewSet
from stores.codecs import JSONObject
from stores.preconditions import counter_of, etag_of
from stores.secrets import mask
from stores.services.written import Written


class LlmsRecordViewSet(StoreRecordViewSet):
    """Records of `app-models`, whose ETag they share."""

    store = STORE
    parser_classes = [JSONParser, MergePatchParser]
    shape: type[RecordSerializer]

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

    def read_whole(self, row: Any) -> JSONObject:
        """Return the body, a whole record that takes the row's place; no row: a new one. Raises `Problem`."""
        return self.read_record(None if row is None else mask(self.shape.collection.load([row])[0]))

    def answer(self, written: Written, *, is_new: bool = False) -> Response:
        """Return the record as it is kept, with our facts, under the ETag of the store."""
        [facts] = self.shape().get_facts([written.row])
        body = with_notes(written.value | {"_server": facts}, written.lost_keys, written.dropped_keys)
        etag = etag_of(counter_of(self.store))
        return self.answer_write(body, etag, written.change, created_at=facts["href"] if is_new else None)
