"""Key files swapped through a whole life: on a new machine, after a restore, lost and found again. Chats stay readable,
nothing sealed is lost, and each message says what is so."""

import json
from pathlib import Path

import pytest

from stores.records.keyfile import fingerprint_of
from tests.chats.talking import Talker
from tests.conftest import copy_environment
from tests.servers import manage, run_server

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

KEY, NEW, TYPED = (
    "sk-Provider0123456789abcdefGOOD",
    "sk-Another0123456789abcdefNEW1",
    "sk-proj-aB3dE5fG7hI9jK1lM3nO5pQ7",
)
SERVICE = {"id": "mine", "label": "Mine", "vId": "openai", "setup": {"oaiKey": KEY, "oaiHost": "http://127.0.0.1:9"}}
TEXT = f"Keep {TYPED} for me."


def put(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


def shown(key: bytes) -> str:
    return fingerprint_of(key.strip())[:8]


def export(environment: dict[str, str], name: str, status: int = 0) -> tuple[dict, str]:
    done = manage("export_store", name, "--with-secrets", environment=environment)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return json.loads(done.stdout), done.stderr


def check_refused(talker: Talker, *words: str) -> None:
    """Check that what needs the key file is refused with these words, and all else works."""
    record = SERVICE | {"id": "new", "setup": {"oaiKey": NEW}}
    for answer in (
        talker.send("POST", "/api/services", record),
        talker.send("POST", "/api/chats/talk/messages", {"role": "user", "fragments": [], "originId": NEW}),
        talker.send("POST", "/api/services/mine/refresh"),
    ):
        assert answer.status == 409, answer.text
        assert answer.json()["type"].endswith("#secrets-unreadable")
        assert all(word in answer.json()["detail"] for word in words), answer.json()
    ready = talker.send("GET", "/api/ready")
    assert all(word in ready.text for word in words)
    assert "Keep bigagi-secret:5pQ7 for me." in talker.send("GET", "/api/chats/talk", status=200).text
    assert talker.generate(talker.make_chat(), "bigagi-demo-echo")[-1].name == "done"


def check_well(environment: dict[str, str], talker: Talker) -> None:
    checks = {check["name"]: check["state"] for check in talker.send("GET", "/api/ready").json()["checks"]}
    assert checks["key_file"] == "ok"
    [service] = [one for one in export(environment, "app-models")[0]["state"]["sources"] if one["id"] == "mine"]
    assert service["setup"] == SERVICE["setup"]
    assert TEXT in json.dumps(export(environment, "app-chats")[0])


def test_key_files_are_swapped_through_a_whole_life(first_start, tmp_path: Path):
    backup = tmp_path / "backup"
    with copy_environment(first_start, tmp_path / "old") as old, run_server(old) as server:
        right = (server.data_dir / "secrets.key").read_bytes()
        talker = Talker(server)
        talker.send("POST", "/api/services", SERVICE, 201)
        message = {"role": "user", "fragments": [fragment(TEXT)]}
        talker.send("POST", "/api/chats", {"id": "talk", "messages": [message]}, 201)
        check_well(old, talker)
        assert manage("backup", "--to", str(backup), environment=old).returncode == 0

    with copy_environment(first_start, tmp_path / "new") as new:
        path = Path(new["BIGAGI_DATA_DIR"], "secrets.key")
        path.unlink()
        # A new machine: its first start makes a key file of its own, and the old machine's data comes afterwards.
        with run_server(new) as server:
            other = path.read_bytes()
            assert other != right and "Warning" not in "".join(server.output)
        [made] = [backup] if (backup / "manifest.json").exists() else sorted(backup.iterdir())
        done = manage("restore", str(made), environment=new)
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"{path} does not match" in done.stdout and "Put back" in done.stdout

        with run_server(new) as server:
            warned = "".join(server.output)
            assert f"{path} does not match" in warned and shown(right) in warned and shown(other) in warned
            talker = Talker(server)
            check_refused(talker, f"{path} does not match", shown(right), "forget_secrets")
            models, told = export(new, "app-models", 1)
            assert models["state"]["sources"][0]["setup"]["oaiKey"] == "bigagi-secret:GOOD"
            assert "1 secret could not be read" in told and "mine" in told
            chats, told = export(new, "app-chats", 1)
            assert "Keep bigagi-secret:5pQ7 for me." in json.dumps(chats) and "in talk." in told

            path.unlink()
            check_refused(talker, f"{path} is missing", "forget_secrets")
            put(path, b"")
            check_refused(talker, f"{path} is damaged", "forget_secrets")

            # Whoever has both puts both into one file, in whatever order.
            put(path, other + right)
            check_well(new, talker)
            put(path, right)
            check_well(new, talker)
            talker.send("POST", "/api/services", SERVICE | {"id": "new", "setup": {"oaiKey": NEW}}, 201)

        # Lost for good, as it seems: nothing is deleted.
        path.unlink()
        told = manage("forget_secrets", environment=new).stdout
        assert "3 of 3 stored secrets cannot be read" in told and "--yes" in told
        assert not path.exists()
        told = manage("forget_secrets", "--yes", environment=new).stdout
        assert "3 stored secrets cannot be read with it. They stay encrypted" in told
        lost_for = path.read_bytes()
        with run_server(new) as server:
            assert "Warning" not in "".join(server.output)
            talker = Talker(server)
            answer = talker.send("POST", "/api/services/mine/refresh", status=409).json()
            assert "Or enter the key of the service again." in answer["detail"]
            talker.send("PATCH", "/api/services/new", {"setup": {"oaiKey": KEY}}, 200)
            # Found again.
            put(path, lost_for + right)
            check_well(new, talker)


def fragment(text: str) -> dict:
    return {"ft": "content", "fId": "abcdefgh", "part": {"pt": "text", "text": text}}
