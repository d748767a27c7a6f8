"""What a generation sent, out of the database: for readers who come after its process, or after the memory's time."""

from collections.abc import AsyncGenerator

import structlog

from chats.bigagi.rows import load_messages
from chats.generations.frames import DONE, pick_frames
from chats.models import Generation, GenerationEvents
from stores.background.threads import in_thread
from stores.records.codecs import JSONObject
from stores.records.commits import Stored
from stores.records.errors import Missing
from stores.records.event_frames import frame
from stores.records.ids import href
from stores.records.problem_details import describe_broken, describe_problem
from stores.records.secrets import mask

logger = structlog.get_logger("chats")

LOOKS = 3
"""How often a message is looked for whose row was replaced in between."""


def find_generation(uid: str) -> Generation:
    """Return the generation. Raises `Missing`."""
    row = Generation.objects.select_related("conversation").filter(uid=uid).first()
    if row is None:
        raise Missing("There is no such generation.")
    return row


def describe_generation(uid: str) -> JSONObject:
    """Return the generation with its message as it is now, secrets masked. Raises `Missing`."""
    row = find_generation(uid)
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
    """Return the message that the generation writes, or None where it was deleted."""
    # The end of a generation replaces the row of its message: this can come between two queries.
    for _ in range(LOOKS):
        pk = row.conversation.messages.filter(uid=row.message_uid).values_list("pk", flat=True).first()
        if pk is None:
            return None
        if found := load_messages([pk], by="id"):
            message: JSONObject = mask(found[0][2])
            return message
    return None


async def replay(uid: str, after: int, *, html: bool) -> AsyncGenerator[bytes, None]:
    """Yield the kept events beyond number `after`; then the whole message, unless the last of them is the end."""
    try:
        text, last, is_whole = await in_thread(_kept, uid, after, html)
    except Exception as error:
        yield _unread_frame(uid, after + 1, error)
        return
    if text and after <= last:
        yield text.encode("ascii")
    if not is_whole or after > last:
        async for content in reset(uid, max(after, last) + 1):
            yield content


async def reset(uid: str, number: int) -> AsyncGenerator[bytes, None]:
    """Yield the event that gives the whole message to a reader who cannot be given what it missed."""
    try:
        described = await in_thread(describe_reset, uid)
    except Exception as error:
        yield _unread_frame(uid, number, error)
        return
    yield frame(number, "reset", described)


def describe_reset(uid: str) -> JSONObject:
    """Return what that event says: the message as it is stored, and how the generation stands."""
    described = describe_generation(uid)
    return {name: described[name] for name in ("message", "status", "detail")}


def _unread_frame(uid: str, number: int, error: Exception) -> bytes:
    """Return the event that says that the rest cannot be read."""
    logger.exception("the events of a generation could not be read", generation=uid)
    return frame(number, "error", {"problem": describe_unread(uid, error)})


def describe_unread(uid: str, error: Exception) -> JSONObject:
    """Return the problem of a generation that cannot be read."""
    status, detail, kind = describe_broken(error, Stored.NOT_ASKED)
    return describe_problem(href("generations", uid), "", status, detail, kind=kind)


def _kept(uid: str, after: int, html: bool) -> tuple[str, int, bool]:
    """Return events, the number of the last that is kept, and whether all are kept, to the end."""
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
