import pytest
from django.template.loader import render_to_string
from hypothesis import given
from hypothesis import strategies as st

from chats.fragments import CUT_TEXT, RenderBudget, build_block
from chats.models import Asset
from tests.chats.test_rendering_service import Elements

KINDS = ["text", "error", "ma", "ph", "reference", "image_ref", "doc", "tool_invocation", "tool_response"]
KINDS += ["hosted_resource", "annotations", "_pt_sentinel", None]

_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=[]), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
_values = st.one_of(
    _json, st.sampled_from(["javascript:alert(1)", "<script>alert(1)</script>", '"><img src=x onerror=1>'])
)
_keys = (
    *(
        "dataRef",
        "reftype",
        "url",
        "dblobAssetId",
        "zUuid",
        "altText",
        "invocation",
        "name",
        "args",
        "code",
        "language",
    ),
    *("author", "response", "result", "error", "executor", "hint", "annotations", "title", "refNumber", "data", "vdt"),
    *("mimeType", "l1Title", "ref", "_legacyImageRefPart", "zRefSummary", "text", "resource", "pt", "type"),
)
_parts = st.recursive(
    st.dictionaries(st.sampled_from(_keys), _values, max_size=6),
    lambda inner: st.dictionaries(st.sampled_from(_keys), inner | st.lists(inner | _values, max_size=3), max_size=5),
    max_leaves=6,
)


def show(pt, part=None, text=None, *, title="", assets=None, is_typed=False):
    block = build_block(pt, title, text, part, budget=RenderBudget(), assets=assets or {}, is_typed=is_typed)
    # The pages of records are linked to by key; without rows there are none.
    return render_to_string("chats/block.html", {"block": block, "turn": {"message": {"pk": 1}}})


def asset(mime_type="image/png", uid="old-id"):
    return Asset(pk=7, uid=uid, mime_type=mime_type, label="A label", width=96, height=64, sha256="ab", position=0)


@given(st.sampled_from(KINDS), _parts | _json, st.none() | st.text(max_size=40), st.text(max_size=10))
def test_whatever_lies_in_a_part_is_shown_without_harm(pt, part, text, title):
    html = show(pt, part, text, title=title)
    html.encode()
    for tag, attributes in Elements(html).tags:
        assert tag not in ("script", "iframe", "object", "style", "img", "form")
        assert not any(name.startswith(("on", "style", "x-", "hx-")) for name in attributes), attributes
        assert not (attributes.get("href") or "").lower().strip().startswith(("javascript:", "data:", "vbscript:"))


def test_it_shows_a_picture_from_the_asset():
    part = {"dataRef": {"reftype": "dblob", "dblobAssetId": "old-id"}, "altText": "a cat"}
    html = show("image_ref", part, assets={"old-id": asset()})
    assert '<img src="/api/assets/old-id/content" alt="a cat"' in html
    assert 'width="96" height="64"' in html


def test_it_shows_a_picture_of_the_newer_reference():
    legacy = {"dataRef": {"reftype": "dblob", "dblobAssetId": "old-id"}, "altText": "a cat"}
    part = {"zUuid": "u", "zType": "asset", "_legacyImageRefPart": legacy}
    assert "/api/assets/old-id/content" in show("reference", part, assets={"old-id": asset()})
    assert "/api/assets/old-id/content" in show("reference", {"zUuid": "u"}, assets={"u": asset()})


@pytest.mark.parametrize("mime_type", ["image/svg+xml", "text/html", "application/pdf", "", None])
def test_it_shows_no_file_that_can_run(mime_type):
    part = {"dataRef": {"dblobAssetId": "old-id"}}
    html = show("image_ref", part, assets={"old-id": asset(mime_type)})
    assert "<img" not in html and "/admin/chats/asset/7/" in html


def test_it_plays_audio():
    assert "<audio controls" in show(
        "image_ref", {"dataRef": {"dblobAssetId": "old-id"}}, assets={"old-id": asset("audio/mpeg")}
    )


def test_it_tells_which_picture_is_missing():
    html = show("image_ref", {"dataRef": {"dblobAssetId": "lost"}, "altText": "a cat"})
    assert "Image missing" in html and "a cat" in html and "lost" in html


def test_it_links_to_a_remote_picture_and_never_loads_it():
    html = show("image_ref", {"dataRef": {"reftype": "url", "url": "https://example.com/x.png"}, "altText": "far"})
    assert "<img" not in html
    assert 'href="https://example.com/x.png" rel="noopener noreferrer nofollow"' in html


def test_it_folds_reasoning_tools_and_documents_away():
    call = {"invocation": {"name": "search", "args": '{"q":"cats"}'}}
    answer = {"error": "no answer", "response": {"name": "search", "result": "[]"}}
    code = {"invocation": {"language": "python", "code": "import os", "author": "gemini"}}
    for html, expected in (
        (show("ma", {}, "I think"), ["Reasoning", "I think"]),
        (show("ma", {"redactedData": ["x"]}), ["redacted by the provider"]),
        (show("tool_invocation", call), ["Tool call: search", "&quot;q&quot;", "cats"]),
        (show("tool_invocation", code), ["Code to run by gemini", '<span class="kn">import</span>']),
        (show("tool_response", answer), ["Tool result of search, failed", "no answer"]),
        (
            show("doc", {"data": {"mimeType": "text/plain"}}, "the <b>text</b>", title="a.txt"),
            ["Document: a.txt", "&lt;b&gt;"],
        ),
        (show("hosted_resource", {"resource": {"via": "anthropic"}}), ["File stored by the provider", "anthropic"]),
        (show("_pt_future", {"new": 1}), ["Part of type _pt_future", "new"]),
    ):
        assert html.strip().startswith("<details")
        assert [word for word in expected if word not in html and word.replace("&quot;", '"') not in html] == [], html


def test_it_lists_citations():
    part = {
        "annotations": [
            {"url": "https://e.com/", "title": "A <b>", "refNumber": 3},
            {"url": "javascript:x", "title": "B"},
        ]
    }
    html = show("annotations", part)
    assert "[3]" in html and 'href="https://e.com/"' in html and "A &lt;b&gt;" in html
    assert "javascript" not in html and "B" in html


def test_it_shows_errors_as_errors_and_placeholders_as_unfinished():
    html = show("error", {"hint": "try later"}, "**429** too many")
    assert 'class="problem"' in html and "<strong>429</strong>" in html and "try later" in html
    assert "Unfinished answer" in show("ph", {}, "…thinking")


def test_what_a_person_typed_keeps_its_lines():
    assert "<br>" in show("text", {}, "one\ntwo", is_typed=True)
    assert "<br>" not in show("text", {}, "one\ntwo")


def test_a_page_has_an_end_however_long_its_texts_are():
    budget = RenderBudget()
    blocks = [
        build_block("text", "", "word " * 30_000, {}, budget=budget, assets={}, is_typed=False) for _ in range(40)
    ]
    assert sum(len(block.html) for block in blocks) < 6_000_000
    assert blocks[0].is_cut is False
    assert blocks[-1].is_cut and len(blocks[-1].html) < CUT_TEXT + 50
