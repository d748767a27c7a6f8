"""What each request has to read and write, as plain SQL on one connection (SQLite). Returns JSON text."""

import json
import time
import uuid
from typing import Any

PAGE = 50
CHAT = "id, uid, user_title, auto_title, system_purpose_id, is_archived, token_count, created, updated, extra, revision"
MESSAGE = (
    "id, uid, position, role, purpose_id, created, updated, token_count, user_flags, metadata, generator_kind, "
    "generator_name, vendor_id, model_id, stop_reason, metrics, extra"
)


def list_chats(cursor: Any) -> str:
    """Fifty chats with their counts, folders and run."""
    cursor.execute(f"SELECT {CHAT} FROM chats_conversation ORDER BY position, id LIMIT {PAGE + 1}")
    rows = cursor.fetchall()[:PAGE]
    keys = [row[0] for row in rows]
    uids = [row[1] for row in rows]
    marks = ",".join(["%s"] * len(rows))
    cursor.execute(
        "SELECT conversation_id, count(*), max(created) FROM chats_message "
        f"WHERE conversation_id IN ({marks}) GROUP BY conversation_id",
        keys,
    )
    counts = {key: (count, last) for key, count, last in cursor.fetchall()}
    cursor.execute(
        "SELECT m.conversation_uid, f.uid FROM chats_foldermembership m JOIN chats_folder f ON f.id = m.folder_id "
        f"WHERE m.conversation_uid IN ({marks})",
        uids,
    )
    folders = cursor.fetchall()
    cursor.execute(
        f"SELECT uid, run_id FROM stores_importedrecord WHERE kind = 'conversation' AND uid IN ({marks})", uids
    )
    runs = dict(cursor.fetchall())
    results = []
    for pk, uid, user_title, auto_title, persona, archived, tokens, created, updated, extra, revision in rows:
        chat = json.loads(extra) if extra else {}
        chat |= {"id": uid, "userTitle": user_title, "autoTitle": auto_title, "systemPurposeId": persona}
        chat |= {"isArchived": archived, "tokenCount": tokens, "created": created, "updated": updated}
        count, last = counts.get(pk, (0, None))
        listed = [folder for chat_uid, folder in folders if chat_uid == uid]
        facts = {"revision": revision, "messageCount": count, "lastMessageAt": last, "folderIds": listed}
        results.append(chat | {"_server": facts | {"run": runs.get(uid)}})
    return json.dumps({"next": None, "previous": None, "results": results})


def get_chat(cursor: Any, uid: str) -> str:
    """One chat with all its messages and fragments."""
    cursor.execute(f"SELECT {CHAT} FROM chats_conversation WHERE uid = %s", [uid])
    pk, uid, user_title, auto_title, persona, archived, tokens, created, updated, extra, revision = cursor.fetchone()
    chat = json.loads(extra) if extra else {}
    chat |= {"id": uid, "userTitle": user_title, "autoTitle": auto_title, "systemPurposeId": persona}
    chat |= {"isArchived": archived, "tokenCount": tokens, "created": created, "updated": updated}
    cursor.execute(f"SELECT {MESSAGE} FROM chats_message WHERE conversation_id = %s ORDER BY position", [pk])
    messages: dict[int, dict[str, Any]] = {}
    for row in cursor.fetchall():
        message = json.loads(row[16]) if row[16] else {}
        message |= {"id": row[1], "role": row[3], "created": row[5], "updated": row[6], "tokenCount": row[7]}
        if row[15]:
            generator = {"mgt": row[10], "name": row[11], "aix": {"vId": row[12], "mId": row[13]}}
            message["generator"] = generator | {"metrics": json.loads(row[15])}
        messages[row[0]] = message | {"fragments": []}
    marks = ",".join(["%s"] * len(messages))
    cursor.execute(
        "SELECT message_id, position, fid, ft, pt, text, part, extra FROM chats_fragment "
        f"WHERE message_id IN ({marks}) ORDER BY message_id, position",
        list(messages),
    )
    for owner, _, fid, ft, pt, text, part, rest in cursor.fetchall():
        fragment = json.loads(rest) if rest else {}
        whole = (json.loads(part) if part else {}) | {"pt": pt, "text": text}
        messages[owner]["fragments"].append(fragment | {"fId": fid, "ft": ft, "part": whole})
    facts = {"revision": revision, "messageCount": len(messages)}
    return json.dumps(chat | {"messages": list(messages.values()), "_server": facts})


