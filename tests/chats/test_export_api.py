"""Chats as files over REST: one, several and all."""

import base64
import io
import json
import re
import zipfile
from urllib.parse import quote

import pytest

from chats.assets import path_of, store_base64
from chats.exports.images import image_name
from chats.models import Conversation
from stores.importers.importer import import_file
from stores.importers.options import Options
from stores.models import Change
from stores.records.ids import encode_id
from tests.api import ODD_IDS, make_asset, make_chat, make_folder, make_message, read, read_problem, sign_in
from tests.strategies import equal_json

pytestmark = pytest.mark.django_db

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
KEY = "sk-Seeded0123456789abcdefghWXYZ"


@pytest.fixture(autouse=True)
def assets(settings, tmp_path):
    settings.ASSETS_DIR = tmp_path / "assets"


def image_part(uid):
    return {"pt": "image_ref", "dataRef": {"reftype": "dblob", "dblobAssetId": uid}, "altText": "A cat"}


def with_image(uid="m1", asset="cat"):
    fragment = {"ft": "content", "fId": "f1", "part": image_part(asset)}
    return make_message(uid, "See") | {"role": "assistant", "fragments": [fragment]}


def export(client, uid="chat", query=""):
    return client.get(f"/api/chats/{encode_id(uid)}/export{query}")


