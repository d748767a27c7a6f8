"""Files that people try to import, each with what an import must say of it and show of it afterwards."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests import generators

JSONObject = dict[str, Any]
Shown = dict[str, list[str]]


@dataclass
class Case:
    """`status` is the command's exit status; of a file that is refused, `says` stands in the reason."""

    content: bytes
    says: tuple[str, ...]
    status: int = 0
    shows: Shown = field(default_factory=dict)
    recovers: bool = False


def message(text: str, uid: Any = None, role: str = "user", **members: Any) -> JSONObject:
    fragment = {"ft": "content", "fId": "f1", "part": {"pt": "text", "text": text}}
    named = {} if uid is None else {"id": uid}
    return {**named, "role": role, "fragments": [fragment], "tokenCount": 2, "created": 5, "updated": None, **members}


def chat(uid: Any, title: str, *texts: str, **members: Any) -> JSONObject:
    """Return a chat as big-AGI writes it; with `uid` None it has no id."""
    named = {} if uid is None else {"id": uid}
    messages = [message(text, f"{uid}-{at}") for at, text in enumerate(texts)]
    rest = {"systemPurposeId": "Generic", "autoTitle": title, "created": 5, "updated": 1_700_000_000_000}
    return {**named, "messages": messages, **rest, **members}


def image(uid: str, label: str) -> JSONObject:
    data = {"mimeType": "image/png", "base64": "iVBORw0KGgo="}
    return {"id": uid, "contextId": "global", "assetType": "image", "label": label, "data": data}


def encode(value: Any) -> bytes:
    return json.dumps(value).encode()


def flash(
    chats: list[JSONObject], *, copy: list[JSONObject] | None = None, older: list[JSONObject] | None = None
) -> bytes:
    """Return a flash backup with these chats, with a recovery copy, and with chats in localStorage."""
    entries = [{"key": "app-chats", "value": json.dumps({"state": {"conversations": chats}, "version": 4})}]
    if copy is not None:
        text = json.dumps({"state": {"conversations": copy}, "version": 3})
        entries.append({"key": "app-chats-v3", "value": text})
    stores: JSONObject = {"app-ui": {"state": {}, "version": 3}}
    if older is not None:
        stores["app-chats"] = {"state": {"conversations": older}, "version": 2}
    metadata = {"version": "1.2", "timestamp": generators.TAKEN_AT, "application": "Big-AGI", "backupType": "full"}
    storage = {"localStorage": stores, "indexedDB": {"keyval-store": {"keyval": entries}}}
    return encode({"schema": "vnd.agi.flash-backup", "schemaVersion": 102000, "metadata": metadata, "storage": storage})


def with_text(content: bytes, old: str, new: str) -> bytes:
    """Return the file with one place in it changed."""
    assert content.count(old.encode()) == 1, old
    return content.replace(old.encode(), new.encode())


def with_chats(value: Any, *, before_key: bool = False, older: Any = None) -> bytes:
    """Return a flash backup whose IndexedDB has this value for its chats, and localStorage that one."""
    entry = {"value": value, "key": "app-chats"} if before_key else {"key": "app-chats", "value": value}
    backup = json.loads(flash([]))
    backup["storage"]["indexedDB"]["keyval-store"]["keyval"] = [entry]
    if older is not None:
        backup["storage"]["localStorage"]["app-chats"] = older
    return encode(backup)


def zipped(**files: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("_", "."), content)
    return held.getvalue()


def whole(content: bytes, shows: Shown) -> Case:
    chats, messages = len(shows), sum(map(len, shows.values()))
    told = [f"{count} {noun}{'' if count == 1 else 's'}" for count, noun in ((chats, "chat"), (messages, "message"))]
    return Case(content, (f"{', '.join(told)}: all here, verified.",), shows=shows)


def refused(content: bytes, *says: str) -> Case:
    return Case(content, says, status=2)


def lines(*values: Any) -> bytes:
    return b"\n".join(map(encode, values)) + b"\n"


