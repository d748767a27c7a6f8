"""The cells of spreadsheets, sheet by sheet, as comma-separated values."""

import csv
import io
from datetime import date, datetime, time, timedelta
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from chats.documents.faults import damaged, encrypted
from chats.documents.findings import MAX_CHARACTERS, Findings

MAX_ROWS = 10_000
"""Of each sheet."""
MAX_SHEETS = 200


def read_sheets(data: bytes) -> Findings:
    """Return what the cells show: results of formulas, not the formulas. Raises `Unreadable`."""
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
    except PasswordError as error:
        raise encrypted("spreadsheet") from error
    except CalamineError as error:
        raise damaged("spreadsheet") from error
    sheets = [sheet for sheet in workbook.sheets_metadata if sheet.typ == SheetTypeEnum.WorkSheet]
    found = Findings(counts={"sheets": len(sheets), "rows": 0})
    parts, cut, hidden, length = [], [], [], 0
    for sheet in sheets[:MAX_SHEETS]:
        if length > MAX_CHARACTERS:
            break
        try:
            rows = workbook.get_sheet_by_name(sheet.name)
        except CalamineError as error:
            raise damaged("spreadsheet") from error
        text, count = _write_rows(rows, MAX_CHARACTERS - length)
        found.counts["rows"] += rows.height
        if count < rows.height:
            cut.append(f"{sheet.name} ({count:,} of {rows.height:,} rows)")
        is_hidden = sheet.visible != SheetVisibleEnum.Visible
        hidden += [sheet.name] if is_hidden else []
        heading = f"## {sheet.name}{' (hidden sheet)' if is_hidden else ''}"
        parts.append(f"{heading}\n\n```csv\n{text}```" if text else f"{heading}\n\n(empty)")
        length += len(text)
    found.text = "\n\n".join(parts)
    if cut:
        found.warn("cut", f"Not all rows were read: {'; '.join(cut[:5])}{'; and others' if len(cut) > 5 else ''}.")
    if len(parts) < len(sheets):
        found.warn("cut", f"Only the first {len(parts)} of {len(sheets)} sheets were read.")
    if hidden:
        found.warn("hidden-sheets", f"Hidden sheets are included: {', '.join(hidden[:5])}.")
    if not found.counts["rows"]:
        found.warn("no-text", "Its cells are empty.")
    return found


def _write_rows(rows: Any, most: int) -> tuple[str, int]:
    """Return the rows as text, and how many of them: at most `MAX_ROWS`, and about as many characters as `most`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    count = 0
    for row in rows.iter_rows():
        if count == MAX_ROWS or out.tell() > most:
            break
        writer.writerow([_show(cell) for cell in row])
        count += 1
    return out.getvalue(), count


def _show(cell: Any) -> str:
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 10**15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() else cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return str(cell)
    return str(cell)
