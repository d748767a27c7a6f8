"""All that writes can change and undo has to bring back, compared by `json.loads`; and what always holds of it."""

import json
from typing import Any

from chats.assets import base64_of
from chats.bigagi.asset import ASSETS, stored_bytes, with_base64
from chats.bigagi.rows import load_messages
from chats.models import Conversation, Folder, Fragment, Message
from stores.models import Quarantine
from stores.querysets import list_stores
from stores.records import jsontext, registry, secrets
from stores.records.dump import dump_store, records_of
from stores.records.opaque_stores import OPAQUE_STORES
from tests.strategies import equal_json, first_difference
from workspace.models import Workspace

OWNERS = {
    "messages": Conversation,
    "fragments": Message,
    "conversationIds": Folder,
    "liveFilesByWorkspace": Workspace,
}


def read_state() -> dict[str, Any]:
    """Return stores, assets with their bytes, and the quarantine; primary keys, revisions and times are left out."""
    state: dict[str, Any] = {
        "stores": {store.name: json.loads("".join(dump_store(store.name, secrets.reveal))) for store in list_stores()},
        "assets": [_asset_with_bytes(record) for _, record in records_of(ASSETS)],
        "quarantine": sorted(_describe(member) for member in Quarantine.objects.all()),
    }
    return state


def _asset_with_bytes(record: Any) -> Any:
    held = stored_bytes(record)
    whole = with_base64(record, "".join(base64_of(held.sha256))) if held else record
    return json.loads(jsontext.encode(secrets.reveal(whole)))


def _describe(member: Quarantine) -> list[str]:
    owner = ""
    if member.owner is not None:
        # A list that is the record itself has its owner's kind for a name.
        row: Any = OWNERS[member.collection].objects.get(pk=member.owner)
        owner = f"{row.conversation.uid} {row.uid}" if isinstance(row, Message) else row.uid
    # Of a chat's messages, positions count as far as they say the order, which the dump tells.
    position = "" if member.collection in ("messages", "fragments") else f"{member.position:020}"
    facts = (member.store, member.collection, owner, position, member.kind, member.uid, member.reason)
    return [*facts, str(member.is_json), _canonical(member.raw)]


def _canonical(raw: str) -> str:
    try:
        return jsontext.canonical(jsontext.decode(raw))
    except jsontext.UndecodableJSON:
        return raw


def assert_same_state(expected: dict[str, Any], found: dict[str, Any], when: str) -> None:
    for name, value in expected.items():
        assert equal_json(value, found[name]), f"{when}: {name}: {first_difference(value, found[name])}"


def assert_sound() -> None:
    """Assert that what is derived from the records is what they give: hashes; and that nothing is orphaned or tied."""
    for spec in registry.all_specs(with_databases=True):
        for collection in spec.collections:
            positions = []
            for row, record in records_of(collection):
                rows = collection.to_rows(record, row.uid)
                assert rows.content_hash == row.content_hash, f"hash of {collection.kind} {row.uid}"
                positions.append(getattr(row, "position", 0))
            assert collection.shape == "map" or len({*positions}) == len(positions), f"tied {collection.kind}s"
    for store in OPAQUE_STORES.rows():
        [record] = OPAQUE_STORES.load([store])
        assert jsontext.content_hash(record) == store.content_hash, f"hash of store {store.name}"
    hashes = {(row.conversation_id, row.position): row.content_hash for row in Message.objects.all()}
    assert len(hashes) == Message.objects.count(), "tied messages"
    for owner, position, message in load_messages(list(Conversation.objects.values_list("pk", flat=True))):
        assert jsontext.content_hash(message) == hashes[owner, position], f"hash of message {message['id']!r}"
    assert not Fragment.objects.exclude(message__in=Message.objects.all()).exists()
