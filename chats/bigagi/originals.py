"""Messages of before v4 as they were before their conversion: kept as revisions, and put back on request."""

from itertools import chain
from typing import Any

from django.db.models import QuerySet

from chats.bigagi.conversion import convert_message, is_old_message
from chats.bigagi.uids import derived_id
from stores import jsontext
from stores.codecs import JSONObject, is_id
from stores.models import Revision


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
    for place, body in original_messages().filter(uid__in=list(originals)).values_list("uid", "body"):
        originals[place].append(jsontext.decode(body))
    for place, at in places:
        # The ids of two chats and messages can join to one text: what an original becomes tells whether it is this
        # one's. Of several, the message may have been edited since.
        became = [(old, convert_message(old, uid, at)) for old in originals[place]]
        same = (old for old, converted in became if jsontext.same(converted, messages[at]))
        edited = (old for old, converted in became if converted["id"] == messages[at]["id"])
        messages[at] = next(chain(same, edited), messages[at])


def place_of(uid: str, message: JSONObject, at: int) -> str:
    """Return what the original of a chat's message is kept under."""
    message_id = message.get("id")
    return f"{uid}/{message_id if is_id(message_id) else derived_id(uid, at)}"
