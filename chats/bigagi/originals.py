"""Messages of before v4 as they were before their conversion: kept as revisions, and put back on request."""

from typing import Any

from django.db.models import QuerySet

from chats.bigagi.conversion import convert_message, is_old_message
from chats.bigagi.uids import derived_id
from stores.models import Revision
from stores.records import jsontext
from stores.records.codecs import JSONObject, is_id


def original_messages() -> QuerySet[Revision]:
    """Return the messages that were kept as they were before their conversion."""
    return Revision.objects.filter(kind="message", reason=Revision.Reason.ORIGINAL)


def put_originals_back(uid: str, messages: list[Any]) -> None:
    """Put the old messages of a conversation in the places of those that they became."""
    places = [
        (place_of(uid, message, at), at)
        for at, message in enumerate(messages)
        if isinstance(message, dict) and not is_old_message(message)
    ]
    originals: dict[str, list[Any]] = {place: [] for place, _ in places}
    kept = original_messages().filter(uid__in=list(originals)).order_by("pk")
    for place, body in kept.values_list("uid", "body"):
        originals[place].append(jsontext.decode(body))
    # The ids of two chats and messages can join to one text, and two messages can have one id: what an original becomes
    # tells whose it is. Then come those of messages that were edited since.
    used: set[int] = set()
    changed: list[tuple[str, int]] = []
    for place, at in places:
        same = [old for old in originals[place] if jsontext.same(convert_message(old, uid, at), messages[at])]
        old = next((old for old in same if id(old) not in used), same[0] if same else None)
        if old is None:
            changed.append((place, at))
            continue
        used.add(id(old))
        messages[at] = old
    for place, at in changed:
        for old in originals[place]:
            if id(old) not in used and convert_message(old, uid, at)["id"] == messages[at].get("id"):
                used.add(id(old))
                messages[at] = old
                break


def place_of(uid: str, message: JSONObject, at: int) -> str:
    """Return what the original of a chat's message is kept under."""
    message_id = message.get("id")
    return f"{uid}/{message_id if is_id(message_id) else derived_id(uid, at)}"
