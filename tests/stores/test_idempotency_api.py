"""Idempotency-Key: whatever happens to a POST and its answer, sent again it is done once."""

import hashlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from contextlib import suppress
from datetime import timedelta

import pytest
from django.test import Client as DjangoClient
from django.utils import timezone

from chats.models import Conversation
from chats.services import conversations as services
from stores.background.leases import GRACE_MS, LEASE_MS, next_end
from stores.background.processes import name_of
from stores.models import Change, IdempotencyKey, Secret
from stores.records.jsontext import canonical
from stores.services import idempotency
from stores.services.idempotency import Claim, claim_key, digest_request
from tests.api import make_chat, make_message, read_problem, sign_in
from tests.nightly import by_day
from tests.servers import execute, run_server
from tests.stores.processes import wait_for

pytestmark = pytest.mark.each_database

CHATS = "/api/chats"
BODY = {"id": "new", "messages": [make_message()], "userTitle": "Cats"}
SECRET = "sk-Seeded0123456789abcdefghWXYZ"


def post(client, body=BODY, path=CHATS, key="one", **headers):
    headers = {"Idempotency-Key": key, **headers}
    text = body if isinstance(body, str) else json.dumps(body)
    return client.post(path, text, content_type="application/json", headers=headers)


def is_replayed(answer):
    return answer.get("Idempotency-Replayed") == "true"


@pytest.mark.django_db
class TestAnswers:
    def test_the_same_request_gets_the_same_answer_and_is_done_once(self):
        client = sign_in()
        first = post(client)
        client.patch(first["Location"], {"userTitle": "Dogs"}, content_type="application/json")
        again = post(client, dict(reversed(BODY.items())))
        assert first.status_code == again.status_code == 201
        assert (is_replayed(first), is_replayed(again)) == (False, True)
        assert again.content == first.content
        for name in ("ETag", "Location", "Bigagi-Change", "Content-Type"):
            assert again[name] == first[name]
        assert again["X-Request-ID"] != first["X-Request-ID"]
        assert Conversation.objects.count() == 1
        assert Change.objects.count() == 2

    @pytest.mark.parametrize(
        ("path", "body"),
        [(CHATS, BODY | {"userTitle": "Dogs"}), ("/api/folders", BODY), (f"{CHATS}/", BODY), (f"{CHATS}?a=b", BODY)],
    )
    def test_another_request_with_the_key_is_refused(self, path, body):
        client = sign_in()
        post(client)
        problem = read_problem(post(client, body, path), 422)
        assert problem["type"].endswith("#idempotency-key-reused")
        assert Change.objects.count() == 1

    def test_keys_of_two_users_are_two(self):
        post(sign_in())
        other = post(sign_in(username="two"), BODY | {"id": "other"})
        assert other.status_code == 201
        assert not is_replayed(other)
        assert Conversation.objects.count() == 2

    @pytest.mark.parametrize("key", ["", "x" * 256, "a\tb", "\xe9"])
    def test_what_is_no_key_is_refused(self, key):
        problem = read_problem(post(sign_in(), key=key), 400)
        assert "Idempotency-Key" in problem["detail"]
        assert not Conversation.objects.exists()

    @pytest.mark.parametrize("key", ["x" * 255, " a b~", '"8e03978e-40d5-43dd-bc93-6894a57f9324"'])
    def test_all_printable_text_is_a_key(self, key):
        client = sign_in()
        assert post(client, key=key).status_code == 201
        assert is_replayed(post(client, key=key))

    def test_who_is_a_stranger_learns_nothing(self):
        post(sign_in())
        read_problem(post(DjangoClient()), 401)

    def test_other_methods_know_no_key(self):
        client = sign_in()
        post(client)
        for title in ("Dogs", "Mice"):
            path, body = f"{CHATS}/new", json.dumps({"userTitle": title})
            answer = client.patch(path, body, content_type="application/json", headers={"Idempotency-Key": "one"})
            assert answer.json()["userTitle"] == title
        read_problem(post(client, path=f"{CHATS}/new", key="two"), 405)
        assert IdempotencyKey.objects.count() == 1

    def test_what_works_in_batches_is_answered_again_too(self):
        client = sign_in()
        make_chat("a")
        asked = {"action": "delete", "ids": ["a"]}
        first = post(client, asked, f"{CHATS}/bulk")
        make_chat("a")
        again = post(client, asked, f"{CHATS}/bulk")
        assert is_replayed(again) and again.content == first.content
        assert Conversation.objects.count() == 1


