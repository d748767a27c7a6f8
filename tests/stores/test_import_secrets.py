"""A key in any place of an imported file is found nowhere on disk and in no output, except encrypted."""

import copy
import json
import re
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests import generators
from tests.servers import REPOSITORY, execute
from tests.stores.imports import JSONObject, continued, make_chats, typed, write_backup

pytestmark = pytest.mark.slow

LATER = "2027-01-01T00:00:00.000Z"
CANARY = "cAnArY"
_SEED = re.compile(f"{CANARY}\\d{{3}}")


class Seeds:
    """Makes secrets that can be told apart, and remembers where each was put."""

    def __init__(self, first: int = 0) -> None:
        self.places: list[str] = []
        self._first = first

    def make(self, place: str, shape: str = "{}") -> str:
        self.places.append(place)
        return shape.format(f"{CANARY}{self._first + len(self.places):03}xyz")


def seed_stores(seeds: Seeds) -> JSONObject:
    """Return stores with a secret in each place of `bigagi-format.md` § 5."""
    make = seeds.make
    setups = {
        key: make(f"setup {key}")
        for key in (
            *(
                "oaiKey",
                "anthropicKey",
                "azureKey",
                "bedrockBearerToken",
                "bedrockAccessKeyId",
                "bedrockSecretAccessKey",
            ),
            *("geminiKey", "MISTRALKEY", "clientSecret", "sessionToken", "bedrockSessionToken"),
        )
    }
    in_url = {
        "user and password": f"https://{make('user')}:{make('password')}@host.example/v1",
        "query": f"https://host.example/v1?a={make('query')}&b={make('second of query')}#top",
        "no scheme": f"{make('user without scheme')}:{make('password without scheme')}@host.example",
    }
    return {
        "app-models": {
            "state": {
                "sources": [
                    {"id": "openai", "label": "OpenAI", "vId": "openai", "setup": setups},
                    *(
                        {"id": f"hosted-{at}", "label": name, "vId": "localai", "setup": {"localAIHost": url}}
                        for at, (name, url) in enumerate(in_url.items())
                    ),
                    {
                        "id": "azure",
                        "label": "",
                        "vId": "azure",
                        "setup": {"azureEndpoint": f"https://x?k={make('endpoint')}"},
                    },
                ],
                "llms": [
                    {"id": "openai-m", "sId": "openai", "initialParameters": {"apiKey": make("a model's parameter")}}
                ],
                "modelAssignments": {"primaryChat": {"modelId": None, "accessToken": make("an assignment")}},
                "confServiceId": None,
            },
            "version": 5,
        },
        "app-module-speex": _envelope(engines={"e": {"credentials": {"type": "key", "apiKey": make("speex")}}}),
        "app-module-asrx": _envelope(engines={"e": {"credentials": {"type": "key", "apiKey": make("asrx")}}}),
        "app-module-browse": _envelope(wssEndpoint=make("browse", "wss://x.example/?token={}")),
        "app-sharing": _envelope(chatLinkItems=[{"objectId": "o", "deletionKey": make("sharing")}]),
        "app-module-google-search": _envelope(
            googleCSEId=make("cse", "AIza{}"), googleCloudApiKey=make("google api key", "cx-{}")
        ),
        "app-folders": _envelope(
            folders=[{"id": "f", "title": "F", "conversationIds": [], "apiKey": make("a folder")}]
        ),
        "app-metrics": _envelope(serviceMetrics={"openai": {"usageCount": 1, "token": make("metrics")}}),
        "agi-live-file": _envelope(liveFiles={"l": {"id": "l", "name": "n", "content": _shaped(make, "a live file")}}),
        "app-of-tomorrow": _envelope(deep=[{"list": [{"authToken": [make("a list of tokens")]}]}]),
        "app-ui": {"state": {"enterToSend": False, "oldKey": make("what is converted")}, "version": 0},
        "bare-token": make("a bare value under a secret's name"),
    }


def _envelope(**state: Any) -> JSONObject:
    return {"state": state, "version": 0}


def _shaped(make: Any, place: str) -> str:
    return f"before {make(place, 'sk-{}0123456789abcdef')} after"


