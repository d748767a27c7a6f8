import base64
import hashlib

import pytest

from chats.assets import path_of, store_base64
from chats.models import Asset
from tests.api import ODD_IDS, make_asset, read, read_problem, sign_in

pytestmark = pytest.mark.django_db

BYTES = bytes(range(256)) * 1000


@pytest.fixture
def held(settings, tmp_path):
    settings.ASSETS_DIR = tmp_path / "assets"
    return store_base64([base64.b64encode(BYTES).decode()], writes=True)


def test_an_asset_is_big_agis_record_without_its_bytes(held):
    client = sign_in()
    make_asset("cat", held=held, origin={"ot": "user"}, cache={"thumb256": {"base64": "QUJD"}})
    asset = read(client.get("/api/assets/cat"))
    assert asset == {
        "id": "cat",
        "assetType": "image",
        "label": "A cat",
        "data": {"mimeType": "image/png"},
        "origin": {"ot": "user"},
        "cache": {"thumb256": {"base64": "QUJD"}},
        "_server": {
            "href": "/api/assets/cat",
            "contentHref": "/api/assets/cat/content",
            "size": len(BYTES),
            "sha256": hashlib.sha256(BYTES).hexdigest(),
        },
    }
    del asset["cache"]
    assert read(client.get("/api/assets"))["results"] == [asset]


def test_text_that_is_no_base64_is_left_out_too():
    make_asset("cat", data={"mimeType": "image/png", "base64": "not base64"})
    asset = read(sign_in().get("/api/assets/cat"))
    assert asset["data"] == {"mimeType": "image/png"}
    assert asset["_server"]["contentHref"] is None


@pytest.mark.parametrize("uid", ODD_IDS)
def test_an_asset_with_an_odd_id_is_found_with_its_bytes(held, uid):
    client = sign_in()
    make_asset(uid, held=held)
    [listed] = read(client.get("/api/assets"))["results"]
    assert read(client.get(listed["_server"]["href"]))["id"] == uid
    assert client.get(listed["_server"]["contentHref"]).getvalue() == BYTES


def test_assets_are_filtered():
    client = sign_in()
    make_asset("image")
    make_asset("sound", 1, assetType="audio", scopeId="app-chat")
    for query in ("type=audio", "scope=app-chat"):
        assert [asset["id"] for asset in read(client.get(f"/api/assets?{query}"))["results"]] == ["sound"]


# --- bytes ---


@pytest.mark.parametrize(
    "mime_type", ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "audio/mpeg", "IMAGE/PNG"]
)
def test_images_and_sound_can_be_shown(held, mime_type):
    make_asset("cat", held=held, data={"mimeType": mime_type})
    answer = sign_in().get("/api/assets/cat/content")
    assert answer.getvalue() == BYTES
    assert answer["Content-Type"] == mime_type.lower()
    assert answer["Content-Disposition"].startswith("inline")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "sandbox"
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer["Content-Length"] == str(len(BYTES))


@pytest.mark.parametrize(
    "mime_type", ["image/svg+xml", "text/html", "image/png; x=<script>", "audio/\r\nX-Bad: 1", "", None, 7]
)
def test_anything_else_is_only_downloaded(held, mime_type):
    make_asset("cat", held=held, data={"mimeType": mime_type})
    answer = sign_in().get("/api/assets/cat/content")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_the_etag_is_the_digest_of_the_bytes(held):
    client = sign_in()
    make_asset("cat", held=held)
    etag = client.get("/api/assets/cat/content")["ETag"]
    assert etag == f'"{held.sha256}"'
    assert client.get("/api/assets/cat/content", headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("bytes=0-0", BYTES[:1]),
        ("bytes=10-19", BYTES[10:20]),
        ("bytes=255990-", BYTES[255990:]),
        ("bytes=255990-999999", BYTES[255990:]),
        ("bytes=-5", BYTES[-5:]),
        ("bytes=-999999", BYTES),
    ],
)
def test_a_range_of_the_bytes_is_given(held, wanted, expected):
    make_asset("cat", held=held)
    answer = sign_in().get("/api/assets/cat/content", headers={"Range": wanted})
    assert answer.status_code == 206
    assert answer.getvalue() == expected
    start = len(BYTES) - len(expected) if wanted.endswith("-") or wanted[6] == "-" else int(wanted[6:].split("-")[0])
    assert answer["Content-Length"] == str(len(expected))
    if "999999" not in wanted:
        assert answer["Content-Range"] == f"bytes {start}-{start + len(expected) - 1}/{len(BYTES)}"


@pytest.mark.parametrize("wanted", ["bytes=5-1", "bytes=0-1,5-6", "lines=1-2", "bytes=-", "bytes=a-b"])
def test_what_is_no_single_range_is_passed_over(held, wanted):
    make_asset("cat", held=held)
    answer = sign_in().get("/api/assets/cat/content", headers={"Range": wanted})
    assert (answer.status_code, answer.getvalue()) == (200, BYTES)


def test_a_range_of_other_bytes_is_passed_over(held):
    make_asset("cat", held=held)
    answer = sign_in().get("/api/assets/cat/content", headers={"Range": "bytes=0-1", "If-Range": '"older"'})
    assert (answer.status_code, answer.getvalue()) == (200, BYTES)


@pytest.mark.parametrize("wanted", ["bytes=256000-", "bytes=999999-9999999", "bytes=-0"])
def test_a_range_beyond_the_end_cannot_be_given(held, wanted):
    make_asset("cat", held=held)
    answer = sign_in().get("/api/assets/cat/content", headers={"Range": wanted})
    read_problem(answer, 416)
    assert answer["Content-Range"] == f"bytes */{len(BYTES)}"


def test_bytes_that_are_not_here_are_not_found(held):
    client = sign_in()
    make_asset("cat", held=held)
    make_asset("none", 1)
    path_of(held.sha256).unlink()
    assert "backup" in read_problem(client.get("/api/assets/cat/content"), 404)["detail"]
    read_problem(client.get("/api/assets/none/content"), 404)
    read_problem(client.get("/api/assets/nobody/content"), 404)


def test_damaged_bytes_are_not_given(held):
    make_asset("cat", held=held)
    path_of(held.sha256).write_bytes(b"different bytes")
    problem = read_problem(sign_in().get("/api/assets/cat/content"), 500)
    assert problem["type"].endswith("#asset-damaged")


def test_nothing_is_read_for_head(held):
    make_asset("cat", held=held)
    answer = sign_in().head("/api/assets/cat/content")
    assert (answer.getvalue(), answer["Content-Length"]) == (b"", str(len(BYTES)))
    assert Asset.objects.get().size == len(BYTES)
