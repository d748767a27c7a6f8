"""The text of Word documents and presentations, as Markdown."""

import io
from collections.abc import Iterator
from typing import Any

import mammoth

from chats.documents.findings import Findings
from chats.documents.html import to_markdown


def read_docx(data: bytes) -> Findings:
    """Return a Word document's text with its headings, lists and tables."""
    made = mammoth.convert_to_html(
        io.BytesIO(data),
        # An image is there by its words alone.
        convert_image=mammoth.images.img_element(lambda image: {"src": ""}),
        include_embedded_style_map=False,
    )
    found = Findings(to_markdown(made.value))
    if not found.text.strip():
        found.warn("no-text", "It has no text.")
    return found


def read_pptx(data: bytes) -> Findings:
    """Return the text of each slide behind its number, with its tables and notes."""
    from pptx import Presentation

    presentation = Presentation(io.BytesIO(data))
    slides = list(presentation.slides)
    found = Findings(title=presentation.core_properties.title or "", counts={"slides": len(slides)})
    texts = []
    has_text = False
    for number, slide in enumerate(slides, 1):
        title = slide.shapes.title
        head = " ".join(title.text_frame.text.split()) if title is not None else ""
        lines = [f"## Slide {number}{': ' if head else ''}{head}"]
        lines += [text for shape in slide.shapes if shape != title for text in _texts_of(shape)]
        if slide.has_notes_slide and slide.notes_slide.notes_text_frame is not None:
            notes = slide.notes_slide.notes_text_frame.text.strip()
            lines += [f"Notes: {notes}"] if notes else []
        has_text = has_text or bool(head) or len(lines) > 1
        texts.append("\n\n".join(lines))
    found.text = "\n\n".join(texts) if has_text else ""
    if not has_text:
        found.warn("no-text", "It has no text; its slides are empty, or images.")
    return found


def _texts_of(shape: Any) -> Iterator[str]:
    """Yield the texts of a shape, and of those that are grouped in it."""
    waiting = [shape]
    while waiting:
        shape = waiting.pop(0)
        if hasattr(shape, "shapes"):
            waiting[:0] = list(shape.shapes)
        elif getattr(shape, "has_table", False):
            rows = [[cell.text for cell in row.cells] for row in shape.table.rows]
            yield _as_table(rows)
        elif getattr(shape, "has_text_frame", False) and shape.text_frame.text.strip():
            yield "\n".join(_bullets(shape.text_frame))


def _bullets(frame: Any) -> Iterator[str]:
    paragraphs = [paragraph for paragraph in frame.paragraphs if paragraph.text.strip()]
    for paragraph in paragraphs:
        mark = "- " if len(paragraphs) > 1 else ""
        yield f"{'  ' * paragraph.level}{mark}{' '.join(paragraph.text.split())}"


def _as_table(rows: list[list[str]]) -> str:
    lines = [f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    if lines:
        lines.insert(1, f"|{' --- |' * len(rows[0])}")
    return "\n".join(lines)