def make_cases(name: str) -> dict[str, Case]:
    """Return all cases; the ids and titles of their chats begin with the name, so that they can share a database."""
    a, b = chat(f"{name}a", f"{name} Soup", "one", "two"), chat(f"{name}b", f"{name} Logs", "three")
    both = {f"{name} Soup": ["one", "two"], f"{name} Logs": ["three"]}
    soup, logs = {f"{name} Soup": both[f"{name} Soup"]}, {f"{name} Logs": both[f"{name} Logs"]}
    one = encode(a)
    nameless = a | {"messages": [message("one"), message("two"), message("two", 7)]}
    twice = a | {"messages": [*a["messages"], message("three", f"{name}a-0")]}
    twin = chat(f"{name}a", f"{name} Twin", "another")
    v3 = {
        "id": f"{name}v3",
        "messages": [{"id": "m", "sender": "You", "role": "user", "text": "of old", "created": 1, "updated": 2}],
        "systemPurposeId": "Developer",
        "autoTitle": f"{name} Old",
        "created": 1,
        "updated": 2,
    }
    damaged = a | {"messages": [*a["messages"], None]}
    more = chat(f"{name}a", f"{name} More", "one", "two", "three")
    unlike = {key: a[key] for key in reversed(a)}
    with_key = chat(None, f"{name} Soup", "one", "use sk-proj-" + "a1B2" * 10)
    held = {"state": {"conversations": [a]}, "version": 4}
    shown_more = {f"{name} More": ["one", "two", "three"]}
    makers: dict[str, Callable[[], Case]] = {
        "one chat": lambda: whole(one, soup),
        "one chat a line": lambda: whole(lines(a, b), both),
        "a line that is no chat": lambda: Case(
            lines(a, {"event": "login"}), ("not all here", "Here: 1 chat, 2 messages.", "Not read: 1 part"), 1, soup
        ),
        "text after the end": lambda: Case(one + b" and more", ("not all here", "Not read: 1 part"), 1, soup),
        "a second document": lambda: Case(
            flash([a]) + flash([b]), ("Here: 1 chat, 2 messages.", "Not read: 1 part"), 1, soup
        ),
        "gzip": lambda: whole(gzip.compress(flash([a, b])), both),
        "zip": lambda: whole(zipped(chat_json=one, readme_txt=b"hello"), soup),
        "zip of two": lambda: refused(zipped(a_json=one, b_json=one), "2 files", "unpack it first"),
        "broken gzip": lambda: refused(gzip.compress(flash([a]))[:-30], "unpack it first"),
        "7z": lambda: refused(b"7z\xbc\xaf\x27\x1c" + b"\0" * 40, "compressed", "unpack it first"),
        "UTF-16": lambda: refused(one.decode().encode("utf-16"), "UTF-16", "UTF-8"),
        "Markdown": lambda: refused(b"# Soup\n\n## You\n\nhello\n", "Markdown", "as JSON"),
        "a web page": lambda: refused(b"<!doctype html><p>hello", "web page"),
        "a list of chats": lambda: refused(encode([a, b]), "list of big-AGI's chats", '{"conversations":'),
        "ChatGPT": lambda: refused(encode([{"title": "t", "create_time": 1.5, "mapping": {}}]), "ChatGPT"),
        "Claude": lambda: refused(encode([{"uuid": "u", "name": "n", "chat_messages": []}]), "Claude"),
        "LibreChat": lambda: refused(
            encode({"conversationId": "x", "title": "t", "messages": [{"messageId": "m", "text": "hi"}]}), "LibreChat"
        ),
        "Open WebUI": lambda: refused(encode([{"id": "i", "user_id": "u", "title": "t", "chat": {}}]), "Open WebUI"),
        "TypingMind": lambda: refused(encode({"data": {"chats": []}, "checksum": "c"}), "TypingMind"),
        "messages for an API": lambda: refused(
            encode({"id": "x", "messages": [{"role": "user", "content": "hi"}]}), "not in big-AGI's format"
        ),
        "chats of another program": lambda: refused(
            encode({"conversations": [{"id": 1, "turns": []}]}), "not from big-AGI"
        ),
        "Latin-1": lambda: Case(
            encode(a | {"autoTitle": "?"}).replace(b"?", b"\xe9"), ("not all here", "Damaged: 1 chat"), 1
        ),
        "a trailing comma": lambda: Case(one[:-1] + b",}", ("not all here", "Damaged: 1 chat"), 1),
        "NaN": lambda: Case(one.replace(b'"tokenCount": 2', b'"tokenCount": NaN'), ("Damaged: 1 chat",), 1),
        "messages without a usable id": lambda: whole(encode(nameless), {f"{name} Soup": ["one", "two", "two"]}),
        "a message id twice": lambda: whole(encode(twice), {f"{name} Soup": ["one", "two", "three"]}),
        "a number for a chat's id": lambda: whole(flash([a | {"id": len(name) * 1000 + 17}]), soup),
        "a chat without an id": lambda: whole(flash([chat(None, f"{name} Soup", "one", "two")]), soup),
        "a chat id twice": lambda: whole(flash([a, twin]), soup | {f"{name} Twin": ["another"]}),
        "a chat twice": lambda: whole(flash([a, b, a]), both),
        "a damaged message": lambda: Case(
            encode(damaged),
            ("1 chat, 3 messages: not all here.", "Here: 1 chat, 2 messages.", "Damaged: 1 message"),
            1,
            soup,
        ),
        "a recovery copy": lambda: Case(
            flash([a], copy=[v3, a]), ("not all here", "1 chat has messages that are only in", "--recover"), 1, soup
        ),
        "a recovery copy, recovered": lambda: Case(
            flash([a], copy=[v3, a]),
            ("2 chats, 3 messages: all here, verified.",),
            shows=soup | {f"{name} Old": ["of old"]},
            recovers=True,
        ),
        "a recovery copy of nothing else": lambda: whole(flash([a, b], copy=[a]), both),
        "older chats in localStorage": lambda: Case(
            flash([a], older=[a | {"autoTitle": "Older"}, b]),
            ("Here: 1 chat, 2 messages.", "1 chat has messages that are only in"),
            1,
            soup,
        ),
        "chats in localStorage alone": lambda: whole(
            flash([], older=[b]).replace(b'"key": "app-chats"', b'"key": "other"'), logs
        ),
        "chats that are cut inside a whole file": lambda: Case(
            flash([a, b]).replace(b', \\"version\\": 4}', b""),
            ("Here: 2 chats, 3 messages.", "Not read: 1 part"),
            1,
            both,
        ),
        "models that are no object": lambda: Case(
            encode({"conversations": [a], "models": "x"}), ("Here: 1 chat, 2 messages.", "Not read: 1 part"), 1, soup
        ),
        "a chat twice, with its members in another order": lambda: whole(flash([a, unlike]), soup),
        "a damaged chat before the one with its id": lambda: Case(
            flash([a | {"messages": None}, a]), ("Here: 1 chat, 2 messages.", "Damaged: 1 chat"), 1, soup
        ),
        "a chat without an id and with an API key": lambda: whole(
            flash([with_key]), {f"{name} Soup": ["one", "use bigagi-secret:a1B2"]}
        ),
        "a recovery copy that says more": lambda: Case(
            flash([a], copy=[more]), ("Here: 1 chat, 2 messages.", "1 chat has messages that are only in"), 1, soup
        ),
        "a recovery copy that says more, recovered": lambda: Case(
            flash([a], copy=[more, more | {"autoTitle": f"{name} Again"}]),
            ("3 chats, 8 messages: all here, verified.",),
            shows=soup | shown_more | {f"{name} Again": shown_more[f"{name} More"]},
            recovers=True,
        ),
        "a recovery copy that cannot be read": lambda: Case(
            with_text(flash([a], copy=[b]), ', \\"version\\": 3}', ""),
            ("Here: 1 chat, 2 messages.", "Damaged: 1 store"),
            1,
            soup,
        ),
        "chats as an object": lambda: whole(with_chats(held), soup),
        "chats before their key": lambda: whole(with_chats(held, before_key=True), soup),
        "chats as text before their key": lambda: whole(with_chats(json.dumps(held), before_key=True), soup),
        "chats as text in localStorage alone": lambda: whole(
            encode({"storage": {"localStorage": {"app-chats": json.dumps(held)}}}), soup
        ),
        "chats twice in localStorage": lambda: Case(
            b'{"storage": {"localStorage": {"app-chats": %s, "app-chats": %s}}}'
            % (encode(held), encode({"state": {"conversations": [b]}, "version": 4})),
            ("Here: 1 chat, 2 messages.", "1 chat has messages that are only in"),
            1,
            soup,
        ),
        "older chats as text in localStorage": lambda: Case(
            with_chats(json.dumps({"state": {"conversations": [b]}, "version": 4}), older=json.dumps(held)),
            ("Here: 1 chat, 1 message.", "1 chat has messages that are only in"),
            1,
            logs,
        ),
        "text behind the chats": lambda: Case(
            with_chats(json.dumps(held) + ' {"more": 1}'), ("Here: 1 chat, 2 messages.", "Not read: 1 part"), 1, soup
        ),
        "an unknown part of the storage": lambda: Case(
            with_text(flash([a]), '"localStorage"', '"cookies": {"a": 1}, "localStorage"'),
            ("Here: 1 chat, 2 messages.", "Not read: 1 part"),
            1,
            soup,
        ),
        "an unknown part of the backup": lambda: Case(
            with_text(flash([a]), '"schemaVersion"', '"drafts": [1], "schemaVersion"'),
            ("Here: 1 chat, 2 messages.", "Not read: 1 part"),
            1,
            soup,
        ),
        "chats beside a storage": lambda: Case(
            encode({"conversations": [a], "storage": {"localStorage": {}}}),
            ("Here: 1 chat, 2 messages.", "Not read: 1 part"),
            1,
            soup,
        ),
        "another program's chat on a line": lambda: Case(
            lines(a, {"id": "x", "messages": [{"role": "user", "content": "hi"}]}),
            ("Here: 1 chat, 2 messages.", "Not read: 1 part"),
            1,
            soup,
        ),
        "no chats": lambda: Case(encode({"conversations": []}), ("The file has no chats.",)),
        "chats for an API": lambda: refused(
            encode({"conversations": [{"id": "1", "title": "t", "messages": [{"role": "user", "content": "hi"}]}]}),
            "not from big-AGI",
        ),
        "images with one id": lambda: Case(
            with_text(
                flash([a]),
                '"keyval-store":',
                '"Big-AGI": {"largeAssets": '
                + json.dumps([{"key": f"{name}i", "value": image(f"{name}i", label)} for label in ("1", "2", "2", "1")])
                + '}, "keyval-store":',
            ),
            ("1 chat, 2 messages, 2 images: not all here", "Here: 1 chat, 2 messages, 1 image.", "Damaged: 1 image"),
            1,
            soup,
        ),
        "a folder with a damaged entry": lambda: Case(
            encode({"conversations": [a], "folders": {"folders": [{"id": "f", "conversationIds": [5, f"{name}a"]}]}}),
            ("Here: 1 chat, 2 messages.", "Damaged: 1 entry of a list"),
            1,
            soup,
        ),
        "folders that are null": lambda: whole(encode({"conversations": [a], "folders": None}), soup),
        "UTF-32": lambda: refused(one.decode().encode("utf-32"), "UTF-32", "UTF-8"),
        "gzip in gzip": lambda: refused(gzip.compress(gzip.compress(one)), "unpack it first"),
        "an empty zip": lambda: refused(zipped(), "empty archive"),
        "a storage of another program": lambda: refused(encode({"storage": {"disk": 1}}), "not from big-AGI"),
        "a schema of another program": lambda: refused(encode({"schema": "magic", "items": []}), "not from big-AGI"),
        "a cut file": lambda: Case(
            flash([a, b])[: flash([a, b]).index(b"three")],
            ("Here: 1 chat, 2 messages.", "Not read: 1 part", "The file is cut"),
            1,
            soup,
        ),
    }
    return {title: make() for title, make in makers.items()}


NAMES = tuple(make_cases("x"))
