"""The text of a PDF, page by page."""

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from chats.documents.faults import damaged, encrypted
from chats.documents.findings import MAX_CHARACTERS, Findings, say_numbers

MAX_PAGES = 5_000
_HYPHEN = "\ufffe"
"""What PDFium gives for a hyphen at which a word is broken."""


def read_pdf(data: bytes) -> Findings:
    """Return the text of each page behind a line with its number. Raises `Unreadable`."""
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if raw.FPDF_GetLastError() in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY) or "assword" in str(error):
            raise encrypted("PDF") from error
        raise damaged("PDF") from error
    count = len(document)
    has_form = document.get_formtype() != raw.FORMTYPE_NONE
    found = Findings(title=document.get_metadata_value("Title"), mime_type="text/plain", counts={"pages": count})
    texts, empty, broken, length = [], [], [], 0
    for number in range(1, min(count, MAX_PAGES) + 1):
        try:
            text = _read_page(document, number - 1, has_form)
        except pdfium.PdfiumError:
            broken.append(number)
            continue
        if not text.strip():
            empty.append(number)
            continue
        texts.append(f"[Page {number}]\n{text}" if count > 1 else text)
        length += len(text)
        if length > MAX_CHARACTERS:
            break
    found.text = "\n\n".join(texts)
    if count > MAX_PAGES:
        found.warn("cut", f"Only the first {MAX_PAGES:,} pages were read.")
    if broken:
        found.warn("damaged-pages", f"{_pages(broken)} damaged and could not be read.")
    if empty and not texts:
        found.warn("no-text", "It has no text; its pages are images, as in a scan.")
    elif empty:
        found.warn("pages-without-text", f"{_pages(empty, 'has', 'have')} no text; images and scans have none.")
    return found


def _read_page(document: pdfium.PdfDocument, index: int, has_form: bool) -> str:
    page = document[index]
    try:
        if has_form and raw.FPDFPage_Flatten(page, raw.FLAT_NORMALDISPLAY) == raw.FLATTEN_SUCCESS:
            # What is filled in is text of the page now, once it is loaded anew.
            page.close()
            page = document[index]
        text_page = page.get_textpage()
        try:
            text: str = text_page.get_text_bounded()
        finally:
            text_page.close()
    finally:
        page.close()
    return text.replace(f"{_HYPHEN}\r\n", "").replace(f"{_HYPHEN}\n", "").replace(_HYPHEN, "")


def _pages(numbers: list[int], one: str = "is", many: str = "are") -> str:
    return f"Page {numbers[0]} {one}" if len(numbers) == 1 else f"Pages {say_numbers(numbers)} {many}"
