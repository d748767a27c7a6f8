"""Chats over REST."""

from functools import partial
from typing import Any

from django.http import Http404
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from chats.filters import ConversationFilterSet
from chats.generations.abandoned import close_abandoned_in
from chats.lock import check_all_free, sequence_in
from chats.models import Conversation
from chats.models.conversation import LAST_CHANGE
from chats.serializers.conversations import (
    BranchSerializer,
    BulkResultSerializer,
    BulkSerializer,
    ConversationHeaderSerializer,
    ConversationSerializer,
)
from chats.services import conversations as services
from chats.services.folders import move_chats
from chats.services.message_ids import show_uids
from chats.services.pins import pin_one
from chats.views.chat_writing import ChatWritingMixin
from chats.views.exports import ExportingViewSet
from stores.api.parsers import MAX_CHAT, JSONParser, MergePatchParser
from stores.api.schema import PURGE, writes
from stores.api.serializers import with_notes
from stores.api.viewsets import RevisionViewSet
from stores.models import Change
from stores.records.errors import at
from stores.records.preconditions import etag_of
from stores.records.sql import find_row
from stores.records.written import Written


class ConversationViewSet(mixins.ListModelMixin, ChatWritingMixin, ExportingViewSet, RevisionViewSet):
    """Chats: without messages in lists, and individually as big-AGI wrote them. In the order of `updated`, a chat
    without it stands where it was created, or else where it was first stored here."""

    queryset = Conversation.objects.defer("content_hash", "created_at", "updated_at")
    filterset_class = ConversationFilterSet
    orderings = ("position", "-position", "-updated", "updated", "-created", "created")
    sort_expressions = {"updated": LAST_CHANGE}
    parser_classes = [JSONParser, MergePatchParser]
    max_body = MAX_CHAT
    serializer_class = ConversationSerializer

    def get_serializer_class(self) -> type:
        return ConversationHeaderSerializer if self.action == "list" else super().get_serializer_class()

    def get_object(self) -> Conversation:
        if (row := find_row(Conversation, "uid", self.get_uid())) is None:
            raise Http404
        return row

    def sequence_of(self, record: Conversation) -> int | None:
        return sequence_in(record)

    @writes(if_match=False, request=ConversationSerializer, responses={201: ConversationSerializer})
    def create(self, request: Request) -> Response:
        """Create a chat at the top of the list. 409 if the id is taken."""
        written = services.create_chat(self.get_origin(), self.read_record())
        return self._answer(written, is_new=True)

    @writes(request=ConversationSerializer, responses=ConversationSerializer)
    def update(self, request: Request, id: str) -> Response:
        """Replace the chat. Only messages that differ are rewritten."""
        row = self.get_object()
        body = self.read_record(row)
        return self._answer(services.replace_chat(self.get_origin(), row.uid, body, self.get_precondition()))

    @writes(request=ConversationHeaderSerializer, responses=ConversationHeaderSerializer)
    def partial_update(self, request: Request, id: str) -> Response:
        """Change titles, persona, symbol, archived, or any other field except the messages (JSON Merge Patch)."""
        patch = self.read_record(is_partial=True)
        written = services.patch_chat(self.get_origin(), self.get_uid(), patch, self.get_precondition())
        [facts] = ConversationHeaderSerializer().get_facts([written.row])
        body = with_notes(written.value | {"id": written.row.uid, "_server": facts}, written.lost_keys)
        return self.answer_write(body, etag_of(written.row), written.change)

    @writes(parameters=[PURGE], responses={204: None})
    def destroy(self, request: Request, id: str) -> Response:
        """Delete the chat. The journal keeps a copy for undo; `?purge=true` deletes permanently."""
        return self.answer_purge(services.delete_chat, self.get_precondition())

    @writes(if_match=False, request=BranchSerializer, responses={201: ConversationSerializer})
    @action(detail=True, methods=["post"], serializer_class=BranchSerializer)
    def branch(self, request: Request, id: str) -> Response:
        """Copy the chat up to and including a message, or all of it."""
        body = self.read_record()
        return self._answer(services.branch_chat(self.get_origin(), self.get_uid(), body.get("messageId")), is_new=True)

    @writes(if_match=False, request=BulkSerializer, responses=BulkResultSerializer)
    @action(detail=False, methods=["post"], answers_in_one_transaction=False)
    def bulk(self, request: Request) -> Response:
        """Archive, unarchive, pin, unpin, delete or move many chats as one journal entry."""
        wanted = BulkSerializer(data=self.read_object()).take()
        uids = self._find_ids(wanted)
        change, missing = self._change_many(wanted, uids)
        result = {
            "matched": len(uids) - len(missing),
            "changed": change.record_count if change else 0,
            "missing": missing,
            "change": change.pk if change else None,
        }
        return self.answer_write(result, None, change)

    def _find_ids(self, wanted: dict[str, Any]) -> list[str]:
        if "ids" in wanted:
            return list(dict.fromkeys(wanted["ids"]))
        given = {name: _as_word(value) for name, value in wanted["filter"].items()}
        found = ConversationFilterSet(given, queryset=Conversation.objects.all())
        if not found.is_valid():
            name, messages = next(iter(found.errors.items()))
            raise at(f"/filter/{name}", str(messages[0]))
        return list(found.qs.order_by("position", "pk").values_list("uid", flat=True))

    def _change_many(self, wanted: dict[str, Any], uids: list[str]) -> tuple[Change | None, list[str]]:
        origin, name = self.get_origin(), wanted["action"]
        if name == "move":
            return services.move_many(origin, uids, wanted["folder"], move_chats)
        change: Any = {
            "archive": partial(services.archive_one, is_archived=True),
            "unarchive": partial(services.archive_one, is_archived=False),
            "pin": partial(pin_one, is_pinned=True),
            "unpin": partial(pin_one, is_pinned=False),
            "delete": services.delete_one,
        }[name]
        if name == "delete":
            close_abandoned_in(uids)
            # Before the first of them is gone.
            check_all_free(uids)
        return services.change_many(origin, f"{name} chats", uids, change)

    def _answer(self, written: Written, *, is_new: bool = False) -> Response:
        [facts] = ConversationSerializer().get_facts([written.row])
        body = with_notes(show_uids(written.row, written.value) | {"_server": facts}, written.lost_keys)
        created_at = facts["href"] if is_new else None
        return self.answer_write(body, etag_of(written.row), written.change, created_at=created_at)


def _as_word(value: Any) -> Any:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else value
