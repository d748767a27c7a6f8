"""Two states of one chat made one, or two chats: one goes on, and the other is a branch of it.

Which of two continuations goes on in the chat does not depend on the order in which files come: that which began later,
unless one was written here. So the branches of a chat are a tree whose shape only its messages decide, and a branch has
an id that is made of the chat's and of its own first message: however often and in whatever state a file brings it, it
is the same chat, and goes on with it.
"""

from collections.abc import Callable
from typing import Any

from chats.bigagi.merging.alignment import Alignment, Turn, align, turns_of
from chats.bigagi.merging.messages import began, merge_messages
from chats.bigagi.states import PENDING, VOLATILE, seen_content
from chats.bigagi.titles import number_title, title_of
from chats.bigagi.uids import derived_id
from stores.records import jsontext
from stores.records.codecs import JSONObject, Rows
from stores.records.merging.members import ABSENT, DIGITS, Members, fingerprint, richness
from stores.records.merging.rules import NOTHING, Branch, Merged, Rule, Sides, Told, believable

APART = VOLATILE | {"id", "messages"}
"""Members that have rules of their own."""
NEVER = -1
"""When a member was said by no file: before any clock, and before 0, which is that of a wrong one."""


def base_of_chat(record: JSONObject, told: Told = NOTHING, rows: Rows | None = None) -> JSONObject:
    """Return what is to be known of the chat at its next merge; its `rows`, where there are any, have the digests.
    `times` are those of members that are of another time than the rest."""
    if rows is not None:
        messages = {part.uid: part.content_hash[:DIGITS] for part in rows.parts}
    else:
        messages = {one.key: _digest(one.message) for one in turns_of(record["messages"])}
    times = dict.fromkeys(told.omits - APART, NEVER)
    return {"at": clock_of(record), "times": times, "fields": fingerprint(_header(record)), "messages": messages}


def goes_on(base: JSONObject, incoming: JSONObject) -> bool:
    """Tell whether a state of a chat has messages that no import brought before."""
    return any(one.key not in base["messages"] for one in turns_of(incoming["messages"]))


def copy_chat(sides: Sides) -> Branch:
    """Return the incoming state as a chat of its own, the same one however often it comes."""
    return make_branch(sides, sides.incoming, "copy", jsontext.content_hash(sides.incoming))


def clock_of(chat: JSONObject) -> float:
    """Return when the chat says that it was changed, in ms; 0 where its clock cannot have been right."""
    return believable(chat.get("updated"), since=max(map(began, chat["messages"]), default=0)) or 0


def merge_chats(sides: Sides) -> Merged:
    """Merge two states of a chat, both in today's shape and with a list of messages."""
    known: dict[str, str] = sides.base["messages"] if sides.base else {}
    here = {one.key for one in turns_of(sides.stored["messages"])}
    deleted = known.keys() - here
    aligned = align(
        sides.stored["messages"], sides.incoming["messages"], without=set() if sides.restores_deleted else deleted
    )
    merged = _merge_headers(sides)
    if left_out := aligned.left_out:
        merged.left_out, merged.is_whole = left_out, False
        merged.rules[Rule.MESSAGE_DELETED] = len(left_out)
    brought = {one.key: _digest(one.message) for one in aligned.incoming}
    if all(aligned.tails):
        _fork(sides, aligned, merged, brought)
    else:
        _join(sides, aligned, merged, brought)
    shown = {one.key: one.message for one in turns_of(merged.record["messages"])}
    theirs = {one.key: one.message for one in aligned.incoming if one.key in shown}
    taken = {key: brought[key] for key, one in theirs.items() if jsontext.same_quickly(one, shown[key])}
    messages = brought | known | taken
    merged.base["messages"] = {key: it for key, it in messages.items() if key in shown or key in deleted}
    return merged


def _digest(message: Any) -> str:
    return jsontext.content_hash(message)[:DIGITS]


# --- the header ---


def _merge_headers(sides: Sides) -> Merged:
    """Merge all but messages and times: what was changed on one side since the base, else what is newer. A file that
    cannot have a member says nothing about it."""
    theirs, ours = clock_of(sides.incoming), clock_of(sides.stored)
    base = sides.base or {"at": ours, "times": {}, "fields": None}
    stored, incoming = _header(sides.stored), _header(sides.incoming)
    omits = sides.told.omits - APART
    merged = Merged({key: sides.stored[key] for key in ("id",) if key in sides.stored}, {})
    bases, times = dict(base["fields"] or {}), {}
    for key in dict.fromkeys((*stored, *incoming, *base["times"], *omits)):
        since = base["times"].get(key, base["at"])
        times[key] = since if key in omits else max(since, theirs)
        value = stored.get(key, ABSENT)
        if key not in omits:
            of_key = None if base["fields"] is None else base["fields"].get(key, "")
            fields = Members(_newer(theirs, ours, since), Rule.FIELD, moves=theirs > since)
            value, bases[key] = fields.merge(value, incoming.get(key, ABSENT), of_key)
            merged.rules += fields.rules
            merged.is_whole &= fields.is_whole
        if value is not ABSENT:
            merged.record[key] = value
    at = max(base["at"], theirs)
    merged.base = {"at": at, "times": {key: it for key, it in times.items() if it != at}, "fields": bases}
    return merged


