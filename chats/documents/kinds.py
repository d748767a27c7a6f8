"""Which kind a document is, by its bytes; a name only tells HTML from other text. Pure."""

import io
import re
import zipfile
from dataclasses import dataclass
from enum import StrEnum

from chats.documents.faults import Code, Unreadable, damaged, encrypted, too_large

MIB = 2**20
MAX_UNPACKED = 200 * MIB
"""Bytes of all files in an archive together: Office files are ZIP archives, and a small one can hold gigabytes."""
MAX_MEMBERS = 10_000

LISTED = "PDF, Word (.docx), Excel (.xlsx, .xls), OpenDocument sheets (.ods), PowerPoint (.pptx) and HTML"

_UNKNOWN = "This kind of file cannot be read."


class Kind(StrEnum):
    PDF = "pdf"
    DOCX = "docx"
    SHEET = "sheet"
    PPTX = "pptx"
    HTML = "html"


LABELS = {
    Kind.PDF: "PDF",
    Kind.DOCX: "Word document",
    Kind.SHEET: "spreadsheet",
    Kind.PPTX: "presentation",
    Kind.HTML: "HTML page",
}
"""What a kind is called in a sentence."""
_ENDINGS = {
    **dict.fromkeys(("docx", "docm", "doc"), Kind.DOCX),
    **dict.fromkeys(("xlsx", "xlsm", "xlsb", "xls", "ods"), Kind.SHEET),
    **dict.fromkeys(("pptx", "pptm", "ppt"), Kind.PPTX),
}

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
"""With it begin the Office files of before 2007, and new ones that are encrypted ([MS-CFB])."""
_OLE_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OLE_SHEETS = tuple(name.encode("utf-16-le") for name in ("Workbook\0", "Book\0"))
_OLE_OTHERS = {"WordDocument".encode("utf-16-le"): Kind.DOCX, "PowerPoint Document".encode("utf-16-le"): Kind.PPTX}
_TOO_OLD = {
    Kind.DOCX: "Word files of before 2007 (.doc) cannot be read. Save this one as .docx or PDF, and attach that.",
    Kind.PPTX: "PowerPoint files of before 2007 (.ppt) cannot be read. Save this one as .pptx or PDF, and attach that.",
}

_HTML_NAME = re.compile(r"\.(?:html?|xhtml)\Z", re.IGNORECASE)
# Without backtracking: each comment ends at its own end.
_HTML_START = re.compile(
    rb"\s*+(?>(?><!--.*?-->)\s*+|<\?xml[^>]*+>\s*+)*+<(?:!doctype\s++html|html)\b", re.IGNORECASE | re.DOTALL
)
_MAIN_PARTS = {"word/": Kind.DOCX, "xl/": Kind.SHEET, "ppt/": Kind.PPTX}
_SHEET_TYPE = b"application/vnd.oasis.opendocument.spreadsheet"


@dataclass(frozen=True)
class Found:
    kind: Kind
    has_macros: bool = False


def find_kind(data: bytes, name: str = "", content_type: str = "") -> Found:
    """Return the kind of a document. Raises `Unreadable` for one that cannot be read."""
    # Some writers put a few bytes in front (PDF 32000-1, annex H.3.4.1).
    if b"%PDF-" in data[:1024]:
        return Found(Kind.PDF)
    if data.startswith(b"PK\x03\x04"):
        return _look_into_archive(data, _kind_by_name(name))
    if data.startswith(OLE):
        return _look_into_ole(data, _kind_by_name(name))
    is_called_html = _HTML_NAME.search(name) or content_type.partition(";")[0].strip().lower() in (
        "text/html",
        "application/xhtml+xml",
    )
    if _HTML_START.match(data[:4096].removeprefix(b"\xef\xbb\xbf")) or (is_called_html and b"\0" not in data[:1024]):
        return Found(Kind.HTML)
    if is_called_html and data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return Found(Kind.HTML)
    raise Unreadable(Code.UNKNOWN_KIND, f"{_UNKNOWN} These can: {LISTED}.")


def _kind_by_name(name: str) -> Kind | None:
    return _ENDINGS.get(name.rpartition(".")[2].lower())


def _look_into_archive(data: bytes, named: Kind | None) -> Found:
    label = LABELS[named] if named else "file"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            unpacked = sum(member.file_size for member in members)
            if len(members) > MAX_MEMBERS or unpacked > MAX_UNPACKED:
                raise too_large(f"Unpacked, this file has over {MAX_UNPACKED // MIB} MiB or {MAX_MEMBERS:,} parts.")
            if any(member.flag_bits & 1 for member in members):
                raise encrypted(label)
            names = [member.filename for member in members]
            has_macros = any(name.endswith("vbaProject.bin") for name in names)
            if "[Content_Types].xml" in names:
                for start, kind in _MAIN_PARTS.items():
                    if any(name.startswith(start) for name in names):
                        return Found(kind, has_macros)
            if "mimetype" in names and _read_start(archive, "mimetype", 100).startswith(_SHEET_TYPE):
                if b"manifest:encryption-data" in _read_start(archive, "META-INF/manifest.xml", MIB):
                    raise encrypted("spreadsheet")
                return Found(Kind.SHEET)
    # What a damaged archive raises is not told anywhere.
    except (zipfile.BadZipFile, EOFError, KeyError, NotImplementedError, OSError, RuntimeError, ValueError) as error:
        raise damaged(label) from error
    raise Unreadable(Code.UNKNOWN_KIND, f"This archive is not a document that can be read. These can: {LISTED}.")


def _read_start(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    with archive.open(name) as member:
        return member.read(most)


def _look_into_ole(data: bytes, named: Kind | None) -> Found:
    # The names of what is in it stand in its directory, as UTF-16.
    if _OLE_ENCRYPTED in data:
        raise encrypted(LABELS[named] if named else "document")
    if any(name in data for name in _OLE_SHEETS):
        return Found(Kind.SHEET, "_VBA_PROJECT".encode("utf-16-le") in data)
    # Of a file that was cut off, the name alone tells what it was.
    kind = next((kind for name, kind in _OLE_OTHERS.items() if name in data), named)
    if kind is Kind.SHEET:
        raise damaged(LABELS[kind])
    raise Unreadable(Code.UNKNOWN_KIND, _TOO_OLD[kind] if kind else f"{_UNKNOWN} These can: {LISTED}.")
