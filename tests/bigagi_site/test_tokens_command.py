from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from bigagi_site.models import Token
from bigagi_site.tokens import TokenError, read_lifetime
from tests.bigagi_site.factories import make_owner
from tests.servers import Client, manage, run_server

pytestmark = pytest.mark.any_database


def test_it_prints_the_token_alone_and_it_works(started):
    done = manage("create_token", "backup script", "--read-only", "--expires", "90d", environment=started)
    assert done.returncode == 0
    text = done.stdout.removesuffix("\n")
    assert len(text) == 64 and text.isalnum()
    assert "“backup script” of owner can only read and expires at" in done.stderr
    assert text not in done.stderr
    with run_server(started) as server:
        program = {"Authorization": f"Bearer {text}"}
        assert Client(server.url).get("/api/chats", headers=program).status == 200
        answer = Client(server.url).request("POST", "/api/chats", b"{}", headers=program)
        assert answer.status == 403
        assert answer.json()["type"].endswith("#read-only-token")


def test_before_the_first_start_it_says_so(environment):
    done = manage("create_token", "x", environment=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip().splitlines()[-1].endswith("Run manage.py start first.")
    assert "Traceback" not in done.stderr


@pytest.mark.django_db
def test_without_an_owner_it_says_so(capsys):
    with pytest.raises(CommandError, match="Run manage.py start first") as refused:
        call_command("create_token", "x")
    assert refused.value.returncode == 2


@pytest.mark.django_db
def test_a_token_reads_and_writes_for_ever_unless_told_otherwise(capsys):
    make_owner()
    call_command("create_token", "x")
    token = Token.objects.get()
    assert (token.is_read_only, token.expiry) == (False, None)
    assert "can read and write and does not expire" in capsys.readouterr().err


@pytest.mark.django_db
@pytest.mark.parametrize("arguments", [["x", "--expires", "soon"], [" "], ["a\nb"], ["x" * 101]])
def test_what_cannot_be_is_refused_in_one_line(arguments, capsys):
    make_owner()
    with pytest.raises(CommandError) as refused:
        call_command("create_token", *arguments)
    assert refused.value.returncode == 2
    assert capsys.readouterr().out == ""
    assert not Token.objects.exists()


@pytest.mark.parametrize(
    ("text", "lifetime"),
    [
        ("90d", timedelta(days=90)),
        ("12h", timedelta(hours=12)),
        ("30m", timedelta(minutes=30)),
        ("2w", timedelta(weeks=2)),
        (" 1d ", timedelta(days=1)),
    ],
)
def test_durations_are_read(text, lifetime):
    assert read_lifetime(text) == lifetime


@pytest.mark.parametrize("text", ["", "90", "d", "0d", "-1d", "1.5d", "90 d", "1y", "99999999w", "36501d", "٣d"])
def test_what_is_no_duration_is_refused_with_an_example(text):
    with pytest.raises(TokenError, match="90d"):
        read_lifetime(text)