def _newer(theirs: float, ours: float, since: float) -> Callable[[Any, Any, bool], bool]:
    """Return what tells whether an incoming member of this time is newer than ours."""

    def is_newer(stored: Any, incoming: Any, is_changed_here: bool) -> bool:
        at = ours if is_changed_here else since
        if theirs == at:
            return not is_changed_here and richness(incoming) > richness(stored)
        return theirs > at

    return is_newer


def _header(record: JSONObject) -> JSONObject:
    return {key: value for key, value in record.items() if key not in APART}


# --- the messages ---


def _join(sides: Sides, aligned: Alignment, merged: Merged, brought: dict[str, str]) -> None:
    """Make one list of both."""
    merged.record["messages"] = _merge_shared(sides, aligned, merged, brought, aligned.join())
    alone = [sum(one.key not in aligned.shared for one in side) for side in (aligned.stored, aligned.incoming)]
    if alone[1]:
        merged.rules[Rule.JOINED if alone[0] else Rule.CONTINUED] += alone[1]
    stored, incoming = sides.stored, sides.incoming
    # What was merged can have messages of a side whose clock was wrong, while its own was right.
    theirs, ours = clock_of(incoming), max(clock_of(stored), sides.base["at"] if sides.base else 0)
    later = incoming if theirs > ours else stored
    if theirs == ours and sides.is_as_imported:
        later = max(stored, incoming, key=lambda chat: richness({key: chat[key] for key in VOLATILE if key in chat}))
    merged.record |= {key: later[key] for key in VOLATILE if key in later}


def _fork(sides: Sides, aligned: Alignment, merged: Merged, brought: dict[str, str]) -> None:
    """Join what is before both continuations, go on with one of them, and make the other side a branch."""
    known = sides.base["messages"] if sides.base else {}
    tails = aligned.tails
    here, there = (tail[0] for tail in tails)
    own = {key: value for key, value in sides.incoming.items() if key not in sides.told.omits}
    incoming = own | {"messages": [one.message for one in aligned.incoming]}
    is_ours = here.key not in known or here.place > there.place
    turns = [*aligned.join_heads(), *tails[not is_ours]]
    merged.record["messages"] = _merge_shared(sides, aligned, merged, brought, turns)
    goes_on = sides.stored if is_ours else incoming
    merged.record |= {key: goes_on[key] for key in VOLATILE if key in goes_on}
    other, first = (incoming, there) if is_ours else (sides.stored, here)
    merged.branch = make_branch(sides, other, "branch", first.key)
    merged.rules[Rule.BRANCHED] += 1


def make_branch(sides: Sides, record: JSONObject, *names: str) -> Branch:
    """Return a state of the chat as a chat of its own, as big-AGI branches (`bigagi-format.md` § 12); but its messages
    keep their ids, by which its longer states are known. `names` tell it from other branches."""
    uid = derived_id(names[0], sides.root, *names[1:])
    if uid == sides.uid:
        uid = derived_id(names[0], uid, *names[1:])
    messages = [
        {key: value for key, value in one.items() if key != PENDING} if isinstance(one, dict) else one
        for one in record["messages"]
    ]
    header = {key: value for key, value in record.items() if key != "userTitle"}
    branch = header | {"id": uid, "autoTitle": number_title(title_of(record)), "messages": messages}
    return Branch(uid, branch, sides.root)


def _merge_shared(
    sides: Sides, aligned: Alignment, merged: Merged, brought: dict[str, str], turns: list[Turn]
) -> list[Any]:
    """Return the messages of these turns, of which those that both sides have are merged."""
    known = sides.base["messages"] if sides.base else {}
    here = {one.key: one.message for one in aligned.stored}
    there = {one.key: one.message for one in aligned.incoming}
    messages = []
    for one in turns:
        if one.key not in aligned.shared or jsontext.same_quickly(here[one.key], there[one.key]):
            messages.append(one.message)
            continue
        stored, incoming = here[one.key], _under_id(there[one.key], here[one.key])
        if sides.is_readable_again(stored, incoming):
            merged.rules[Rule.READABLE] += 1
            messages.append(incoming)
            continue
        if brought[one.key] == known.get(one.key):
            # The file brings nothing new of it.
            merged.rules[Rule.CHANGED_HERE] += 1
            merged.is_whole &= seen_content(stored) == seen_content(incoming)
            messages.append(stored)
            continue
        is_changed_here = _digest(stored) != known.get(one.key)
        message, other, is_whole, rules = merge_messages(stored, incoming, is_changed_here=is_changed_here)
        merged.rules += rules
        merged.is_whole &= is_whole
        if other is not None:
            merged.versions.append((one.key, other))
        messages.append(message)
    return messages


def _under_id(message: Any, other: Any) -> Any:
    """Return the message with the id of another one, which says the same."""
    if not isinstance(message, dict) or not isinstance(other, dict) or message.get("id") == other.get("id"):
        return message
    own = {key: value for key, value in message.items() if key != "id"}
    return own | {key: other[key] for key in ("id",) if key in other}
