"""A walk through the admin in a browser, from its first page to an image in a conversation."""

import base64
import json
import struct
import zlib

import pytest

pytestmark = pytest.mark.browser

WIDTH, HEIGHT = 12, 8


def make_png() -> bytes:
    """Return a small red image."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"".join(b"\0" + b"\xff\0\0" * WIDTH for _ in range(HEIGHT)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def make_backup() -> dict:
    """Return a flash backup with one chat, which has every kind of thing that a page folds or shows."""
    png = make_png()
    image = {"reftype": "dblob", "dblobAssetId": "picture/1", "mimeType": "image/png", "bytesSize": len(png)}
    parts = [
        ("void", {"pt": "ma", "aType": "reasoning", "aText": "I *think*."}),
        ("content", {"pt": "text", "text": "Hi <script>alert(1)</script> {{ x }}\n\n```python\nreturn 1\n```\n"}),
        ("content", {"pt": "text", "text": "![far](https://example.com/far.png) <div x-data='{a: alert(1)}'>"}),
        ("content", {"pt": "image_ref", "dataRef": image, "altText": "a red picture"}),
    ]
    message = {
        "id": "m0",
        "role": "assistant",
        "created": 1_795_288_299_195,
        "updated": None,
        "tokenCount": 3,
        "fragments": [{"ft": ft, "fId": f"f{at}", "part": part} for at, (ft, part) in enumerate(parts)],
    }
    chat = {
        **{"id": "-chat", "userTitle": "A picture", "systemPurposeId": "Generic", "tokenCount": 3},
        **{"created": 1_795_288_299_195, "updated": 1_795_288_299_195, "messages": [message]},
    }
    asset = {
        **{"id": "picture/1", "contextId": "global", "scopeId": "app-chat", "assetType": "image", "label": "red"},
        "data": {"mimeType": "image/png", "base64": base64.b64encode(png).decode()},
        "origin": {"ot": "user", "source": "attachment", "media": "file"},
        **{"createdAt": "2026-11-21T19:11:39.195Z", "updatedAt": "2026-11-21T19:11:39.195Z", "cache": {}},
        "metadata": {"width": WIDTH, "height": HEIGHT},
    }
    chats = json.dumps({"state": {"conversations": [chat]}, "version": 4})
    return {
        "schema": "vnd.agi.flash-backup",
        "schemaVersion": 102000,
        "metadata": {
            **{"version": "1.2", "timestamp": "2026-11-21T19:20:00.000Z"},
            **{"application": "Big-AGI", "backupType": "full"},
        },
        "storage": {
            "localStorage": {},
            "indexedDB": {
                "keyval-store": {"keyval": [{"key": "app-chats", "value": chats}]},
                "Big-AGI": {"largeAssets": [{"key": "picture/1", "value": asset}]},
            },
        },
    }


@pytest.fixture(scope="module")
def imported(server, tmp_path_factory):
    path = tmp_path_factory.mktemp("backup") / "flash.json"
    path.write_text(json.dumps(make_backup()))
    result = server.manage("import_indexeddb", str(path))
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_first_page_leads_to_an_image_that_loads(imported, page):
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto("/admin/")
    page.get_by_role("link", name="Chats", exact=True).first.click()
    page.locator("#result_list").get_by_role("link", name="A picture").click()

    image = page.get_by_role("img", name="a red picture")
    image.scroll_into_view_if_needed()
    page.wait_for_function("() => [...document.querySelectorAll('.picture img')].every(image => image.complete)")
    assert image.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [WIDTH, HEIGHT]

    reasoning = page.get_by_text("I think.")
    assert not reasoning.is_visible()
    page.get_by_text("Reasoning", exact=True).click()
    assert reasoning.is_visible()

    assert page.get_by_text("<script>alert(1)</script> {{ x }}").is_visible()
    assert page.locator(".hl .k").inner_text() == "return"
    assert {url for url in requests if not url.startswith((page.url.split("/admin/")[0], "data:"))} == set()

    page.get_by_role("link", name="About this image").click()
    page.get_by_role("link", name="A picture, message 0").click()
    assert page.url.endswith("?at=0#m-0")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_and_nothing_runs_over_on_a_phone(imported, page, scheme):
    page.set_viewport_size({"width": 390, "height": 800})
    page.emulate_media(color_scheme=scheme)
    for path in ("/admin/", "/admin/chats/conversation/", "/admin/stores/migrationrun/1/change/"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    page.goto("/admin/chats/conversation/")
    page.locator("#result_list").get_by_role("link", name="A picture").click()
    page.locator(".turn").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    luminances = page.evaluate(
        """() => {
            const style = getComputedStyle(document.querySelector(".turn"));
            return [style.color, style.backgroundColor].map((color) => {
                const context = document.createElement("canvas").getContext("2d");
                context.fillStyle = color;
                context.fillRect(0, 0, 1, 1);
                const [red, green, blue] = context.getImageData(0, 0, 1, 1).data;
                return (red * 0.2126 + green * 0.7152 + blue * 0.0722) / 255;
            });
        }"""
    )
    text, ground = luminances
    assert text < 0.3 and ground > 0.7 if scheme == "light" else text > 0.7 and ground < 0.3


def test_no_value_of_a_list_is_cut_on_a_phone(page, imported):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/admin/chats/fragment/")
    cells = page.locator("#result_list tbody :is(th, td)")
    heights = cells.evaluate_all("cells => cells.map(cell => [cell.scrollHeight, cell.clientHeight])")
    assert max(whole for whole, _ in heights) > 45  # One is of two lines.
    assert [(whole, shown) for whole, shown in heights if whole > shown] == []
