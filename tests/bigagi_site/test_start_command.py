import json
import os
import pty
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import skip_unless_ci
from tests.servers import REPOSITORY, Client, execute, manage, run_server


def test_the_first_start_signs_in_says_where_the_data_lies_and_keeps_it_private(environment):
    with run_server(environment) as server:
        home = Client(server.url).get(server.link, follow=True)
        assert (home.status, home.url) == (200, f"{server.url}/")
        assert str(server.data_dir) in home.text
        said = "".join(server.output)
        assert f"Data:     {server.data_dir}\n" in said
        assert f"{server.data_dir / 'secrets.key'}" in said
        assert _mode(server.data_dir) == 0o700
        assert _mode(server.data_dir / "secret_key") == 0o600
        assert _mode(server.data_dir / "secrets.key") == 0o600
        if "DATABASE_URL" not in environment:
            assert _mode(server.data_dir / "bigagi.sqlite3") == 0o600


def _mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_second_start_signs_in_again_and_knows_the_first_session(started):
    with run_server(started) as server:
        client = server.sign_in()
        assert server.stop() == 0
    with run_server(started) as server:
        assert server.sign_in().get("/").status == 200
        client.url = server.url
        assert client.get("/").status == 200, "the key file was made anew"
        assert execute(started, "SELECT username FROM auth_user") == [("owner",)]


@pytest.mark.any_database
def test_it_prints_a_link_on_a_terminal(started):
    ours, terminal = pty.openpty()
    command = [sys.executable, "manage.py", "start", "--port", "0"]
    process = subprocess.Popen(command, cwd=REPOSITORY, env=started, stdout=terminal, stderr=subprocess.DEVNULL)
    os.close(terminal)
    with open(ours) as screen:
        line = next(line for line in screen if line.startswith("Sign in:"))
        link = line.split()[2]
        assert Client(link.partition("/sign-in")[0]).get(link).status == 302
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0


@pytest.mark.any_database
def test_it_prints_no_link_where_there_is_no_terminal(started):
    command = [sys.executable, "manage.py", "start", "--port", "0"]
    process = subprocess.Popen(command, cwd=REPOSITORY, env=started, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    said = ""
    while "Server:" not in said:
        said += process.stdout.readline()
    url = said.split("Server:")[1].split()[0]
    assert Client(url).get("/api/health").status == 200
    process.send_signal(signal.SIGINT)
    assert "Sign in:" not in said + process.communicate(timeout=30)[0]


def test_it_idles_below_150_megabytes(server):
    if not Path("/proc/self/status").exists():
        pytest.skip("there is no /proc to read the memory from")
    assert server.sign_in().get("/admin/").status == 200
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    resident = int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])
    assert resident < 150_000


def test_another_command_prints_a_link_to_the_running_server(server):
    link = server.manage("sign_in_link").stdout.strip()
    assert link.startswith(f"{server.url}/sign-in?link=")
    assert Client(server.url).get(link).status == 302


def test_a_link_before_the_first_start_is_refused(environment):
    _assert_refused(manage("sign_in_link", environment=environment), "Run manage.py start first")


@pytest.mark.any_database
def test_a_taken_port_is_one_clear_line(started):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = manage("start", "--port", str(port), environment=started)
    _assert_refused(done, f"Port {port} on 127.0.0.1 is in use", f"--port {port + 1}")


@pytest.mark.any_database
def test_a_second_server_on_the_same_folder_is_refused(server):
    _assert_refused(server.manage("start", "--port", "0"), "A server is already using", server.url)


@pytest.mark.any_database
def test_an_unknown_address_is_one_clear_line(started):
    _assert_refused(manage("start", "--host", "192.0.2.1", "--port", "0", environment=started), "Cannot listen")


@pytest.mark.any_database
def test_a_data_folder_that_is_a_file_is_one_clear_line(environment, tmp_path):
    (tmp_path / "data").write_text("not a folder")
    _assert_refused(manage("start", "--port", "0", environment=environment), "is not writable", "BIGAGI_DATA_DIR")


@pytest.mark.any_database
def test_a_read_only_data_folder_is_one_clear_line(environment, tmp_path):
    (tmp_path / "data").mkdir(mode=0o500)
    command = [sys.executable, "manage.py", "start", "--port", "0"]
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            skip_unless_ci("root writes into read-only folders, and setpriv is not here to hinder it")
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True)
    _assert_refused(done, f"The data folder {tmp_path / 'data'} is not writable (Permission denied)")


def test_a_newer_database_is_refused(started):
    execute(started, RECORD_NEWER)
    done = manage("start", "--port", "0", environment=started)
    _assert_refused(done, "newer than this program (it has chats.9999_from_tomorrow)")


RECORD_NEWER = (
    "INSERT INTO django_migrations (app, name, applied) VALUES ('chats', '9999_from_tomorrow', '2026-01-01 00:00:00')"
)


def test_a_file_that_is_no_database_is_one_clear_line(environment, tmp_path):
    if "DATABASE_URL" in environment:
        pytest.skip("the database is no file")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "bigagi.sqlite3").write_bytes(b"something else" * 1000)
    _assert_refused(manage("start", "--port", "0", environment=environment), "cannot be used", "bigagi.sqlite3")