def seed_chat(seeds: Seeds, uid: str = "seeded") -> JSONObject:
    """Return a chat with keys of known shapes in its texts and secrets under their names in its parts."""
    make = seeds.make
    (chat,) = make_chats(1, messages=3, seed=77)
    chat |= {"id": uid, "userTitle": _shaped(make, "a title"), "vendorToken": make("a chat's unknown member")}
    question = chat["messages"][1]
    question["fragments"] += [
        {"ft": "content", "fId": "s1", "part": {"pt": "text", "text": _shaped(make, "a text")}},
        {"ft": "content", "fId": "s2", "part": {"pt": "text", "text": make("Google's shape", "AIza{}" + "0" * 23)}},
        {"ft": "content", "fId": "s3", "part": {"pt": "of_tomorrow", "apiKey": make("an unknown part")}},
        {"part": {"pt": "text", "apiKey": make("a damaged fragment")}},
    ]
    chat["messages"].append({"no": "id", "secret": make("a damaged message")})
    old = generators.make_conversation(78, 0, 2, is_old=True)["messages"]
    old[1] |= {"text": _shaped(make, "an old message"), "avatarToken": make("an old message's member")}
    chat["messages"] += old
    return chat


# --- looking everywhere ---


def search(folder: Path) -> dict[str, set[str]]:
    """Return for each place in a data folder the canaries found there, compressed columns and backups included."""
    found: dict[str, set[str]] = {}
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        _note(found, str(path.relative_to(folder)), path.read_bytes())
        if path.suffix == ".sqlite3":
            for place, value in _values(path):
                _note(found, f"{path.name}: {place}", value)
    return found


def _note(found: dict[str, set[str]], place: str, content: bytes) -> None:
    if canaries := set(_SEED.findall(content.decode("latin-1"))):
        found[place] = canaries


def _values(path: Path) -> Iterator[tuple[str, bytes]]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            cursor = connection.execute(f'SELECT * FROM "{table}"')
            names = [column[0] for column in cursor.description]
            for row in cursor:
                for name, value in zip(names, row, strict=True):
                    if isinstance(value, bytes):
                        yield f"{table}.{name}", _inflated(value)
                    elif isinstance(value, str):
                        yield f"{table}.{name}", value.encode("utf-8", "surrogatepass")


