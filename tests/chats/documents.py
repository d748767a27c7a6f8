"""Small documents of each kind, made for tests."""

import io
import zipfile
from xml.sax.saxutils import escape

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


def make_pdf(*pages: str, title: str = "", encrypt: str = "") -> bytes:
    """Return a PDF with a line of text on each page; a page of no text has none, as a scan. `encrypt` is a dictionary
    of its trailer."""
    kids = " ".join(f"{4 + 2 * at} 0 R" for at in range(len(pages)))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for at, text in enumerate(pages):
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            f"/Contents {5 + 2 * at} 0 R >>"
        )
        stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else ""
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    objects.append(f"<< /Title ({title}) >>")
    more = f"/Encrypt {encrypt} /ID [<00> <00>]" if encrypt else ""
    return _write_pdf(objects, f"/Info {len(objects)} 0 R {more}")


def _write_pdf(objects: list[str], trailer: str = "") -> bytes:
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, text in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{text}\nendobj\n".encode("latin-1")
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R {trailer} >>\n".encode()
    return bytes(out + f"startxref\n{start}\n%%EOF\n".encode())


def make_pdf_form(label: str, value: str) -> bytes:
    """Return a PDF with a field that is filled in."""
    fonts = "/Resources << /Font << /F1 3 0 R >> >>"
    texts = [f"BT /F1 12 Tf 72 720 Td ({label}) Tj ET", f"BT /F1 12 Tf 2 5 Td ({value}) Tj ET"]
    streams = [f"/Length {len(text)} >>\nstream\n{text}\nendstream" for text in texts]
    return _write_pdf(
        [
            "<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [6 0 R] >> >>",
            "<< /Type /Pages /Kids [4 0 R] /Count 1 >>",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] {fonts} /Contents 5 0 R /Annots [6 0 R] >>",
            f"<< {streams[0]}",
            "<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /Rect [120 715 300 735] /F 4 /AP << /N 7 0 R >> >>",
            f"<< /Type /XObject /Subtype /Form /BBox [0 0 180 20] {fonts} {streams[1]}",
        ]
    )


def make_encrypted_pdf() -> bytes:
    """Return a PDF that no empty password opens."""
    return make_pdf("Secret", encrypt=f"<< /Filter /Standard /V 1 /R 2 /O <{'00' * 32}> /U <{'00' * 32}> /P -4 >>")


def make_zip(members: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def _relationships(kind: str, target: str) -> str:
    return (
        f'{XML}<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{R}/{kind}" Target="{target}"/></Relationships>'
    )


def make_docx(*paragraphs: str, body: str = "", start: str = "", **members: str | bytes) -> bytes:
    """Return a Word document; a paragraph that begins with # is a heading. `start` stands before its root element."""
    for text in paragraphs:
        style = '<w:pPr><w:pStyle w:val="Heading1"/></w:pPr>' if text.startswith("#") else ""
        body += f"<w:p>{style}<w:r><w:t>{escape(text.lstrip('# '))}</w:t></w:r></w:p>"
    document = f'{XML}{start}<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>'
    types = (
        f'{XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        'wordprocessingml.document.main+xml"/></Types>'
    )
    return make_zip(
        {
            "[Content_Types].xml": types,
            "_rels/.rels": _relationships("officeDocument", "word/document.xml"),
            "word/document.xml": document,
            **members,
        }
    )


def make_xlsx(rows: str, *, state: str = "visible") -> bytes:
    """Return a workbook with these rows (XML) in its one sheet."""
    types = (
        f'{XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        'spreadsheetml.sheet.main+xml"/></Types>'
    )
    workbook = (
        f'{XML}<workbook xmlns="{S}" xmlns:r="{R}"><sheets>'
        f'<sheet name="Costs" sheetId="1" state="{state}" r:id="rId1"/></sheets></workbook>'
    )
    return make_zip(
        {
            "[Content_Types].xml": types,
            "_rels/.rels": _relationships("officeDocument", "xl/workbook.xml"),
            "xl/workbook.xml": workbook,
            "xl/_rels/workbook.xml.rels": _relationships("worksheet", "worksheets/sheet1.xml"),
            "xl/worksheets/sheet1.xml": f'{XML}<worksheet xmlns="{S}"><sheetData>{rows}</sheetData></worksheet>',
        }
    )


def make_row(number: int, *cells: str | float) -> str:
    """Return a row of a sheet, as XML."""
    shown = "".join(
        f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' if isinstance(cell, str) else f"<c><v>{cell}</v></c>"
        for cell in cells
    )
    return f'<row r="{number}">{shown}</row>'


def make_pptx() -> bytes:
    """Return a presentation of a slide with a title, a list and notes, and an empty one."""
    from pptx import Presentation

    presentation = Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[1])
    slide.shapes.title.text = "Bridges"
    slide.placeholders[1].text = "Six in Porto\nOne by Eiffel's partner"
    slide.notes_slide.notes_text_frame.text = "Show the picture."
    presentation.slides.add_slide(presentation.slide_layouts[6])
    out = io.BytesIO()
    presentation.save(out)
    return out.getvalue()
