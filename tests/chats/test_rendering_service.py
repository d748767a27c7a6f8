import time
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chats import rendering
from chats.rendering import is_safe_link, render_code, render_markdown

pytestmark = pytest.mark.any_database

ALLOWED_ATTRIBUTES = {"href", "title", "rel", "class", "start"}


class Elements(HTMLParser):
    """Collects what a browser would make of the HTML: tags with their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def names(self) -> list[str]:
        return [tag for tag, _ in self.tags]

    def links(self) -> list[str | None]:
        return [attributes.get("href") for tag, attributes in self.tags if tag == "a"]


def elements(markdown: str) -> Elements:
    return Elements(render_markdown(markdown))


def assert_harmless(html: str) -> None:
    assert "<script" not in html.lower()
    for tag, attributes in Elements(html).tags:
        assert tag in rendering._BLOCKS | rendering._INLINE | rendering._TABLES
        assert attributes.keys() <= ALLOWED_ATTRIBUTES, attributes
        if tag == "a":
            assert is_safe_link(attributes["href"]), attributes
            assert attributes["rel"] == "noopener noreferrer nofollow"


def test_it_renders_what_people_write():
    html = render_markdown("# Title\n\nSome *soft* and **strong** `code`, ~~gone~~.\n\n- one\n- two\n")
    assert "<h3>Title</h3>" in html
    assert "<em>soft</em>" in html and "<strong>strong</strong>" in html
    assert "<code>code</code>" in html and "<s>gone</s>" in html
    assert html.count("<li>") == 2


def test_it_renders_tables_without_style_attributes():
    html = render_markdown("| a | b |\n|:--|--:|\n| 1 | 2 |\n")
    assert '<td class="md-right">2</td>' in html
    assert "style" not in html


def test_it_highlights_known_languages_and_escapes_all():
    html = render_markdown("```python\nreturn '<b>'\n```\n")
    assert '<span class="k">return</span>' in html
    assert "<b>" not in html
    unknown = render_markdown('```no"such<x>\n<i>\n```\n')
    assert "&lt;i&gt;" in unknown
    assert_harmless(unknown)


def test_it_keeps_every_character_of_code():
    code = "\n\n  x = 1\n\n"
    assert Elements(render_code(code, "python")).text == code
    assert Elements(render_code(code, "nonsense")).text == code


def test_it_shows_html_as_text():
    found = elements("<script>alert(1)</script>\n\n<img src=x onerror=alert(1)> <b onclick='x'>b</b>")
    assert set(found.names()) <= {"p"}
    assert "<script>alert(1)</script>" in found.text


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "&#106;avascript:alert(1)",
        "java\tscript:alert(1)",
        "vbscript:x",
        "data:text/html,<script>alert(1)</script>",
        "data:image/svg+xml,<svg onload=alert(1)>",
        "data:image/png;base64,AAAA",
        "file:///etc/passwd",
        "/admin/logout/",
        "//evil.example/x",
        "#top",
        "?q=1",
    ],
)
def test_it_makes_no_link_of_what_is_no_web_address(url):
    for markdown in (f"[x](<{url}>)", f"<{url}>", f"![x](<{url}>)", f"[x][1]\n\n[1]: <{url}>"):
        html = render_markdown(markdown)
        assert elements(markdown).links() == [], html
        assert_harmless(html)


def test_it_marks_links_to_other_hosts():
    html = render_markdown("[x](https://example.com/ 'A title') <https://example.org/>")
    assert html.count('rel="noopener noreferrer nofollow"') == 2
    assert 'title="A title"' in html


def test_it_makes_links_of_addresses_as_they_are_written():
    found = elements("See https://example.com/a_(b)?q=1&r=2, (http://example.org). <https://example.net/>")
    assert found.links() == ["https://example.com/a_(b)?q=1&r=2", "http://example.org", "https://example.net/"]
    # A file is no host, and code stays code. What is a link already is no other one.
    for text in ("main.py www.x.com //x.com/y a@x.com ftp://x.com", "`https://x.com`", "    https://x.com"):
        assert elements(text).links() == [], text
    assert elements("[https://example.com](https://example.org)").links() == ["https://example.org"]
    assert elements("**https://e.com/_a_b** 见https://e.com/。").links() == ["https://e.com/_a_b", "https://e.com/"]


def test_it_shows_what_is_done_of_a_list_of_tasks():
    html = render_markdown("- [x] **done** it\n- [ ] open\n\n  [x] more\n- [x]no\n1. [X] third")
    assert html.count('<li class="md-task">') == 3
    assert [mark for mark in Elements(html).text if mark in "☐☑"] == ["☑", "☐", "☑"]
    assert "[x]no" in html and "[x] more" in html


def test_it_shows_remote_images_as_links_and_never_loads_them():
    found = elements("![a cat](https://example.com/cat.png)")
    assert "img" not in found.names()
    assert found.links() == ["https://example.com/cat.png"]
    assert "a cat" in found.text and "example.com" in found.text


def test_it_puts_no_link_inside_a_link():
    found = elements("[![inner](https://example.com/i.png)](https://example.com/) ![next](https://example.com/n.png)")
    assert found.links() == ["https://example.com/", "https://example.com/n.png"]


def test_it_breaks_lines_where_it_is_told():
    assert "<br>" in render_markdown("one\ntwo", line_breaks=True)
    assert "<br>" not in render_markdown("one\ntwo")


def test_it_shows_a_very_long_text_as_it_is():
    text = "*a* <b>\n" * (rendering.MAX_MARKDOWN // 8 + 1)
    html = render_markdown(text)
    assert html.startswith('<pre class="md-plain">')
    assert Elements(html).text == text


def test_it_replaces_what_no_response_can_carry():
    assert render_markdown("a \ud83d b").encode() == "<p>a \ufffd b</p>\n".encode()
    render_code("x = '\udc00'", "python").encode()
    render_markdown("[a](https://e.com/\ud83d)\n\n```\ud83d\n\x00\n```").encode()


@pytest.mark.parametrize(
    "unit", [">", "[", "![[", "*a ", "[a](", "https://a.", "://", "`", "- ", "|a|-\n", "<", "&", "**a ", "[x](<"]
)
def test_it_ends_soon_whatever_is_nested(unit):
    text = unit * (rendering.MAX_MARKDOWN // len(unit))
    start = time.process_time()
    assert_harmless(render_markdown(text))
    # Measured at two seconds of computing at most; a renderer that backtracks would take minutes.
    assert time.process_time() - start < 60


_pieces = st.lists(
    st.one_of(
        st.sampled_from(
            [
                *("<script>", "</script>", "<img src=x onerror=alert(1)>", "<svg/onload=x>", "javascript:alert(1)"),
                *("[a](", "![", "](", ")", "](javascript:x)", "<https://e.com/", "<javascript:x>", "data:text/html,"),
                *("https://e.com/", "http://", "www.e.com", "mailto:a@e.com", "- [x] "),
                *("`", "```", "```html\n", "\n\n", "\n", "    ", "> ", "- ", "1. ", "# ", "| a |\n|---|\n", "**", "~~"),
                *('"', "'", "&#106;", "&lt;", "\\", "\x00", "\ud800", ' onmouseover="x"', " style=x", "[1]: "),
            ]
        ),
        st.text(max_size=12),
    ),
    max_size=25,
).map("".join)


@given(_pieces, st.booleans())
@example("[a](https://e.com/\"onmouseover='x')", False)
@example('!["><script>alert(1)</script>](https://e.com/\'"><script>)', False)
def test_no_text_makes_html_that_does_harm(markdown, line_breaks):
    html = render_markdown(markdown, line_breaks=line_breaks)
    assert_harmless(html)
    html.encode()


@given(_pieces, st.sampled_from(["python", "html", "json", "bash", "javascript", "no-such", ""]))
def test_no_code_makes_html_that_does_harm(code, language):
    assert {tag for tag, _ in Elements(render_code(code, language)).tags} <= {"span"}
