"""A worksheet through gspread: opened, made with its header when missing, appended to, read."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from callagent_cli.errors import ServiceUnavailable, SettingsError
from callagent_cli.reporting.google_sheet import EVERY_S, SheetError
from callagent_cli.reporting.gspread_errors import Translator, WorksheetGone
from callagent_cli.reporting.redaction import json_fields
from callagent_cli.reporting.sheet_layout import (
    COLUMNS,
    HEAD_ROWS,
    Layout,
    find_layout,
    layout_of,
)
from callagent_cli.settings import Sheet

if TYPE_CHECKING:
    import gspread

TIMEOUTS_S: Final = (5.0, 20.0)
"""Connecting and reading; gspread's own default is to wait forever."""


def _at_once() -> None:
    """Go on without a pause."""


class GspreadWriter:
    """Writes rows to one worksheet; each row ends with its key.

    People may insert, move and rename columns, sort, and put rows above the header: it is looked
    for before each write. A worksheet that is missing is made; one that vanishes while it is
    written to is made anew, which is told once. `pause` is called after each write that only
    prepares the worksheet; `http_client` is for tests. Opens the spreadsheet at the first use;
    raises `SheetError` when that, or making the worksheet, fails.
    """

    def __init__(
        self,
        service_account: dict[str, Any],
        *,
        spreadsheet_id: str,
        worksheet: str,
        pause: Callable[[], None] = _at_once,
        http_client: "type[gspread.HTTPClient] | None" = None,
    ) -> None:
        import gspread  # noqa: PLC0415 — half a second that only a real sheet needs to pay.

        self._gspread = gspread
        self._account = service_account
        self._spreadsheet_id, self._title = spreadsheet_id, worksheet
        self._pause = pause
        self._client_kind = http_client or gspread.HTTPClient
        self._translator = Translator(gspread, str(service_account.get("private_key", "")))
        self._opened: gspread.Worksheet | None = None

    def append(self, rows: Sequence[Sequence[str]]) -> None:
        """Append rows, all or none, as plain text; raises `SheetError`."""
        with self._translator.guarded():
            sheet, layout = self._ready()
            cells = [layout.spread(row) for row in rows]
            if layout.gapless:
                self._append_to_table(sheet, layout, cells)
            else:
                _append_below_all(sheet, cells)

    def keys(self) -> set[str]:
        """Return the keys of all rows in the sheet; raises `SheetError`."""
        with self._translator.guarded():
            sheet, layout = self._ready()
            column = sheet.col_values(layout.key_column + 1)
            return {str(key) for key in column}

    def look(self) -> str:
        """Return what a person should know of the sheet, without changing it; `SheetError`."""
        with self._translator.guarded():
            spreadsheet = self._spreadsheet()
            sheet = self._worksheet(spreadsheet)
            if sheet is None:
                return f"can be opened; the worksheet `{self._title}` will be made"
            if find_layout(_head(sheet)) is None:
                return f"can be read; the worksheet `{self._title}` gets its header"
            return f"can be read, worksheet `{self._title}`"

    # Opening

    def _spreadsheet(self) -> "gspread.Spreadsheet":
        client = self._gspread.service_account_from_dict(
            self._account, http_client=self._client_kind
        )
        client.set_timeout(TIMEOUTS_S)
        # google-auth 2.62 would start a request of its own, without a time limit, to a third host.
        credentials: Any = client.http_client.auth
        credentials._is_regional_access_boundary_lookup_required = _never  # noqa: SLF001 — no public switch exists.
        return client.open_by_key(self._spreadsheet_id)

    def _ready(self) -> "tuple[gspread.Worksheet, Layout]":
        """Return the worksheet and where its columns are; both are mended when they must be."""
        if self._opened is None:
            self._opened, _ = self._open()
        try:
            with self._translator.guarded():
                rows = _head(self._opened)
        except WorksheetGone as gone:
            self._opened, made = self._open()
            raise self._vanished(made=made) from gone
        layout = find_layout(rows)
        if layout is None or layout.missing:
            # The grid may have grown or shrunk since it was opened.
            self._opened, _ = self._open()
            layout = self._with_header(self._opened, rows, layout)
            self._pause()
        return self._opened, layout

    def _open(self) -> "tuple[gspread.Worksheet, bool]":
        """Return the worksheet, and whether it had to be made."""
        spreadsheet = self._spreadsheet()
        sheet = self._worksheet(spreadsheet)
        if sheet is not None:
            return sheet, False
        made = spreadsheet.add_worksheet(self._title, rows=HEAD_ROWS, cols=len(COLUMNS))
        self._pause()
        return made, True

    def _worksheet(self, spreadsheet: "gspread.Spreadsheet") -> "gspread.Worksheet | None":
        """Return the worksheet of our title; an answer that lists none at all is an error."""
        found = (sheet for sheet in spreadsheet.worksheets() if sheet.title == self._title)
        return next(found, None)

    def _vanished(self, *, made: bool) -> SheetError:
        """Return what a worksheet that was gone means: what is in the sheet must be read first."""
        text = f"the worksheet `{self._title}` was deleted or renamed"
        advice = (
            "it was made again with its header; rows that were written before are not written again"
        )
        return SheetError(
            text,
            ambiguous=True,
            kind=ServiceUnavailable,
            notice=f"{text}: {advice}" if made else "",
        )

    def _with_header(
        self, sheet: "gspread.Worksheet", rows: list[list[str]], layout: Layout | None
    ) -> Layout:
        """Write the header, or what is missing of it, and return the layout that it makes.

        Each of these writes can be repeated without harm, because the next look finds the header.
        """
        if layout is not None:
            if sheet.col_count < len(layout.header):
                sheet.resize(cols=len(layout.header))
                self._pause()
            first = len(layout.header) - layout.missing + 1
            cell = self._gspread.utils.rowcol_to_a1(layout.row, first)
            sheet.update([list(layout.header)[-layout.missing :]], cell)
            return layout
        everything = sheet.get_all_values() if _filled(rows) else []
        if not _filled(everything):
            sheet.update([list(COLUMNS)], "A1")
            return layout_of(COLUMNS, 1)
        # Sorted away, or deleted: what it said tells where the columns are.
        elsewhere = find_layout(everything)
        header = elsewhere.header if elsewhere is not None else COLUMNS
        if sheet.col_count < len(header):
            sheet.resize(cols=len(header))
            self._pause()
        sheet.spreadsheet.batch_update({"requests": _inserted_on_top(sheet.id, header)})
        return layout_of(header, 1)

    # Writing

    def _append_to_table(
        self, sheet: "gspread.Worksheet", layout: Layout, cells: list[list[str | None]]
    ) -> None:
        utils = self._gspread.utils
        values: Any = cells  # gspread's types know no cell that is left alone.
        sheet.append_rows(
            values,
            value_input_option=utils.ValueInputOption.raw,
            insert_data_option=utils.InsertDataOption.insert_rows,
            table_range=f"A{layout.row}",
        )


