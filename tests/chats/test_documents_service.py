"""Documents as text: what is read and counted of each kind, and what hostile and broken ones do."""

import struct
import time

import pytest

from chats.documents import reading
from chats.documents.faults import Code, Unreadable
from chats.documents.findings import count_words, say_counts, say_numbers
from chats.documents.reading import read_document
from tests.chats.documents import (
    make_docx,
    make_encrypted_pdf,
    make_pdf,
    make_pdf_form,
    make_pptx,
    make_row,
    make_xlsx,
    make_zip,
)
from tests.nightly import by_day

pytestmark = pytest.mark.any_database

MIB = 2**20


def codes(document):
    return [warning["code"] for warning in document.warnings]


def refuse(data, name=""):
    with pytest.raises(Unreadable) as caught:
        read_document(data, name)
    assert caught.value.detail.endswith(".")
    return caught.value.code


def test_a_pdf_is_read_page_by_page():
    document = read_document(make_pdf("Six bridges", "", "Over the Douro", title="Porto"), "porto.pdf")
    assert document.text == "[Page 1]\nSix bridges\n\n[Page 3]\nOver the Douro"
    assert (document.title, document.mime_type, document.kind) == ("Porto", "text/plain", "pdf")
    assert document.summary == "3 pages, 9 words"
    assert document.warnings == [
        {"code": "pages-without-text", "detail": "Page 2 has no text; images and scans have none."}
    ]
    assert read_document(make_pdf_form("Name:", "Ada")).text == "Name:\nAda"
    scan = read_document(make_pdf("", ""), "scan.pdf")
    assert (scan.text, scan.title, codes(scan)) == ("", "scan.pdf", ["no-text"])


def test_word_and_powerpoint_become_markdown():
    table = (
        "<w:tbl>" + "<w:tr><w:tc><w:p><w:r><w:t>Bridge</w:t></w:r></w:p></w:tc>"
        "<w:tc><w:p><w:r><w:t>Year</w:t></w:r></w:p></w:tc></w:tr>" * 2 + "</w:tbl>"
    )
    document = read_document(make_docx("# Porto", "Six bridges_here * there", body=table), "porto.docx")
    assert document.text.splitlines()[-3:] == ["# Porto", "", "Six bridges_here * there"]
    assert "| Bridge | Year |" in document.text
    assert document.warnings == [] and document.mime_type == "text/markdown"
    macros = read_document(make_docx("Text", **{"word/vbaProject.bin": b"x"}), "macros.docm")
    assert codes(macros) == ["macros"]

    slides = read_document(make_pptx(), "bridges.pptx")
    assert slides.text == (
        "## Slide 1: Bridges\n\n- Six in Porto\n- One by Eiffel's partner\n\nNotes: Show the picture.\n\n## Slide 2"
    )
    assert slides.summary.startswith("2 slides, ")


def test_a_sheet_becomes_a_table_and_what_is_cut_of_it_is_told():
    rows = make_row(1, "Bridge", "Cost, net") + make_row(2, "Luís I", 369.5) + make_row(3, "Arrábida", 240000)
    document = read_document(make_xlsx(rows, state="hidden"), "costs.xlsx")
    assert document.text == (
        '## Costs (hidden sheet)\n\n```csv\nBridge,"Cost, net"\nLuís I,369.5\nArrábida,240000\n```'
    )
    assert codes(document) == ["hidden-sheets"]
    assert document.summary == "1 sheet, 3 rows"
    many = read_document(make_xlsx("".join(make_row(at, at, "x" * 10) for at in range(1, 40_001))), "many.xlsx")
    assert many.counts["rows"] == 40_000 and many.text.count("\n") < 10_010
    assert many.warnings[0]["detail"] == "Not all rows were read: Costs (10,000 of 40,000 rows)."


def test_html_is_what_a_reader_sees_of_it():
    page = (
        "<!doctype html><html><head><title>Porto &amp; Gaia</title><style>p{}</style></head><body><script>x()</script>"
        '<h1>Été</h1><p onclick="x()">Six <b>bridges</b>, <a href="javascript:x()">here</a> and '
        '<a href="https://example.org/">there</a>.</p><img src="data:image/png;base64,AA" alt="The Douro"></html>'
    )
    document = read_document(page.encode(), "page.html")
    assert document.title == "Porto & Gaia"
    assert document.text == "# Été\n\nSix **bridges**, here and [there](https://example.org/).\n\n[Image: The Douro]"
    # By its name alone, and in the encoding that it says.
    assert read_document('<meta charset="windows-1252"><p>Été'.encode("windows-1252"), "part.htm").text == "Été"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"just text", Code.UNKNOWN_KIND),
        (b"\0\1\2", Code.UNKNOWN_KIND),
        (make_zip({"notes.txt": "x"}), Code.UNKNOWN_KIND),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1000 + "WordDocument".encode("utf-16-le"), Code.UNKNOWN_KIND),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1000 + "EncryptedPackage".encode("utf-16-le"), Code.ENCRYPTED),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1000 + "Workbook\0".encode("utf-16-le"), Code.DAMAGED),
        (make_encrypted_pdf(), Code.ENCRYPTED),
        (b"%PDF-1.7 and nothing more", Code.DAMAGED),
        (make_docx("Half")[:-200], Code.DAMAGED),
        (make_docx("No end")[:400], Code.DAMAGED),
        (make_docx(start="<oops>"), Code.DAMAGED),
        (make_xlsx("<row><c t='s'><v>99999999</v></c></row><row"), Code.DAMAGED),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_read_says_why(data, code):
    assert refuse(data) == code


