"""`POST /api/documents/text`: a document in, its text out, and nothing stored."""

from io import BytesIO

import pytest

from chats.documents import reading
from stores.models import Change, IdempotencyKey
from tests.api import read, read_problem, sign_in
from tests.chats.documents import make_encrypted_pdf, make_pdf

pytestmark = pytest.mark.django_db


def post(client, data, query="", content_type="application/octet-stream", **headers):
    return client.generic("POST", f"/api/documents/text{query}", data, content_type=content_type, headers=headers)


def test_a_document_is_read_and_nothing_is_stored():
    client = sign_in()
    found = read(post(client, make_pdf("Six bridges"), "?filename=porto.pdf"))
    assert found == {
        "kind": "pdf",
        "title": "porto.pdf",
        "text": "Six bridges",
        "mime_type": "text/plain",
        "counts": {"pages": 1, "words": 2, "characters": 11},
        "summary": "1 page, 2 words",
        "warnings": [],
    }
    assert read(post(client, b"<p>Six", content_type="text/html"))["text"] == "Six"
    assert not Change.objects.exists() and not IdempotencyKey.objects.exists()


def test_what_cannot_be_read_is_a_problem_in_words(monkeypatch):
    client = sign_in()
    problem = read_problem(post(client, make_encrypted_pdf()), 400)
    assert problem["type"].endswith("#unreadable-document")
    assert problem["errors"][0]["code"] == "encrypted" and "password" in problem["detail"]
    assert "These can: PDF" in read_problem(post(client, b"plain"), 400)["detail"]
    assert "empty" in read_problem(post(client, b""), 400)["detail"]
    assert "10 MiB" in read_problem(post(client, b"%PDF-" + bytes(10 * 2**20)), 413)["detail"]
    assert "filename" in read_problem(post(client, b"%PDF-", "?name=x"), 400)["detail"]
    monkeypatch.setattr(reading, "WAIT_SECONDS", 0)
    with reading._places, reading._places:
        answer = post(client, make_pdf("Six"))
        assert read_problem(answer, 503)["type"].endswith("#reading-documents")
        assert answer["Retry-After"] == "5"


def test_a_form_is_no_document():
    client = sign_in()
    file = BytesIO(make_pdf("Six"))
    file.name = "porto.pdf"
    assert "as the body" in read_problem(client.post("/api/documents/text", {"file": file}), 415)["detail"]


def test_the_answer_is_not_kept_under_an_idempotency_key():
    client = sign_in()
    first, again = (post(client, make_pdf("Six"), **{"Idempotency-Key": "one"}) for _ in range(2))
    assert first.content == again.content and "Idempotency-Replayed" not in again
    assert not IdempotencyKey.objects.exists()