def get_store(cursor: Any, name: str) -> str:
    """One store that is kept whole."""
    cursor.execute("SELECT data, version, revision FROM stores_store WHERE name = %s", [name])
    data, version, _ = cursor.fetchone()
    return json.dumps({"state": json.loads(data), "version": version})


def append_message(cursor: Any, uid: str, message: dict[str, Any], *, journal: bool = True) -> str:
    """Write one message, the chat's new state, and what the journal keeps. Call it in a transaction."""
    cursor.execute("SELECT id, revision, content_hash FROM chats_conversation WHERE uid = %s", [uid])
    pk, revision, content_hash = cursor.fetchone()
    cursor.execute(
        "SELECT position, uid, content_hash FROM chats_message WHERE conversation_id = %s ORDER BY position", [pk]
    )
    members = cursor.fetchall()
    position = members[-1][0] + 1 if members else 0
    key = _insert_message(cursor, pk, position, message)
    _touch(cursor, pk)
    if journal:
        _journal(cursor, "append message", uid, content_hash, json.dumps(message))
    return json.dumps(message | {"_server": {"position": position, "key": key, "revision": revision + 1}})


def replace_chat(cursor: Any, uid: str, chat: dict[str, Any], *, journal: bool = True) -> str:
    """Write the one message of the chat that is another. Call it in a transaction."""
    cursor.execute("SELECT id, revision, content_hash FROM chats_conversation WHERE uid = %s", [uid])
    pk, revision, content_hash = cursor.fetchone()
    cursor.execute("SELECT uid, id, position, content_hash FROM chats_message WHERE conversation_id = %s", [pk])
    held = {row[0]: row for row in cursor.fetchall()}
    # Which one is another is told: finding it is the server's own doing.
    changed = chat["messages"][-1]
    _, key, position, _ = held[changed["id"]]
    cursor.execute("SELECT ft, pt, text, part FROM chats_fragment WHERE message_id = %s", [key])
    before = cursor.fetchall()
    cursor.execute("DELETE FROM chats_fragment WHERE message_id = %s", [key])
    cursor.execute("DELETE FROM chats_message WHERE id = %s", [key])
    _insert_message(cursor, pk, position, changed)
    _touch(cursor, pk)
    if journal:
        _journal(cursor, "replace chat", uid, content_hash, json.dumps(before))
    return json.dumps(chat | {"_server": {"revision": revision + 1}})


def _insert_message(cursor: Any, pk: int, position: int, message: dict[str, Any]) -> int:
    cursor.execute(
        "INSERT INTO chats_message (conversation_id, uid, position, role, created, content_hash) "
        "VALUES (%s, %s, %s, %s, %s, %s)",
        [pk, message["id"], position, message["role"], message["created"], "0" * 32],
    )
    key = int(cursor.lastrowid)
    for at, fragment in enumerate(message["fragments"]):
        part = fragment["part"]
        cursor.execute(
            "INSERT INTO chats_fragment (message_id, position, fid, ft, pt, text, part) "
            "VALUES (%s, %s, %s, %s, %s, %s, '{}')",
            [key, at, fragment["fId"], fragment["ft"], part["pt"], part.get("text")],
        )
    return key


def _touch(cursor: Any, pk: int) -> None:
    cursor.execute(
        "UPDATE chats_conversation SET updated = %s, content_hash = %s, revision = revision + 1 WHERE id = %s",
        [time.time_ns() // 1_000_000, uuid.uuid4().hex, pk],
    )


def _journal(cursor: Any, action: str, uid: str, content_hash: str, body: str) -> None:
    cursor.execute(
        "INSERT INTO stores_change (at, actor, source, request_id, action, summary, stores, record_count, size, "
        "duration_ms, is_purged) VALUES (%s, 'floor', 'api', '', %s, '', 'app-chats', 1, %s, 0, 0)",
        [time.strftime("%Y-%m-%d %H:%M:%S"), action, len(body)],
    )
    cursor.execute(
        "INSERT INTO stores_changedrecord (change_id, kind, uid, action, hash_before, hash_after, body) "
        "VALUES (%s, 'conversation', %s, 'updated', %s, %s, %s)",
        [cursor.lastrowid, uid, content_hash, uuid.uuid4().hex, body.encode()],
    )
    cursor.execute("UPDATE stores_storecounter SET revision = revision + 1 WHERE name = 'app-chats'")