def test_each_kind_has_its_own_words():
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 1000
    for data, name, words in (
        (ole, "cut-off.XLS", "This spreadsheet is damaged"),
        (ole, "cut-off.doc", "Word files of before 2007 (.doc)"),
        (ole + "PowerPoint Document".encode("utf-16-le"), "no ending", "PowerPoint files of before 2007 (.ppt)"),
        (ole, "Thumbs.db", "This kind of file cannot be read. These can: PDF"),
        (ole + "EncryptedPackage".encode("utf-16-le"), "a.pptx", "This presentation is protected"),
        (make_docx("Half")[:-200], "half.docx", "This Word document is damaged"),
        (make_docx("Half")[:-200], "", "This file is damaged"),
    ):
        with pytest.raises(Unreadable) as caught:
            read_document(data, name)
        assert caught.value.detail.startswith(words), (name, caught.value.detail)


BOMB = "".join(f'<!ENTITY {chr(98 + at)} "{f"&{chr(97 + at)};" * 10}">' for at in range(9))
LAUGHS = f'<!DOCTYPE x [<!ENTITY a "{"ha" * 5000}">{BOMB}]>'
FILE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'


def lie_about(data: bytes, name: str) -> bytes:
    """Return the archive with a length of 10 bytes in the place of the real one of this member."""
    changed = bytearray(data)
    for signature, at_length, at_name in ((b"PK\x03\x04", 22, 30), (b"PK\x01\x02", 24, 46)):
        at = changed.find(signature)
        while at >= 0:
            if changed[at + at_name :].startswith(name.encode()):
                changed[at + at_length : at + at_length + 4] = struct.pack("<I", 10)
            at = changed.find(signature, at + 4)
    return bytes(changed)


def test_hostile_documents_are_refused_or_harmless(monkeypatch):
    """Bombs, entities, loops and depth: each is told in words, within the limits."""
    started = time.monotonic()
    assert refuse(make_docx(**{"word/media/bomb.bin": b"0" * (201 * MIB)})) == Code.TOO_LARGE
    liar = lie_about(make_xlsx(" " * (100 * MIB) + make_row(1, "x")), "xl/worksheets/sheet1.xml")
    assert refuse(liar) in (Code.DAMAGED, Code.MEMORY, Code.TIME)
    assert refuse(make_docx(start=LAUGHS, body="<w:p><w:r><w:t>&i;</w:t></w:r></w:p>")) in (Code.DAMAGED, Code.MEMORY)
    try:
        assert "localhost" not in read_document(make_docx(start=FILE, body="<w:p><w:r><w:t>&e;</w:t></w:r></w:p>")).text
    except Unreadable as error:
        assert error.code == Code.DAMAGED
    # A page tree that leads back to itself.
    loop = make_pdf("Loop").replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]")
    try:
        assert read_document(loop).text == ""
    except Unreadable as error:
        assert error.code == Code.DAMAGED
    nested = read_or_refuse(b"<html>" + b"<div>" * 100_000 + b"deep", "deep.html")
    assert nested in ("read", Code.TOO_LARGE, Code.DAMAGED)
    # The parser is ended whatever it is doing.
    monkeypatch.setattr(reading, "SECONDS", 0.05)
    assert refuse(make_pdf("Slow")) == Code.TIME
    assert time.monotonic() - started < 100


def read_or_refuse(data, name=""):
    try:
        read_document(data, name)
    except Unreadable as error:
        return error.code
    return "read"


@pytest.mark.slow
def test_broken_documents_are_read_or_refused():
    """Cut off and with a byte changed, at many places: never anything else than a text or a reason."""
    whole = [make_pdf("One", "Two"), make_docx("# One", "Two"), make_xlsx(make_row(1, "a", 2)), make_pptx()]
    for data in whole:
        step = max(1, len(data) // 12)
        for at in by_day(list(range(step // 2, len(data), step)), each=4):
            read_or_refuse(data[:at])
            read_or_refuse(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])


def test_words_are_counted_and_told():
    assert count_words("Don't count-this twice, été: 12.5 %") == 5
    assert count_words("橋が六つ") == 4
    assert say_counts({"pages": 12, "words": 8432, "characters": 1}) == "12 pages, 8,432 words"
    assert say_counts({"sheets": 1, "rows": 0, "words": 1}) == "1 sheet, 0 rows"
    assert say_numbers([2]) == "2"
    assert say_numbers([2, 5, 6, 7, 11]) == "2, 5–7 and 11"