def _inflated(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value


RUN_ALL = """
import json, sys
from django.core.management import execute_from_command_line
for command in json.loads(sys.argv[1]):
    try:
        execute_from_command_line(["manage.py", *command])
    except SystemExit as ended:
        assert ended.code in (None, 0, 1), (command, ended.code)
    print("\\x00", flush=True)
"""
"""One process for all commands, since to start one takes longer than most of them."""


def run_each(environment: dict[str, str], *commands: tuple[str, ...]) -> list[str]:
    """Run commands one after the other; return what each printed, and at last what they said beside that."""
    own = {"DJANGO_SETTINGS_MODULE": "bigagi_site.settings"}
    done = subprocess.run(
        [sys.executable, "-c", RUN_ALL, json.dumps(commands)],
        cwd=REPOSITORY,
        env=environment | own,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    *printed, rest = done.stdout.split("\x00\n")
    assert len(printed) == len(commands) and not rest
    return [*printed, done.stderr]


def run_all(environment: dict[str, str], *commands: tuple[str, ...]) -> str:
    """Run commands, and return all that they printed."""
    return "".join(run_each(environment, *commands))


@pytest.fixture
def sqlite_only(started: dict[str, str]) -> dict[str, str]:
    if started.get("DATABASE_URL"):
        pytest.skip("the files of PostgreSQL are not searched")
    return started


def test_the_search_finds_what_it_looks_for(tmp_path: Path):
    with closing(sqlite3.connect(tmp_path / "some.sqlite3")) as connection:
        connection.execute("CREATE TABLE packed (body BLOB)")
        connection.execute("INSERT INTO packed VALUES (?)", [zlib.compress(f"{CANARY}001".encode() * 9)])
        connection.commit()
    (tmp_path / "some.log").write_text(f"key={CANARY}002")
    assert search(tmp_path) == {"some.log": {f"{CANARY}002"}, "some.sqlite3: packed.body": {f"{CANARY}001"}}


def test_a_secret_of_any_place_is_only_here_encrypted(sqlite_only: dict[str, str], tmp_path: Path):
    environment = sqlite_only
    folder = Path(environment["BIGAGI_DATA_DIR"])
    seeds = Seeds()
    stores, chat = seed_stores(seeds), seed_chat(seeds)
    copies = [{"key": "app-chats-v3", "value": json.dumps({"state": {"conversations": [seed_chat(seeds, "v3")]}})}]
    first = write_backup(tmp_path / "first.json", [chat, *make_chats(2)], stores=stores, entries=copies)
    told = run_all(
        environment,
        ("import_indexeddb", str(first)),
        ("import_indexeddb", "--dry-run", "--json", str(first)),
        ("import_indexeddb", "--json", str(first)),
        ("verify_migration", str(first)),
        ("verify_migration", "--json", str(first)),
        ("migration_status", "1", "--format", "markdown"),
        ("migration_status", "1", "--format", "json"),
        *(("export_store", name) for name in (*stores, "app-chats")),
        ("export_store", "app-ui", "--original"),
    )
    assert search(folder) == {}
    assert _SEED.findall(told) == []

    exports = run_each(environment, *(("export_store", "--with-secrets", name) for name in stores))
    for (name, value), given in zip(stores.items(), exports, strict=False):
        expected = {"state": {**value["state"]}, "version": 3} if name == "app-ui" else value
        if name == "app-ui":
            assert json.loads(given)["state"]["oldKey"] == expected["state"]["oldKey"]
        else:
            assert typed(json.loads(given)) == typed(value), name
    original = run_all(environment, ("export_store", "--with-secrets", "--original", "app-ui"))
    assert typed(json.loads(original)) == typed(stores["app-ui"])
    given = json.loads(run_all(environment, ("export_store", "--with-secrets", "app-chats")))
    here = next(one for one in given["state"]["conversations"] if one["id"] == "seeded")
    assert typed(here["messages"][:4]) == typed(chat["messages"][:4])
    assert here["userTitle"] == chat["userTitle"]


def test_a_secret_in_what_is_kept_beside_the_records_is_only_here_encrypted(
    sqlite_only: dict[str, str], tmp_path: Path
):
    environment = sqlite_only
    folder = Path(environment["BIGAGI_DATA_DIR"])
    stores, chats = generators.make_stores(1, []), make_chats(2)
    first = write_backup(tmp_path / "first.json", chats, stores=stores)
    run_all(environment, ("import_indexeddb", str(first)))
    # Of what differs from the file, the file's state is kept as a revision, and then merged.
    execute(environment, "UPDATE chats_conversation SET user_title = 'mine', content_hash = 'mine'")
    execute(environment, "UPDATE stores_store SET content_hash = 'mine'")
    seeds = Seeds(100)
    changed = copy.deepcopy(stores) | {
        "app-ui": {"state": {"newToken": seeds.make("a source that is kept")}, "version": 3}
    }
    # One message fewer, and another one: none of the chat's states is the beginning of the other.
    fewer = [chat | {"messages": chat["messages"][1:]} for chat in chats]
    theirs = [continued(chat, _shaped(seeds.make, "a chat that is kept")) for chat in fewer]
    second = write_backup(tmp_path / "second.json", theirs, stores=changed, taken_at=LATER)
    imports = [("import_indexeddb", "--strategy", strategy, str(second)) for strategy in ("ours", "merge")]
    told = run_all(environment, *imports, ("verify_migration", "--json", str(second)))
    kept = execute(environment, "SELECT kind FROM stores_revision WHERE reason = 'source'")
    assert {("store",), ("conversation",)} <= set(kept)
    assert search(folder) == {}
    assert _SEED.findall(told) == []


@pytest.mark.parametrize(
    ("what", "old", "new"),
    [
        ("a cut in a chat's key", "", ""),
        ("damage in a store", '"version":5', '"version":5 5'),
        ("damage in a chat", '\\"role\\":\\"user\\"', '\\"role\\":\\"user'),
        ("damage to a key's own quote", 'xyz"', 'xyz""'),
        ("bytes that are no text", '"credentials"', '"credent\x00ials"'),
        ("too deep", '"confServiceId":null', '"confServiceId":' + "[" * 2000 + "]" * 2000),
    ],
)
def test_a_secret_in_damaged_text_is_only_here_encrypted(
    sqlite_only: dict[str, str], tmp_path: Path, what: str, old: str, new: str
):
    environment = sqlite_only
    seeds = Seeds()
    path = write_backup(tmp_path / "backup.json", [seed_chat(seeds)], stores=seed_stores(seeds))
    text = path.read_text(encoding="utf-8")
    if old:
        assert old in text
        text = text.replace(old, new)
    else:
        place = text.rindex(CANARY) + len(CANARY) + 3
        text = text[:place]
    path.write_text(text, encoding="utf-8")
    told = run_all(environment, ("import_indexeddb", str(path)), ("verify_migration", "--json", str(path)))
    assert search(Path(environment["BIGAGI_DATA_DIR"])) == {}, what
    assert _SEED.findall(told) == [], what
