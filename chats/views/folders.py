"""Folders over REST. Their revision is that of the store `app-folders`."""

from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from chats.bigagi.folder import FOLDERS
from chats.models import Folder
from chats.serializers.folders import FolderChatsSerializer, FolderOrderSerializer, FolderSerializer
from chats.services import folders as services
from stores.api.parsers import JSONParser, MergePatchParser
from stores.api.schema import PURGE, writes
from stores.api.viewsets import StoreRecordViewSet
from stores.records.ids import LOOKUP
from stores.records.preconditions import counter_of, etag_of


class FolderViewSet(mixins.ListModelMixin, StoreRecordViewSet):
    """Folders of chats, in order."""

    queryset = Folder.objects.all()
    serializer_class = FolderSerializer
    parser_classes = [JSONParser, MergePatchParser]
    store = FOLDERS.store

    @writes(request=FolderSerializer, responses={201: FolderSerializer})
    def create(self, request: Request) -> Response:
        """Create a folder after the existing ones."""
        written = services.create_folder(self.get_origin(), self.read_record(), self.get_precondition())
        return self.answer(written, is_new=True)

    @writes(request=FolderSerializer, responses=FolderSerializer)
    def update(self, request: Request, id: str) -> Response:
        """Replace the folder."""
        body = self.read_record(self.get_object())
        body.setdefault("conversationIds", [])
        return self.answer(services.replace_folder(self.get_origin(), self.get_uid(), body, self.get_precondition()))

    @writes(request=FolderSerializer, responses=FolderSerializer)
    def partial_update(self, request: Request, id: str) -> Response:
        """Change the folder's title, colour or chats (JSON Merge Patch)."""
        body = self.read_record(is_partial=True)
        if body.get("conversationIds", ()) is None:
            # Without its list a folder is one without chats, as in PUT.
            body["conversationIds"] = []
        return self.answer(services.patch_folder(self.get_origin(), self.get_uid(), body, self.get_precondition()))

    @writes(parameters=[PURGE], responses={204: None})
    def destroy(self, request: Request, id: str) -> Response:
        """Delete the folder. Its chats are kept."""
        return self.answer_purge(services.delete_folder, self.get_precondition())

    @writes(request=FolderOrderSerializer, responses=FolderOrderSerializer)
    @action(detail=False, methods=["put"])
    def order(self, request: Request) -> Response:
        """Reorder the folders; folders that are not listed follow in their current order."""
        uids = FolderOrderSerializer(data=self.read_object()).take()["ids"]
        change = services.order_folders(self.get_origin(), uids, self.get_precondition())
        ids = list(FOLDERS.rows().values_list("uid", flat=True))
        return self.answer_write({"ids": ids}, etag_of(counter_of(self.store)), change)

    @writes(request=FolderChatsSerializer, responses=FolderSerializer)
    @action(detail=True, methods=["post"])
    def chats(self, request: Request, id: str) -> Response:
        """Add chats at the end of the folder."""
        form = FolderChatsSerializer(data=self.read_object()).take()
        written = services.add_chats(self.get_origin(), self.get_uid(), form["ids"], self.get_precondition())
        return self.answer(written)

    @writes(responses={200: FolderSerializer})
    @action(detail=True, methods=["delete"], url_path=f"chats/(?P<chat>{LOOKUP})")
    def remove_chat(self, request: Request, id: str, chat: str) -> Response:
        """Remove a chat from the folder. The chat itself is kept."""
        written = services.remove_chat(self.get_origin(), self.get_uid(), self.get_uid("chat"), self.get_precondition())
        return self.answer(written)