@pytest.mark.django_db
class TestErrors:
    def test_a_fault_of_the_request_stays_one(self):
        client = sign_in()
        first, again = (post(client, {"messages": "x"}) for _ in range(2))
        read_problem(first, 400)
        assert is_replayed(again) and again.content == first.content
        assert again["Content-Type"] == "application/problem+json"

    @pytest.mark.parametrize(("body", "status"), [("{", 400), ("\udcff", 400)])
    def test_a_body_that_cannot_be_read_claims_nothing(self, body, status):
        client = sign_in()
        headers = {"Idempotency-Key": "one"}
        data = body.encode("utf-8", "surrogateescape")
        read_problem(client.post(CHATS, data, content_type="application/json", headers=headers), status)
        assert post(client).status_code == 201

    def test_a_conflict_may_end(self):
        client = sign_in()
        make_chat("new")
        read_problem(post(client), 409)
        client.delete(f"{CHATS}/new")
        assert post(client).status_code == 201

    def test_an_older_if_match_may_be_sent_anew(self):
        client = sign_in()
        make_chat("new")
        path, message = f"{CHATS}/new/messages", make_message("m1")
        assert post(client, message, path, **{"If-Match": '"0-0"'}).status_code == 412
        etag = client.get(f"{CHATS}/new")["ETag"]
        assert post(client, message, path, **{"If-Match": etag}).status_code == 201

    def test_a_failure_leaves_nothing_and_may_be_repeated(self, monkeypatch):
        client = sign_in()
        client.raise_request_exception = False
        with monkeypatch.context() as broken:
            broken.setattr("chats.views.conversations.etag_of", lambda row: 1 / 0)
            read_problem(post(client), 500)
        # The chat itself was written before: without the key it would be there now.
        assert not Conversation.objects.exists()
        assert not IdempotencyKey.objects.exists()
        assert post(client).status_code == 201

    def test_a_request_that_ends_without_an_answer_leaves_nothing(self, monkeypatch):
        client = sign_in()
        with monkeypatch.context() as broken:
            broken.setattr("stores.api.idempotent_views.release", lambda claim: None)
            broken.setattr("chats.views.conversations.etag_of", leave)
            with pytest.raises(SystemExit):
                post(client)
        assert IdempotencyKey.objects.get().status is None
        assert not Conversation.objects.exists()
        assert post(client).status_code == 201

    def test_who_has_lost_the_claim_writes_nothing(self, monkeypatch):
        client = sign_in()
        create = services.create_chat

        def create_while_another_takes_over(*args):
            IdempotencyKey.objects.update(owner=f"{name_of(1)} x")
            return create(*args)

        # The other one's mark is put there inside the transaction that is undone, and so is gone afterwards.
        monkeypatch.setattr(services, "create_chat", create_while_another_takes_over)
        problem = read_problem(post(client), 409)
        assert problem["type"].endswith("#in-flight") and "not carried out" in problem["detail"]
        assert not Conversation.objects.exists()


def leave(row):
    raise SystemExit


@pytest.mark.django_db
class TestClaims:
    def digest(self):
        return digest_request("POST", CHATS, canonical(BODY))

    def claim(self, client):
        return claim_key(client.session["_auth_user_id"], "one", self.digest())

    def test_while_the_first_request_runs_the_second_is_told_so(self):
        client = sign_in()
        with self.claim(client) as held:
            assert isinstance(held, Claim)
            problem = read_problem(post(client), 409)
            assert problem["type"].endswith("#in-flight")
            read_problem(post(client, {}), 422)
        assert post(client).status_code == 201

    @pytest.mark.parametrize("is_alive", [True, False])
    def test_the_claim_of_a_process_that_is_gone_is_taken_over(self, is_alive):
        client = sign_in()
        with self.claim(client) as held:
            with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
                owner = f"{name_of(process.pid)} mark"
                IdempotencyKey.objects.filter(pk=held.pk).update(owner=owner)
                if is_alive:
                    read_problem(post(client), 409)
                process.kill()
            assert post(client).status_code == 201
        assert Conversation.objects.count() == 1

    def test_a_number_that_another_process_had_before_is_no_sign_of_life(self):
        client = sign_in()
        with self.claim(client) as held:
            IdempotencyKey.objects.filter(pk=held.pk).update(owner=f"{name_of(os.getpid())}1 x")
            assert post(client).status_code == 201

    def test_the_claim_of_another_machine_holds_until_its_lease_is_over(self):
        client = sign_in()
        with self.claim(client) as held:
            theirs = IdempotencyKey.objects.filter(pk=held.pk)
            theirs.update(owner="elsewhere:1:1 x")
            assert read_problem(post(client), 409)["type"].endswith("#in-flight")
            theirs.update(lease_until=next_end() - LEASE_MS - GRACE_MS)
            assert post(client).status_code == 201

    def test_a_request_that_takes_long_keeps_its_claim(self, monkeypatch):
        client = sign_in()
        with self.claim(client) as held:
            row = IdempotencyKey.objects.filter(pk=held.pk)
            row.update(lease_until=1)
            idempotency.renew_leases()
            assert row.get().lease_until == 1, "it has only just begun"
            monkeypatch.setattr(idempotency, "RENEW_SECONDS", 0)
            idempotency.renew_leases()
            assert row.get().lease_until > next_end() - LEASE_MS

    def test_after_a_day_a_key_is_a_new_one(self):
        client = sign_in()
        post(client)
        post(client, BODY | {"id": "kept"}, key="kept")
        day = timezone.now() - timedelta(hours=24, seconds=1)
        IdempotencyKey.objects.filter(key="one").update(created_at=day)
        answer = post(client, BODY | {"id": "another"})
        assert answer.status_code == 201
        assert not is_replayed(answer)
        IdempotencyKey.objects.filter(key="one").update(created_at=day)
        post(client, BODY | {"id": "third"}, key="three")
        assert set(IdempotencyKey.objects.values_list("key", flat=True)) == {"kept", "three"}


