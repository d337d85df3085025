"""Workbooks written by hand, part by part: whatever a spreadsheet may save, or an attacker."""

import io
import zipfile
from typing import Final

MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT: Final = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006/relationships"


def relations(*targets: tuple[str, str]) -> str:
    """Return the part that names other parts, each by kind and place; ids count from r1."""
    listed = "".join(
        f'<Relationship Id="r{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{_PACKAGE}">{listed}</Relationships>'


def sheet(*rows: tuple[str, ...], namespace: str = MAIN) -> str:
    """Return a worksheet whose cells are texts written where they stand."""
    lines = (
        "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in row) for row in rows
    )
    body = "".join(f"<row>{line}</row>" for line in lines)
    return f'<worksheet xmlns="{namespace}"><sheetData>{body}</sheetData></worksheet>'


def workbook(sheets: str = '<sheet name="S" sheetId="1" r:id="r1"/>', *, head: str = "") -> str:
    """Return the part that lists the sheets."""
    return (
        f'<workbook xmlns="{MAIN}" xmlns:r="{_OFFICE}">{head}<sheets>{sheets}</sheets></workbook>'
    )


def package(method: int = zipfile.ZIP_DEFLATED, **changed: str | bytes | None) -> bytes:
    """Return a workbook of one sheet, with parts changed, added or (None) left out.

    Parts are named with `__` for a slash and `_xml` for `.xml`.
    """
    parts: dict[str, str | bytes | None] = {
        "_rels__.rels": relations(("officeDocument", "xl/workbook.xml")),
        "xl__workbook_xml": workbook(),
        "xl___rels__workbook_xml.rels": relations(
            ("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml")
        ),
        "xl__worksheets__sheet1_xml": sheet(("Phone",)),
        "xl__sharedStrings_xml": f'<sst xmlns="{MAIN}"/>',
        **changed,
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, data in parts.items():
            if data is not None:
                archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), data)
    return file.getvalue()
