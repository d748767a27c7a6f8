"""The files of a chat's workspace, found in its messages: attachments name them (`bigagi-format.md` §§ 3, 7)."""

from dataclasses import dataclass

from chats.models import Conversation, Fragment
from stores.records.codecs import is_id
from stores.records.errors import Missing
from stores.records.journal.recorder import Origin
from stores.records.preconditions import ANY, Precondition
from stores.records.written import Written
from workspace.services.assigning import missing_files
from workspace.services.workspaces import assign_found


@dataclass(frozen=True)
class Imported:
    """The workspace, None where there is none still; the files that the chat names, and those of them not here."""

    written: Written | None
    named: list[str]
    missing: list[str]


def import_workspace(origin: Origin, uid: str, precondition: Precondition = ANY) -> Imported:
    """Put the files that the chat's attachments name, and that are here, at the end of its workspace.

    Raises `Missing` where there is no such chat."""
    chat = Conversation.objects.filter(uid=uid).only("pk").first()
    if chat is None:
        raise Missing(f"There is no chat {uid}.")
    named = find_live_files(chat)
    return Imported(assign_found(origin, uid, named, precondition), named, missing_files(named))


def find_live_files(chat: Conversation) -> list[str]:
    """Return the ids of the live files that the chat's attachments name, each once, in their order."""
    attachments = Fragment.objects.filter(message__conversation=chat, ft="attachment")
    extras = attachments.order_by("message__position", "position").values_list("extra", flat=True)
    ids = [extra.get("liveFileId") for extra in extras if extra]
    return list(dict.fromkeys(uid for uid in ids if is_id(uid)))