@pytest.mark.django_db
def test_secrets_are_nowhere_in_what_is_kept():
    client = sign_in()
    odd = {"messages": [make_message(SECRET, f"my key is {SECRET}")], "id": SECRET, "apiKey": SECRET}
    first, again = post(client, odd), post(client, odd)
    assert first.status_code == again.status_code == 201
    kept = IdempotencyKey.objects.get()
    assert kept.body and SECRET not in kept.body
    assert SECRET.encode() not in again.content
    assert Secret.objects.exists()
    # A plain digest of a body could be searched for the secret in it.
    assert kept.digest == digest_request("POST", CHATS, canonical(odd))
    assert kept.digest != hashlib.sha256(f"POST\n{CHATS}\n{canonical(odd)}".encode()).hexdigest()


@pytest.mark.django_db
def test_what_is_purged_is_in_no_answer_that_is_kept():
    client = sign_in()
    post(client)
    post(client, make_message("m1"), f"{CHATS}/new/messages", key="two")
    post(client, BODY | {"id": "other"}, key="other")
    assert client.delete(f"{CHATS}/new?purge=true").status_code == 204
    assert IdempotencyKey.objects.get().key == "other"


def send_at_once(client, path, body, key, times):
    """Send the same request by several threads at once, and return the answers."""
    start, answers = threading.Barrier(times), []
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}

    def send():
        start.wait()
        answers.append(client.request("POST", path, json.dumps(body).encode(), headers=headers))

    threads = [threading.Thread(target=send) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_of_many_at_once_one_is_done(server):
    client = server.sign_in()
    for key in range(15):
        # Without an id of its own, each that is done makes a chat.
        answers = send_at_once(client, CHATS, {"messages": [], "userTitle": f"at once {key}"}, f"at once {key}", 6)
        statuses = sorted(answer.status for answer in answers)
        assert set(statuses) <= {201, 409} and 201 in statuses
        assert len({answer.body for answer in answers if answer.status == 201}) == 1
        assert [answer.headers["Idempotency-Replayed"] for answer in answers if answer.status == 201].count(None) == 1
    found = json.loads(client.get("/api/chats?page_size=200&count=1").body)
    assert found["count"] == 15


@pytest.mark.slow
@pytest.mark.parametrize("seconds", by_day([0, 0.5, 1, 2], each=4))
def test_a_server_killed_in_the_middle_has_done_nothing_or_all(started, seconds):
    messages = [make_message(f"m{at}", "word " * 50) for at in range(4_000)]
    headers = {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
    body = json.dumps({"messages": messages}).encode()
    token = "SELECT count(*) FROM stores_idempotencykey"

    with run_server(started) as server:
        client = server.sign_in()

        def send():
            # The connection breaks when the server dies.
            with suppress(OSError, http.client.HTTPException):
                client.request("POST", CHATS, body, headers=headers)

        sending = threading.Thread(target=send, daemon=True)
        sending.start()
        wait_for(server.process, lambda: execute(started, token)[0][0] == 1)
        # Wherever that is: nothing here depends on how fast the machine is.
        with suppress(subprocess.TimeoutExpired):
            server.process.wait(timeout=seconds)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait(timeout=30)
        sending.join(timeout=60)

    # Whether the kill came before the end or after it: the answer and the chat are there together.
    [(status,)] = execute(started, "SELECT status FROM stores_idempotencykey")
    assert execute(started, "SELECT count(*) FROM chats_conversation") == [(0 if status is None else 1,)]
    assert execute(started, "SELECT count(*) FROM stores_change") == [(0 if status is None else 1,)]

    with run_server(started) as server:
        client = server.sign_in()
        answer = client.request("POST", CHATS, body, headers=headers)
        assert answer.status == 201, answer.text[:1000]
        again = client.request("POST", CHATS, body, headers=headers)
        assert again.body == answer.body
        assert again.headers["Idempotency-Replayed"] == "true"
    assert execute(started, "SELECT count(*) FROM chats_conversation") == [(1,)]
    assert execute(started, "SELECT count(*) FROM stores_change") == [(1,)]
