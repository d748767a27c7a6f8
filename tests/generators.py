"""Files like those that big-AGI writes, at any size, made from the facts in `bigagi-format.md`.

The same arguments make the same bytes. Files are written as a stream, so that a gigabyte needs little memory: each chat
and each image is made from the seed and its number alone.
"""

import base64
import io
import json
import random
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from PIL import Image

from tests.generated_messages import make_message, make_old_message
from tests.generated_stores import BASE_TIME, make_id, make_stores

JSONObject = dict[str, Any]

TAKEN_AT = "2026-11-21T19:17:33.684Z"
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")


def encode(value: Any, indent: int | None = None) -> str:
    """Return JSON text as JavaScript writes it: only lone surrogates are escaped."""
    separators = (",", ":") if indent is None else None
    text = json.dumps(value, ensure_ascii=False, separators=separators, indent=indent)
    return _LONE_SURROGATES.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


# --- chats ---


def make_conversation(
    seed: int, index: int, messages: int = 21, images: int = 0, *, is_old: bool = False
) -> JSONObject:
    """Return the chat of this number: a system message, then questions and answers in turn.

    With `images`, some of its attachments name one of so many images. `is_old`: messages of before big-AGI's v4.
    """
    rng = random.Random(f"{seed}/{index}")
    # The list has the newest first.
    created = BASE_TIME + 10**10 - index * 3_600_000
    chat: JSONObject = {"id": make_id(seed, "chat", index)}
    if index % 7 == 3:
        chat["userTitle"] = f"Café № {index} — {rng.choice(('Storage', '倉庫', 'хранение'))} 🗄️"
    if index % 11 != 5:
        chat["autoTitle"] = f"{'(1) ' if index % 13 == 4 else ''}Talk {index} about {rng.choice(('logs', 'soup', 'π'))}"
    if index % 9 == 2:
        chat["isArchived"] = True
    if index % 17 == 6:
        chat["userSymbol"] = "🐈"
    chat["systemPurposeId"] = rng.choice(("Generic", "DeveloperPreview", "Custom", "Scientist"))
    make = make_old_message if is_old else make_message
    image = make_id(seed, "image", index % images) if images else None
    chat["messages"] = [
        make(rng, at, id=make_id(seed, index, at), created=created + at * 1000, image=image, is_last=at == messages - 1)
        for at in range(messages)
    ]
    chat["created"] = created
    chat["updated"] = None if index % 19 == 8 else created + messages * 1000
    chat["tokenCount"] = sum(message["tokenCount"] for message in chat["messages"])
    return chat


def make_conversations(
    conversations: int, messages: int = 21, seed: int = 1, images: int = 0, *, old_every: int = 50
) -> Iterator[JSONObject]:
    """Yield chats, newest first; every `old_every`th is of before v4 (0: none)."""
    for index in range(conversations):
        is_old = bool(old_every) and index % old_every == old_every - 1
        yield make_conversation(seed, index, messages, images, is_old=is_old)


# --- images ---


def make_asset(seed: int, index: int, side: int = 48) -> JSONObject:
    """Return the entry of an image in `largeAssets`: a noisy square PNG of about 3 × side² bytes."""
    rng = random.Random(f"{seed}/image/{index}")
    file = io.BytesIO()
    Image.frombytes("RGB", (side, side), rng.randbytes(3 * side * side)).save(file, "PNG")
    uid = make_id(seed, "image", index)
    value = {
        "id": uid,
        "assetType": "image",
        "label": f"noise {index} 🐈.png",
        "data": {"base64": base64.b64encode(file.getvalue()).decode(), "mimeType": "image/png"},
        "origin": {"ot": "user", "source": "attachment", "media": "file-open", "fileName": f"noise-{index}.png"},
        "createdAt": "2026-11-21T19:12:06.747Z",
        "updatedAt": "2026-11-21T19:12:06.747Z",
        "metadata": {"width": side, "height": side, "averageColor": None},
        "contextId": "global",
        "scopeId": "app-chat",
        "cache": {},
    }
    return {"key": uid, "value": value}


# --- files ---