def test_it_backs_up_before_it_migrates(started):
    assert manage("migrate", "bigagi_site", "zero", environment=started).returncode == 0
    with run_server(started) as server:
        assert server.sign_in().get("/").status == 200
    manifests = list((server.data_dir / "backups").glob("*-before-migrate/manifest.json"))
    assert len(manifests) == 1
    # The views gave way to the migration, and are there again.
    assert execute(started, "SELECT title FROM chats") == []
    assert json.loads(manifests[0].read_text())["counts"]["auth_user"] == 1


def test_it_backs_nothing_up_when_there_is_nothing_to_migrate(started):
    with run_server(started) as server:
        server.stop()
    assert not (server.data_dir / "backups").exists()


def test_it_guards_the_ledger_again_and_counts_what_came_meanwhile(started):
    on = " ON metrics_usageevent" if "DATABASE_URL" in started else ""
    for name in ("no_update", "add_up"):
        execute(started, f"DROP TRIGGER metrics_ledger_{name}{on}")
    execute(started, "DROP VIEW usage")
    execute(started, WRITE_EVENT)
    with run_server(started | {"BIGAGI_TIME_ZONE": "Asia/Kathmandu"}) as server:
        assert server.sign_in().get("/api/ready").status == 200
        assert "ledger triggers were missing" in "".join(server.output)
    assert execute(started, "SELECT count(*) FROM usage") == [(1,)]
    # 19:00 of UTC on the last day of a year.
    days = "SELECT CAST(day AS TEXT), calls FROM metrics_usageday WHERE dimension = 'all'"
    assert execute(started, days) == [("2025-01-01", 1)]
    with pytest.raises(Exception, match="append-only"):
        execute(started, "UPDATE metrics_usageevent SET at = 0")


WRITE_EVENT = (
    "INSERT INTO metrics_usageevent (at, source, service, vendor, model, conversation, message, estimated, cost_code,"
    " price_source, outcome, change, calls)"
    " VALUES (1735671600000, 'chat', '', '', '', '', '', false, '', '', '', '', 1)"
)


def test_a_missing_key_file_with_stored_secrets_is_told_and_not_replaced(started):
    execute(started, STORE_SECRET)
    Path(started["BIGAGI_DATA_DIR"], "secrets.key").unlink()
    with run_server(started) as server:
        assert "secrets.key is missing" in "".join(server.output)
        assert server.sign_in().get("/").status == 200
        assert not (server.data_dir / "secrets.key").exists()


STORE_SECRET = (
    "INSERT INTO stores_secret (reference, ciphertext, last4, sealed_with, is_given_up, created_at)"
    " VALUES ('00000000000000000000000000000000', 'x', '', '', false, '2026-01-01 00:00:00')"
)


@pytest.mark.any_database
def test_ctrl_c_ends_it_within_five_seconds_while_an_answer_is_not_read(started):
    with run_server(started) as server, socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        address = urlsplit(server.url)
        reader.connect((address.hostname, address.port))
        # Bigger than what the sockets between us hold: the thread that sends it waits for us, and we read no more.
        path = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"
        reader.sendall(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        assert reader.recv(15) == b"HTTP/1.1 200 OK"
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 5


def test_ctrl_c_ends_it_within_five_seconds_while_a_view_waits_for_the_database(started):
    if "DATABASE_URL" in started:
        pytest.skip("the test takes SQLite's write lock")
    with (
        run_server(started) as server,
        closing(sqlite3.connect(server.data_dir / "bigagi.sqlite3", isolation_level=None)) as other,
        socket.socket() as reader,
    ):
        other.execute("BEGIN IMMEDIATE")
        address = urlsplit(server.url)
        reader.connect((address.hostname, address.port))
        path = server.link.removeprefix(server.url)
        reader.sendall(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
        # This one came later and is answered: so the other has reached its thread, and waits up to 20 s there.
        assert Client(server.url).get("/sign-in").status == 200
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 5


def test_it_starts_again_after_it_was_killed(started):
    with run_server(started) as server:
        server.process.kill()
        server.process.wait(timeout=30)
    with run_server(started) as server:
        assert server.sign_in().get("/").status == 200


@pytest.mark.any_database
def test_another_host_is_served_and_warned_of(started):
    with run_server(started, "--host", "0.0.0.0") as server:
        said = "".join(server.output)
        assert "BIGAGI_HTTPS=1" in said
        assert "ssh -L" in said
        name = socket.gethostname()
        answer = server.sign_in().get("/account", headers={"Host": f"{name}:{urlsplit(server.url).port}"})
        assert answer.status == 200
        assert Client(server.url).get("/sign-in", headers={"Host": "elsewhere.example"}).status == 400


@pytest.mark.any_database
def test_wrong_settings_are_one_clear_line(environment):
    done = manage("start", "--port", "0", environment=environment | {"LOG_FORMAT": "xml"})
    _assert_refused(done, "LOG_FORMAT", "bigagi.E002")


def test_the_database_is_tuned(started):
    if "DATABASE_URL" in started:
        pytest.skip("SQLite alone is tuned so")
    assert execute(started, "PRAGMA journal_mode") == [("wal",)]
    told = manage("shell", "-c", READ_PRAGMAS, environment=started).stdout
    assert told.splitlines()[-1] == "[1, 20000, 1, -8192]"


READ_PRAGMAS = """
from django.db import connection
def read(name):
    with connection.cursor() as cursor:
        return cursor.execute(f"PRAGMA {name}").fetchone()[0]
print([read(name) for name in ("synchronous", "busy_timeout", "foreign_keys", "cache_size")])
"""


def _assert_refused(done, *parts):
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    last = done.stderr.strip().splitlines()[-1]
    for part in parts:
        assert part in last