def unzip(answer):
    assert answer.status_code == 200, answer.getvalue()[:500]
    assert answer["Content-Type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(answer.getvalue()))
    assert archive.testzip() is None
    return {name: archive.read(name) for name in archive.namelist()}


def test_json_is_the_whole_chat_and_can_be_imported_again(tmp_path):
    odd = {"isArchived": True, "x": [1.5, None, {"y": "\ud800"}], "userSymbol": "🐈", "tokenCount": 3}
    make_chat("chat", userTitle="Plans", messages=[make_message("m0", "Hi"), {"broken": True}, None], **odd)
    client = sign_in()
    answer = export(client, query="?as=json")
    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"] == 'attachment; filename="Plans.json"'
    body = answer.getvalue()
    given = json.loads(body)
    assert given["x"] == odd["x"] and given["messages"][1:] == [{"broken": True}, None]
    assert "_server" not in given
    path = tmp_path / "chat.json"
    path.write_bytes(body)
    Conversation.objects.get(uid="chat").delete()
    import_file(path, Options())
    assert equal_json(json.loads(export(client, query="?as=json").getvalue()), given)


def test_keys_are_markers_in_every_format():
    make_chat("chat", userTitle=f"T {KEY}", messages=[make_message("m0", f"my key is {KEY}", apiKey=KEY)])
    client = sign_in()
    for query in ("", "?as=markdown", "?as=json", "?as=html"):
        body = export(client, query=query).getvalue().decode()
        assert KEY not in body and "secret:ref" not in body
        assert "bigagi-secret:WXYZ" in body, query
    for name, content in unzip(export(client, query="?as=zip&files=markdown,json,html")).items():
        assert KEY.encode() not in content and b"secret:ref" not in content and "sk-" not in name


def test_a_page_has_its_images_in_itself_and_nothing_that_acts():
    make_asset("cat", held=store_base64([base64.b64encode(PNG).decode()]))
    text = "<script>alert(1)</script> ![far](https://far.example/x.png) [go](javascript:x)"
    messages = [make_message("m0", text), with_image(), with_image("m2", "gone")]
    make_chat("chat", userTitle="</style><script>x</script><!-- turns -->", messages=messages)
    answer = export(sign_in(), query="?as=html")
    assert answer["Content-Disposition"].startswith("attachment")
    page = answer.getvalue().decode()
    assert page.count("<script") == 0 and "</article>" in page
    assert f'src="data:image/png;base64,{base64.b64encode(PNG).decode()}"' in page
    assert re.findall(r'\bsrc="(?!data:image/png)', page) == []
    assert 'href="https://far.example/x.png"' in page
    assert "Image, missing" in page and "/admin/" not in page and "/api/" not in page
    assert "default-src &#x27;none&#x27;" in page
    assert "url(" not in page.partition("</style>")[0] and "@import" not in page


def test_no_text_is_cut():
    long = "word " * 60_000
    make_chat("chat", messages=[make_message(f"m{at}", f"{at} {long}") for at in range(3)])
    client = sign_in()
    for query in ("?as=markdown", "?as=html"):
        assert export(client, query=query).getvalue().decode().count("word ") >= 3 * 59_999


def test_a_zip_has_a_file_of_each_chat_and_each_image_once():
    held = store_base64([base64.b64encode(PNG).decode()])
    cat = make_asset("cat", held=held)
    make_chat("one", 0, userTitle="Same: title", messages=[make_message(), with_image(), with_image("m2")])
    make_chat("two", 1, userTitle="same- TITLE", messages=[with_image()])
    make_chat("three", 2, userTitle="", isArchived=True)
    client = sign_in()
    files = unzip(client.get("/api/chats/export?as=zip"))
    image = f"images/{image_name(cat)}"
    assert sorted(files) == sorted(
        [
            *("chats/Same- title.md", "chats/Same- title.json", "chats/same- TITLE (2).md"),
            *("chats/same- TITLE (2).json", "chats/Untitled chat.md", "chats/Untitled chat.json", image),
        ]
    )
    assert files[image] == PNG
    assert f"![A cat](../{image})" in files["chats/Same- title.md"].decode()
    assert json.loads(files["chats/Same- title.json"])["id"] == "one"

    some = unzip(client.get("/api/chats/export?as=zip&files=html&id=two&id=three&id=nobody&archived=false"))
    assert list(some) == ["chats/same- TITLE.html"]
    make_folder("work", conversationIds=["two"])
    assert len(unzip(client.get("/api/chats/export?as=zip&files=markdown&folder=work"))) == 2
    assert sorted(unzip(export(client, "one", "?as=zip&files=json"))) == ["chats/Same- title.json", image]
    assert unzip(client.get("/api/chats/export?as=zip&id=nobody")) == {}


def test_what_an_export_lacks_is_named_in_it():
    for number, uid in enumerate(("gone", "damaged")):
        asset = make_asset(uid, number, held=store_base64([base64.b64encode(uid.encode()).decode()]))
        path = path_of(asset.sha256)
        path.unlink()
        if uid == "damaged":
            path.write_bytes(b"DAMAGED")
    make_asset("song", 2, data={"mimeType": "audio/mpeg"}, held=store_base64([base64.b64encode(b"la").decode()]))
    make_chat("one", messages=[with_image(uid, uid) for uid in ("gone", "damaged", "nobody", "song")])
    client = sign_in()
    files = unzip(export(client, "one", "?as=zip&files=markdown,html"))
    [*chats, last] = files
    assert [name.rpartition(".")[2] for name in chats] == ["md", "html"] and last == "missing.txt"
    for name in chats:
        for what in ("Image, missing: A cat", "Image, damaged: A cat", "Recording, not in this file: A cat"):
            assert what in files[name].decode(), name
    assert files[last].decode().splitlines()[2:] == [
        "chats/Untitled chat",
        "  A cat: the image's file is missing here.",
        "  A cat: the image's file is damaged here.",
        "  A cat: the image is not here; it was never imported, or was deleted.",
        "  A cat: recordings are not exported.",
    ]
    assert "Image, damaged: A cat" in export(client, "one", "?as=html").getvalue().decode()


def test_what_cannot_be_asked_for_is_said():
    make_chat("chat")
    client = sign_in()
    for path, pointer in (
        ("/api/chats/chat/export?as=pdf", "?as"),
        ("/api/chats/chat/export?files=json", "?files"),
        ("/api/chats/chat/export?as=zip&files=pdf", "?files"),
        ("/api/chats/chat/export?format=json", "?format"),
        ("/api/chats/export?as=markdown", "?as"),
        ("/api/chats/export?as=zip&" + "&".join(f"id={at}" for at in range(501)), "?id"),
        ("/api/chats/export?ids=chat", "?ids"),
        ("/api/chats/export?id=a%00", "?id"),
    ):
        assert [error["pointer"] for error in read_problem(client.get(path), 400)["errors"]] == [pointer], path
    read_problem(export(client, "nobody"), 404)
    assert client.head("/api/chats/chat/export").status_code == 200


def test_odd_ids_and_titles_are_exported():
    for at, uid in enumerate(ODD_IDS):
        make_chat(uid, at, userTitle=uid)
    client = sign_in()
    for uid in ODD_IDS:
        assert json.loads(export(client, uid, "?as=json").getvalue())["id"] == uid
        assert "attachment" in export(client, uid)["Content-Disposition"]
    asked = "&".join(f"id={quote(uid, safe='')}" for uid in ODD_IDS)
    files = unzip(client.get(f"/api/chats/export?as=zip&files=json&{asked}"))
    assert {json.loads(content)["id"] for content in files.values()} == set(ODD_IDS)


def test_the_time_of_a_file_is_when_the_chat_was_last_changed():
    for at, updated in enumerate((1_795_288_299_195, -1, 10**18, None)):
        make_chat(f"c{at}", at, updated=updated)
    archive = zipfile.ZipFile(io.BytesIO(sign_in().get("/api/chats/export?as=zip&files=json").getvalue()))
    assert [info.date_time[0] for info in archive.infolist()] == [2026, 1980, 2107, 1980]


def test_chats_are_pinned_and_it_is_no_part_of_the_chat():
    make_chat("a", 0)
    make_chat("b", 1)
    client = sign_in()

    def bulk(action, *ids):
        body = {"action": action, "ids": list(ids)}
        return client.post("/api/chats/bulk", body, content_type="application/json")

    def listed(query):
        return [chat["id"] for chat in read(client.get(f"/api/chats{query}"))["results"]]

    before = client.get("/api/chats/a")
    done = bulk("pin", "a", "b", "nobody")
    assert (done.json()["changed"], done.json()["missing"]) == (2, ["nobody"])
    assert bulk("pin", "a").json()["change"] is None
    assert listed("?pinned=true") == ["a", "b"] and listed("?pinned=false") == []
    assert [chat["_server"]["pinned"] for chat in read(client.get("/api/chats"))["results"]] == [True, True]
    after = client.get("/api/chats/a")
    assert (after["ETag"], after.json()) == (before["ETag"], before.json())
    assert "pin" not in export(client, "a", "?as=json").getvalue().decode()
    assert Change.objects.get(pk=done.json()["change"]).action == "pin chats"

    bulk("unpin", "a")
    assert listed("?pinned=true") == ["b"]
    undone = client.post(f"/api/changes/{done.json()['change']}/undo", content_type="application/json")
    assert "Undo that change first" in read_problem(undone, 409)["detail"]
    assert (
        client.post(f"/api/changes/{Change.objects.first().pk}/undo", content_type="application/json").status_code
        == 201
    )
    assert listed("?pinned=true") == ["a", "b"]


def test_a_pin_survives_an_import_and_a_deletion_that_is_taken_back_but_no_purge(tmp_path):
    make_chat("a", 0, userTitle="Old")
    client = sign_in()
    client.post("/api/chats/bulk", {"action": "pin", "ids": ["a"]}, content_type="application/json")
    path = tmp_path / "chat.json"
    path.write_text(json.dumps({"id": "a", "messages": [make_message(), make_message("m1", "more")], "updated": 9}))
    import_file(path, Options())
    assert len(client.get("/api/chats/a").json()["messages"]) == 2

    def pins():
        return [chat["id"] for chat in read(client.get("/api/chats?pinned=true"))["results"]]

    assert pins() == ["a"]
    change = client.delete("/api/chats/a")["Bigagi-Change"]
    assert pins() == []
    assert client.post(f"/api/changes/{change}/undo", content_type="application/json").status_code == 201
    assert pins() == ["a"]
    client.delete("/api/chats/a?purge=true")
    make_chat("a")
    assert pins() == []