def write_flash_backup(
    path: Path,
    conversations: int = 2000,
    messages: int = 21,
    seed: int = 1,
    pretty: bool = False,
    images: int = 0,
    image_side: int = 48,
    taken_at: str = TAKEN_AT,
) -> None:
    """Write a full flash backup; 2,000 chats of 21 messages are about 100 MB."""
    first = [make_id(seed, "chat", index) for index in range(min(conversations, 20))]
    write_backup(
        path,
        make_conversations(conversations, messages, seed, images),
        stores=make_stores(seed, first),
        assets=(make_asset(seed, index, image_side) for index in range(images)) if images else None,
        pretty=pretty,
        taken_at=taken_at,
    )


def write_backup(
    path: Path,
    chats: Iterable[JSONObject] | None,
    *,
    stores: JSONObject | None = None,
    assets: Iterable[JSONObject] | None = None,
    pretty: bool = False,
    taken_at: str = TAKEN_AT,
    entries: Iterable[JSONObject] = (),
) -> None:
    """Write a flash backup of these chats, stores and entries of `largeAssets`; None leaves that part out.

    `entries` are further entries of the chats' database, as of `app-chats-v3`.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        write = _Layout(file, pretty)
        write.open("{")
        write.member("schema", "vnd.agi.flash-backup")
        write.member("schemaVersion", 102000)
        write.member("tenantSlug", "open")
        metadata = {"version": "1.2", "timestamp": taken_at, "application": "Big-AGI", "backupType": "full"}
        write.member("metadata", metadata)
        write.open("{", "storage")
        write.member("localStorage", stores or {})
        write.open("{", "indexedDB")
        if assets is not None:
            write.open("{", "Big-AGI")
            write.open("[", "largeAssets")
            for asset in assets:
                write.element(asset)
            write.close("]", "}")
        write.open("{", "keyval-store")
        write.open("[", "keyval")
        for entry in entries:
            write.element(entry)
        if chats is not None:
            write.open("{")
            write.member("key", "app-chats")
            write.string("value", _chats_text(chats))
            write.close("}")
        write.close("]", "}", "}", "}", "}")


def write_all_chats(path: Path, chats: Iterable[JSONObject], stores: JSONObject) -> None:
    """Write the export of all chats, which drops archive flags, symbols, token counts and images (§ 2)."""
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write('{"conversations":[')
        for at, chat in enumerate(chats):
            file.write("," * bool(at) + encode(carried_by_exports(chat)))
        sources = stores["app-models"]["state"]["sources"]
        file.write(f'],"models":{encode({"sources": sources})},"folders":{encode(stores["app-folders"]["state"])}}}')


def write_one_chat(path: Path, chat: JSONObject) -> None:
    """Write the export of one chat (§ 2)."""
    path.write_text(encode(carried_by_exports(chat)), encoding="utf-8")


def carried_by_exports(chat: JSONObject) -> JSONObject:
    """Return the chat without what exports of chats drop (§ 2)."""
    return {key: value for key, value in chat.items() if key not in ("isArchived", "userSymbol", "tokenCount")}


def _chats_text(chats: Iterable[JSONObject]) -> Iterator[str]:
    yield '{"state":{"conversations":['
    for at, chat in enumerate(chats):
        yield "," * bool(at) + encode(chat)
    yield ']},"version":4}'


class _Layout:
    """Writes JSON member by member, compact or as `JSON.stringify(…, null, 2)` lays it out."""

    def __init__(self, file: TextIO, pretty: bool) -> None:
        self._write: Callable[[str], object] = file.write
        self._pretty = pretty
        self._counts: list[int] = []

    def _start(self, key: str) -> None:
        if self._counts:
            self._write("," if self._counts[-1] else "")
            self._counts[-1] += 1
            self._break()
        if key:
            self._write(encode(key) + (": " if self._pretty else ":"))

    def _break(self) -> None:
        if self._pretty:
            self._write("\n" + "  " * len(self._counts))

    def open(self, bracket: str, key: str = "") -> None:
        self._start(key)
        self._write(bracket)
        self._counts.append(0)

    def close(self, *brackets: str) -> None:
        for bracket in brackets:
            if self._counts.pop():
                self._break()
            self._write(bracket)

    def member(self, key: str, value: Any) -> None:
        self._start(key)
        text = encode(value, 2 if self._pretty else None)
        self._write(text.replace("\n", "\n" + "  " * len(self._counts)))

    def element(self, value: Any) -> None:
        self.member("", value)

    def string(self, key: str, pieces: Iterable[str]) -> None:
        """Write a member whose value is one long string."""
        self._start(key)
        self._write('"')
        for piece in pieces:
            self._write(encode(piece)[1:-1])
        self._write('"')
