"""big-AGI's `app-folders` in and out of this app's rows (`bigagi-format.md` § 4)."""

from collections.abc import Mapping, Sequence
from typing import Any

from chats.models import Folder, FolderMembership
from stores.records.codecs import JSONObject, Rows, is_id
from stores.records.merging.listings import list_words, merge_listed, repeat_words
from stores.records.merging.members import fingerprint, has_members, merge_members
from stores.records.merging.rules import Merged, Sides, Told
from stores.records.protocols import Lists, States
from stores.records.table_collections import ListingCollection

LISTED = "conversationIds"


def base_of_folder(folder: JSONObject, told: Told, rows: Rows | None = None) -> JSONObject:
    """Return what is to be known of the folder at its next merge."""
    return {"members": fingerprint(_header(folder)), "listed": list_words(folder[LISTED], told, "conversation")}


def merge_folders(sides: Sides) -> Merged | None:
    """Merge title and colour as members, and the list of chats entry by entry; None where the list is damaged."""
    stored, incoming = sides.stored[LISTED], sides.incoming[LISTED]
    if not all(all(map(is_id, listed)) and len(set(listed)) == len(listed) for listed in (stored, incoming)):
        return None
    base = sides.base or {"members": None, "listed": None}
    headers = Sides(sides.uid, _header(sides.stored), _header(sides.incoming), base["members"], is_newer=sides.is_newer)
    merged = merge_members(headers)
    listed, words, rules = merge_listed(sides, stored, incoming, base["listed"], "conversation")
    merged.record |= {LISTED: listed}
    merged.base = base | {"members": merged.base, "listed": words}
    merged.rules.update(rules)
    merged.is_whole &= set(incoming) <= set(listed)
    return merged


def contains_folder(stored: Any, incoming: Any) -> bool:
    """Tell whether a state of a folder has all that another one lists, under the same title."""
    if not isinstance(stored, dict) or not isinstance(incoming, dict):
        return False
    mine, theirs = stored.get(LISTED), incoming.get(LISTED)
    if not isinstance(mine, list) or not isinstance(theirs, list):
        return False
    return all(one in mine for one in theirs) and has_members(_header(stored), _header(incoming))


def with_branches(folder: Any, branches: Mapping[str, Sequence[str]]) -> Any:
    """Return the folder with the branches of its chats, each behind its chat."""
    if not isinstance(folder, dict) or not isinstance(folder.get(LISTED), list):
        return folder
    listed: list[Any] = []
    for uid in folder[LISTED]:
        new = branches.get(uid, ()) if isinstance(uid, str) else ()
        listed += [uid, *(one for one in new if one not in folder[LISTED])]
    return folder | {LISTED: listed}


def base_with_branches(base: JSONObject, branches: Mapping[str, Sequence[str]]) -> JSONObject:
    """Return the base in which a folder's files said of branches what they said of their chats."""
    return base | {"listed": repeat_words(base["listed"], branches)}


def _header(folder: JSONObject) -> JSONObject:
    return {key: value for key, value in folder.items() if key != LISTED}


class Folders(ListingCollection):
    store, key, kind, model = "app-folders", "folders", "folder", Folder
    paths = {"title": "title", "color": "color"}
    route = "folders"
    member_lists = {LISTED: "folder"}
    states = States(merge_folders, merges_always=True, merges_again=True, base=base_of_folder, contains=contains_folder)
    listing, entries, owner_field, uid_field = LISTED, FolderMembership, "folder", "conversation_uid"
    lists = Lists("conversation", with_branches, base_with_branches)


FOLDERS = Folders()