def _append_below_all(sheet: "gspread.Worksheet", cells: list[list[str | None]]) -> None:
    """Append where a column without a name parts the table, whose left edge is in doubt then."""
    request = {"sheetId": sheet.id, "rows": _as_text(cells), "fields": "userEnteredValue"}
    sheet.spreadsheet.batch_update({"requests": [{"appendCells": request}]})


def _inserted_on_top(sheet_id: int, header: Sequence[str]) -> list[dict[str, Any]]:
    """Return the requests, carried out together, that put a header above everything."""
    top = {"sheetId": sheet_id, "dimension": "ROWS", "startIndex": 0, "endIndex": 1}
    cells: dict[str, Any] = {
        "rows": _as_text([list(header)]),
        "fields": "userEnteredValue",
        "start": {"sheetId": sheet_id, "rowIndex": 0, "columnIndex": 0},
    }
    return [{"insertDimension": {"range": top}}, {"updateCells": cells}]


def _as_text(rows: Sequence[Sequence[str | None]]) -> list[dict[str, Any]]:
    """Return rows in which no cell can be a formula."""
    return [
        {
            "values": [
                {} if cell is None else {"userEnteredValue": {"stringValue": cell}} for cell in row
            ]
        }
        for row in rows
    ]


def _head(sheet: "gspread.Worksheet") -> list[list[str]]:
    """Return the first rows as text; a sheet without any cell has none."""
    rows = sheet.get(f"1:{HEAD_ROWS}")
    return [[str(cell) for cell in row] for row in rows if row is not None]


def _filled(rows: Sequence[Sequence[object]]) -> bool:
    return any(str(cell).strip() for row in rows for cell in row)


def _never() -> bool:
    return False


def read_account(settings: Sheet, environ: Mapping[str, str]) -> dict[str, object]:
    """Return the service account; raises `SettingsError` when it is not given or is no JSON."""
    secret = settings.service_account.read(environ)
    fields = json_fields(secret)
    if fields is None:
        what = "cannot be read" if secret else "is not given"
        hint = f"set {settings.service_account.env or 'its `file`'} to the service account's JSON"
        raise SettingsError(f"`sheet.service_account` {what}", hint=hint)
    return fields


def sheet_writer(settings: Sheet, environ: Mapping[str, str]) -> Callable[[], GspreadWriter]:
    """Return what opens the sheet that the settings name; to be called on the sheet's thread.

    Raises `SettingsError` when the service account is not given or is no JSON.
    """
    return partial(
        GspreadWriter,
        read_account(settings, environ),
        spreadsheet_id=settings.spreadsheet_id,
        worksheet=settings.worksheet,
        pause=partial(time.sleep, EVERY_S),
    )
