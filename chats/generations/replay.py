"""What a run sent, out of the database: for readers who come after its process, or after the memory's time."""

from collections.abc import AsyncGenerator

import structlog

from chats.bigagi.conversation import load_messages
from chats.generations.frames import DONE, frame, pick_frames
from chats.models import Generation, GenerationEvents
from stores.api.asynchronous import in_thread
from stores.api.ids import href
from stores.api.problems import describe_broken, describe_problem
from stores.codecs import JSONObject
from stores.outcomes import Stored
from stores.secrets import mask
from stores.services.errors import Missing

logger = structlog.get_logger("chats")

LOOKS = 3
"""How often a message is looked for whose row was replaced in between."""


def find_run(uid: str) -> Generation:
    """Return the generation. Raises `Missing`."""
    row = Generation.objects.select_related("conversation").filter(uid=uid).first()
    if row is None:
        raise Missing("There is no such generation.")
    return row


def describe_run(uid: str) -> JSONObject:
    """Return the generation with its message as it is now, secrets masked. Raises `Missing`."""
    row = find_run(uid)
    return {
        "id": row.uid,
        "status": row.status,
        "conversation": row.conversation.uid,
        "user_message": row.user_message_uid or None,
        "model": row.model_uid,
        "service": row.service_uid,
        "started": row.started,
        "ended": row.ended,
        "detail": row.detail,
        "href": href("generations", row.uid),
        "events_href": href("generations", row.uid, "events"),
        "message": _load_message(row),
    }


def _load_message(row: Generation) -> JSONObject | None:
    """Return the message that the run writes, or None where it was deleted."""
    # The end of a run puts another row in the place of the message's: it can come between two queries.
    for _ in range(LOOKS):
        pk = row.conversation.messages.filter(uid=row.message_uid).values_list("pk", flat=True).first()
        if pk is None:
            return None
        if found := load_messages([pk], by="id"):
            message: JSONObject = mask(found[0][2])
            return message
    return None


async def replay(uid: str, after: int, *, html: bool) -> AsyncGenerator[bytes, None]:
    """Yield the kept events beyond number `after`; then, unless the last of them ended the run, the whole message."""
    try:
        text, last, is_whole = await in_thread(_kept, uid, after, html)
    except Exception as error:
        yield _tell_unread(uid, after + 1, error)
        return
    if text and after <= last:
        yield text.encode("ascii")
    if not is_whole or after > last:
        async for content in reset(uid, max(after, last) + 1):
            yield content


async def reset(uid: str, number: int) -> AsyncGenerator[bytes, None]:
    """Yield the event that gives the whole message to a reader who cannot be given what it missed."""
    try:
        told = await in_thread(describe_run, uid)
    except Exception as error:
        yield _tell_unread(uid, number, error)
        return
    yield frame(number, "reset", {"message": told["message"], "status": told["status"], "detail": told["detail"]})


def _tell_unread(uid: str, number: int, error: Exception) -> bytes:
    """Return the event that says that the rest cannot be read."""
    logger.exception("the events of a generation could not be read", generation=uid)
    return frame(number, "error", {"problem": describe_unread(uid, error)})


def describe_unread(uid: str, error: Exception) -> JSONObject:
    """Return the problem of a generation that cannot be read."""
    status, detail, kind = describe_broken(error, Stored.NOT_ASKED)
    return describe_problem(href("generations", uid), "", status, detail, kind=kind)


def _kept(uid: str, after: int, html: bool) -> tuple[str, int, bool]:
    """Return events, the number of the last that is kept, and whether all are kept, to the end of the run."""
    kept = GenerationEvents.objects.filter(generation__uid=uid).order_by("first")
    stretches = list(kept.values_list("first", "last", "frames"))
    if not stretches:
        return "", 0, False
    at = 1
    for first, last, _ in stretches:
        if first != at:
            # A stretch is missing: what comes after it makes no sense.
            return "", 0, False
        at = last + 1
    new = (frames for _, last, frames in stretches if last > after)
    text = "".join(piece for frames in new for piece in pick_frames(frames, after, html=html))
    return text, at - 1, DONE in stretches[-1][2]
