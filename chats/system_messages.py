"""Which of a chat's system messages are sent, and as what.

Those before the first question are the chat's system prompt; big-AGI writes the persona's there. Those further down are
notes, which are sent beside it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from chats.bigagi.rows import load_messages
from chats.models import Conversation
from stores.records.codecs import JSONObject

SKIP_FLAG = "aix.skip"
SENT_ROLES = ("user", "assistant", "system")


@dataclass
class SystemMessages:
    """The system messages of a chat, in their order; those that are skipped are in none of the lists."""

    prompt: list[JSONObject] = field(default_factory=list)
    """Sent in the place of the persona's prompt."""
    stale: list[JSONObject] = field(default_factory=list)
    """Not sent: big-AGI wrote them for another persona than the chat has now."""
    notes: list[JSONObject] = field(default_factory=list)


def is_sent(message: Any) -> bool:
    """Tell whether a member of a chat's list is a message that a model can be sent."""
    if not isinstance(message, dict) or message.get("role") not in SENT_ROLES:
        return False
    flags = message.get("userFlags")
    return not (isinstance(flags, list) and SKIP_FLAG in flags) and isinstance(message.get("fragments"), list)


def is_stale(message: JSONObject, persona: Any) -> bool:
    """Tell whether big-AGI wrote a system message for another persona, and nobody has edited it since. big-AGI puts the
    text of the present persona in its place when it sends the chat."""
    purpose = message.get("purposeId")
    is_of_another = isinstance(purpose, str) and isinstance(persona, str) and purpose != persona
    return is_of_another and message.get("updated") is None


def find_system_messages(messages: Iterable[Any], persona: Any) -> SystemMessages:
    """Return the system messages among a chat's, whose `systemPurposeId` is `persona`."""
    found = SystemMessages()
    is_begun = False
    for message in messages:
        role = message.get("role") if isinstance(message, dict) else None
        is_begun = is_begun or role in ("user", "assistant")
        if role != "system" or not is_sent(message):
            continue
        if is_begun:
            found.notes.append(message)
        elif is_stale(message, persona):
            found.stale.append(message)
        else:
            found.prompt.append(message)
    return found


def text_of(message: JSONObject) -> str:
    """Return the texts of a message, a blank line between them."""
    parts = [fragment.get("part") for fragment in message["fragments"] if isinstance(fragment, dict)]
    texts = [part.get("text") for part in parts if isinstance(part, dict) and part.get("pt") == "text"]
    return "\n\n".join(text for text in texts if isinstance(text, str) and text)


def read_system_messages(chat: Conversation) -> SystemMessages:
    """Return the system messages of a stored chat. Of the others only the place of the first one is read."""
    rows = chat.messages.order_by("position")
    first = rows.filter(role__in=("user", "assistant")).values_list("position", "role").first()
    keys = list(rows.filter(role="system").values_list("pk", flat=True))
    members = [(position, message) for _, position, message in load_messages(keys, by="id", shows_uids=True)]
    if first is not None:
        members.append((first[0], {"role": first[1]}))
    members.sort(key=lambda member: member[0])
    return find_system_messages([message for _, message in members], chat.system_purpose_id)
