"""What the API and the pages read of chats, in a number of queries that does not depend on the number of rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet

from chats.models import Conversation, FolderMembership, Message, PinnedChat
from stores.importers.provenance import touched_by
from stores.models import ImportedRecord
from stores.records.sql import fetch, marks

CONVERSATION = "conversation"
"""The kind of record that a chat is."""


@dataclass
class ChatFacts:
    """What is known of a chat beside big-AGI's own record of it."""

    message_count: int = 0
    last_message_at: int | None = None
    """In ms since the epoch."""
    folder_ids: list[str] = field(default_factory=list)
    is_pinned: bool = False
    run: int | None = None
    """The run that last imported it."""
    branch_of: str | None = None
    """The chat that an import made it a branch of."""
    cost_nano_usd: int | None = None
    """What its calls in the ledger cost, as far as that is known; None: of none it is."""


def facts_of_messages(conversations: Sequence[Conversation]) -> dict[int, ChatFacts]:
    """Return by primary key what the chats' messages tell."""
    facts = {chat.pk: ChatFacts() for chat in conversations}
    if not facts:
        return facts
    statement = f"""SELECT conversation_id, COUNT(*), MAX(created) FROM {{chats.Message}}
        WHERE conversation_id IN ({marks(facts)}) GROUP BY conversation_id"""
    for pk, count, last in fetch(statement, list(facts)):
        facts[pk].message_count, facts[pk].last_message_at = count, last
    return facts


def facts_of_chats(conversations: Sequence[Conversation]) -> dict[int, ChatFacts]:
    """Return by primary key what is known of the chats: messages, folders, pins, the import, and costs."""
    facts = facts_of_messages(conversations)
    keys = {chat.uid: chat.pk for chat in conversations}
    if not keys:
        return facts
    memberships = f"""SELECT listed.conversation_uid, folder.uid FROM {{chats.FolderMembership}} listed
        JOIN {{chats.Folder}} folder ON folder.id = listed.folder_id
        WHERE listed.conversation_uid IN ({marks(keys)}) ORDER BY folder.position, listed.id"""
    for uid, folder in fetch(memberships, list(keys)):
        facts[keys[uid]].folder_ids.append(folder)
    # What was taken back is in the sum of costs with both signs; tests count nowhere.
    others = f"""SELECT chat.id,
        EXISTS (SELECT 1 FROM {{chats.PinnedChat}} pinned WHERE pinned.uid = chat.uid),
        imported.run_id, imported.branch_of,
        (SELECT SUM(COALESCE(cost_nano_usd, CASE WHEN cost_code = 'free' THEN 0 END))
            FROM {{metrics.UsageEvent}} event WHERE event.conversation = chat.uid AND event.source <> 'test'
            GROUP BY event.conversation HAVING SUM(event.calls) <> 0)
        FROM {{chats.Conversation}} chat
        LEFT JOIN {{stores.ImportedRecord}} imported ON imported.kind = 'conversation' AND imported.uid = chat.uid
        WHERE chat.id IN ({marks(facts)})"""
    for pk, is_pinned, run, root, cost in fetch(others, list(facts)):
        found = facts[pk]
        found.is_pinned, found.run, found.branch_of = bool(is_pinned), run, root or None
        found.cost_nano_usd = None if cost is None else int(cost)
    return facts


def root_of(chat: Conversation) -> Conversation | None:
    """Return the chat that an import made this one a branch of, if it is here."""
    imported = ImportedRecord.objects.filter(kind="conversation", uid=chat.uid).exclude(branch_of="")
    return Conversation.objects.filter(uid__in=imported.values("branch_of")).first()


def branches_of(chat: Conversation) -> QuerySet[Conversation]:
    """Return the branches that imports made of the chat."""
    imported = ImportedRecord.objects.filter(kind="conversation", branch_of=chat.uid).exclude(branch_of="")
    return Conversation.objects.filter(uid__in=imported.values("uid"))


def brought_by(conversations: QuerySet[Conversation], run: int) -> QuerySet[Conversation]:
    """Return those of the chats that an import brought or changed."""
    return conversations.filter(uid__in=touched_by(run, CONVERSATION).values("uid"))


def in_folder(conversations: QuerySet[Conversation], folder_uid: str) -> QuerySet[Conversation]:
    """Return those of the chats that a folder lists."""
    listed = FolderMembership.objects.filter(folder__uid=folder_uid).order_by()
    return conversations.filter(uid__in=listed.values("conversation_uid"))


def pinned(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Return those of the chats that are pinned."""
    return conversations.filter(uid__in=PinnedChat.objects.order_by().values("uid"))


def not_pinned(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """Return those of the chats that are not pinned."""
    return conversations.exclude(uid__in=PinnedChat.objects.order_by().values("uid"))


def with_model(conversations: QuerySet[Conversation], model_id: str) -> QuerySet[Conversation]:
    """Return those of the chats in which the model answered."""
    answers = Message.objects.filter(model_id=model_id).order_by()
    return conversations.filter(pk__in=answers.values("conversation"))


def with_words(conversations: QuerySet[Conversation], words: Sequence[str]) -> QuerySet[Conversation]:
    """Return those of the chats in whose shown title all these words stand, in any order."""
    for word in words:
        conversations = with_title(conversations, word)
    return conversations


def with_title(conversations: QuerySet[Conversation], part: str) -> QuerySet[Conversation]:
    """Return those of the chats whose shown title has this part, upper and lower case alike."""
    untitled = Q(user_title=None) | Q(user_title="")
    return conversations.filter(Q(user_title__icontains=part) | untitled & Q(auto_title__icontains=part))
