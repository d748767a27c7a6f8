"""Where a chat was continued in two ways, and which of its messages have another version, for the chat page."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse

from chats.links import chat_page_path
from chats.models import Conversation, Message
from stores.models import ImportedRecord, Revision


@dataclass
class Fork:
    """Another chat that goes on from the same message."""

    title: str
    href: str


def find_forks(chat: Conversation) -> dict[str, list[Fork]]:
    """Return where the chat and its branches, or it and the chat that it is a branch of, part: by the last message that
    both have."""
    imported = ImportedRecord.objects.filter(kind="conversation").exclude(branch_of="")
    pairs = imported.filter(Q(uid=chat.uid) | Q(branch_of=chat.uid)).values_list("uid", "branch_of")
    others = {root if uid == chat.uid else uid for uid, root in pairs}
    forks: dict[str, list[Fork]] = {}
    for other in Conversation.objects.filter(uid__in=others).order_by("position", "pk") if others else ():
        shared = chat.messages.filter(uid__in=Message.objects.filter(conversation=other).order_by().values("uid"))
        last = shared.order_by("-position").values_list("uid", flat=True).first()
        if last is not None:
            fork = Fork(other.title, chat_page_path(other.uid))
            forks.setdefault(last, []).append(fork)
    return forks


def find_versions(chat: Conversation, uids: Iterable[str]) -> dict[str, str]:
    """Return the pages with the versions that a merge keeps of these messages and does not show, by message."""
    named = {f"{chat.uid}/{uid}": uid for uid in uids}
    versions = Revision.objects.filter(kind="message", reason=Revision.Reason.VERSION, uid__in=named)
    path = reverse("admin:stores_revision_changelist")
    found = set(versions.values_list("uid", flat=True))
    return {named[uid]: f"{path}?{urlencode({'kind': 'message', 'uid': uid})}" for uid in found}
