"""Static files are sent compressed to whoever takes it, and whole or in parts to the others."""

import gzip
from typing import Any

SCRIPT = "/static/chats/chat/main.js"


def read(client: Any, **headers: str) -> tuple[Any, bytes]:
    response = client.get(SCRIPT, headers=headers)
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return response, content


def test_texts_are_compressed_for_who_takes_it(client: Any) -> None:
    plain, whole = read(client)
    response, content = read(client, accept_encoding="br, gzip")
    assert "Content-Encoding" not in plain.headers
    assert response.headers["Content-Encoding"] == "gzip" and gzip.decompress(content) == whole
    assert int(response.headers["Content-Length"]) == len(content) < len(whole)
    for each in (plain, response):
        assert each.headers["Vary"] == "Accept-Encoding"
        assert each.headers["Content-Type"] == plain.headers["Content-Type"]
    part, content = read(client, accept_encoding="gzip", range="bytes=2-9")
    assert part.status_code == 206 and content == whole[2:10]
    unchanged, content = read(client, accept_encoding="gzip", if_none_match=response.headers["ETag"])
    assert unchanged.status_code == 304 and content == b""
