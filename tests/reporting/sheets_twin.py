"""A Google Sheets server on loopback for real gspread: token, metadata, append, read, update."""

import json
from collections.abc import Callable
from functools import cache
from types import TracebackType
from typing import Any, Self
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

import gspread
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from threaded_server import Answer, Asked, answering

from callagent_cli.reporting.gspread_writer import GspreadWriter

GOOGLE = "https://sheets.googleapis.com"


@cache
def _key() -> str:
    key = rsa.generate_private_key(65537, 2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


LIMIT = 10_000_000
"""Cells of one spreadsheet, as Google has it."""


class Grid:
    """One worksheet: ragged rows, and how many rows and columns there are to write to."""

    def __init__(self, sheet_id: int, rows: int, columns: int) -> None:
        self.id = sheet_id
        self.rows: list[list[str]] = []
        self.size = [rows, columns]

    def cell(self, row: int, column: int) -> str:
        """Return a cell; what was never written is empty."""
        cells = self.rows[row] if row < len(self.rows) else []
        return cells[column] if column < len(cells) else ""

    def put(self, row: int, column: int, cells: list[Any]) -> None:
        """Write cells from a place on; `None` leaves one alone."""
        while len(self.rows) <= row:
            self.rows.append([])
        line = self.rows[row]
        line += [""] * (column + len(cells) - len(line))
        for place, cell in enumerate(cells, column):
            line[place] = line[place] if cell is None else cell
        while line and not line[-1]:
            line.pop()
        self.size[0] = max(self.size[0], len(self.rows))

    def table(self, row: int) -> tuple[int, int]:
        """Return the left edge and the last row of the table around the first cell of a row."""
        found = {(row, 0)}
        edge = list(found)
        while edge:
            at, across = edge.pop()
            for near in range(max(0, at - 1), at + 2):
                for beside in range(max(0, across - 1), across + 2):
                    if (near, beside) not in found and self.cell(near, beside):
                        found.add((near, beside))
                        edge.append((near, beside))
        filled = [place for place in found if self.cell(*place)] or [(row, 0)]
        return min(column for _, column in filled), max(line for line, _ in filled)

    def append(self, row: int, values: list[list[Any]]) -> None:
        """Insert rows below a table, as `values:append` with INSERT_ROWS does."""
        left, last = self.table(row)
        for number, cells in enumerate(values, last + 1 if self.rows else 0):
            self.rows.insert(number, [])
            self.put(number, left, cells)


class SheetsTwin:
    """Keeps one spreadsheet; `faults` are (status, body, after the effect) for the next appends.

    `answers` are the answers to the next requests of any kind but the token's; `None` is the
    twin's own. `before_append` is what somebody does between our look at the header and the write,
    `after_append` what happens before its answer.
    """

    def __init__(self, *faults: tuple[int, str, bool], titles: tuple[str, ...] = ()) -> None:
        self.faults = list(faults)
        self.answers: list[tuple[int, Any] | None] = []
        self.before_append: list[Callable[[], object]] = []
        self.after_append: list[Callable[[], object]] = []
        self.grids = {title: Grid(number, 100, 8) for number, title in enumerate(titles, 1)}
        self.token_answer: tuple[int, Any] = (200, {"access_token": "token", "expires_in": 3600})
        self.open_answer: tuple[int, Any] | None = None
        self.retry_after = ""
        self.appends = 0
        self.inputs: list[str] = []
        self.hosts: list[str] = []

    @property
    def sheets(self) -> dict[str, list[list[str]]]:
        """The rows of each worksheet."""
        return {title: grid.rows for title, grid in self.grids.items()}

    def __enter__(self) -> Self:
        self._serving = answering(self._told)
        self.base = self._serving.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._serving.__exit__(kind, error, trace)

    def _told(self, asked: Asked) -> Answer:
        self.hosts.append(asked.headers.get("host", ""))
        status, content = self.answer(asked.method, asked.path, asked.body)
        body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        slow_down = status == 429 and self.retry_after
        more = {"retry-after": self.retry_after} if slow_down else {}
        return status, {"content-type": "application/json", **more}, body

    def writer(
        self, account: dict[str, str] | None = None, *, pause: Callable[[], None] = lambda: None
    ) -> GspreadWriter:
        """Return a writer of this server's worksheet `callagent`, for an account it gave out."""
        return GspreadWriter(
            account or self.account,
            spreadsheet_id="book",
            worksheet="callagent",
            pause=pause,
            http_client=self.http_client,
        )

    @property
    def account(self) -> dict[str, str]:
        """A service account whose token comes from this server."""
        return {
            "type": "service_account",
            "client_email": "robot@example.test",
            "private_key": _key(),
            "private_key_id": "1",
            "token_uri": f"{self.base}/token",
        }

    @property
    def http_client(self) -> type[gspread.HTTPClient]:
        """A client that reaches this server where it means Google's."""
        base = self.base

        class Loopback(gspread.HTTPClient):
            def request(self, method: str, endpoint: str, *given: Any, **more: Any) -> Any:  # noqa: ANN401 — gspread's own signature.
                more["headers"] = {**(more.get("headers") or {}), "connection": "close"}
                return super().request(method, endpoint.replace(GOOGLE, base), *given, **more)

        return Loopback

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, Any]:
        """Carry out one request."""
        address = urlsplit(target)
        if address.path == "/token":
            return self.token_answer
        scripted = self.answers.pop(0) if self.answers else None
        return scripted or self._own_answer(method, address, body)

    def _own_answer(self, method: str, address: SplitResult, body: bytes) -> tuple[int, Any]:
        if address.path.endswith(":append"):
            self.inputs.append(parse_qs(address.query)["valueInputOption"][0])
            return self._append(lambda: self._append_values(address.path, body))
        if address.path.endswith(":batchUpdate"):
            return self._batch(json.loads(body)["requests"])
        if "/values/" in address.path:
            return self._values(method, address.path, body)
        if self.open_answer is not None:
            return self.open_answer
        sheets = [{"properties": self._properties(title)} for title in self.grids]
        return 200, {"spreadsheetId": "book", "properties": {"title": "book"}, "sheets": sheets}

    def _properties(self, title: str) -> dict[str, Any]:
        grid = self.grids[title]
        size = {"rowCount": grid.size[0], "columnCount": grid.size[1]}
        return {"sheetId": grid.id, "title": title, "index": 0, "gridProperties": size}

    def _range(self, path: str) -> tuple[Grid | None, str]:
        whole = unquote(path.partition("/values/")[2].removesuffix(":append"))
        title, mark, cells = whole.rpartition("!")
        title, cells = (title, cells) if mark else (cells, "")
        return self.grids.get(title.strip("'")), cells

    def _append(self, effect: Callable[[], tuple[int, Any]]) -> tuple[int, Any]:
        self.appends += 1
        status, said, after = self.faults.pop(0) if self.faults else (200, "", True)
        if self.before_append:
            self.before_append.pop(0)()
        done = effect() if after else (status, said)
        if self.after_append:
            self.after_append.pop(0)()
        return done if status == 200 else (status, said)

    def _append_values(self, path: str, body: bytes) -> tuple[int, Any]:
        grid, cells = self._range(path)
        values = json.loads(body)["values"]
        if grid is None:
            return _no_range(cells)
        if any(len(cell or "") > 50_000 for row in values for cell in row):
            return _refusal("Your input contains more than the maximum of 50000 characters.")
        if sum(each.size[0] * each.size[1] for each in self.grids.values()) >= LIMIT:
            return _refusal(
                "This action would increase the number of cells in the workbook above the limit"
                f" of {LIMIT} cells."
            )
        grid.append(int(cells.lstrip("A")) - 1, values)
        return 200, {"updates": {}}

    def _batch(self, requests: list[dict[str, Any]]) -> tuple[int, Any]:
        if "appendCells" in requests[0]:
            return self._append(lambda: self._carried_out(requests))
        return self._carried_out(requests)

    def _carried_out(self, requests: list[dict[str, Any]]) -> tuple[int, Any]:
        replies = [self._reply(*next(iter(request.items()))) for request in requests]
        return 200, {"replies": replies}

    def _reply(self, kind: str, said: dict[str, Any]) -> dict[str, Any]:
        if kind == "addSheet":
            asked = said["properties"]
            size = asked["gridProperties"]
            number = len(self.grids) + 100
            grid = Grid(number, size["rowCount"], size["columnCount"])
            self.grids[asked["title"]] = grid
            return {"addSheet": {"properties": self._properties(asked["title"])}}
        if kind == "updateSheetProperties":
            asked = said["properties"]
            self._by_id(asked["sheetId"]).size[1] = asked["gridProperties"]["columnCount"]
        elif kind == "insertDimension":
            self._by_id(said["range"]["sheetId"]).rows.insert(said["range"]["startIndex"], [])
        elif kind == "updateCells":
            self._by_id(said["start"]["sheetId"]).put(0, 0, _texts(said["rows"][0]))
        else:
            grid = self._by_id(said["sheetId"])
            for row in said["rows"]:
                grid.put(len(grid.rows), 0, _texts(row))
        return {}

    def _by_id(self, sheet_id: int) -> Grid:
        return next(grid for grid in self.grids.values() if grid.id == sheet_id)

    def _values(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        grid, cells = self._range(path)
        if grid is None:
            return _no_range(cells)
        if method == "PUT":
            first = cells.partition(":")[0]
            row, column = gspread.utils.a1_to_rowcol(first)
            values = json.loads(body)["values"]
            if column - 1 + len(values[0]) > grid.size[1]:
                return _refusal(f"Range ({cells}) exceeds grid limits.")
            grid.put(row - 1, column - 1, values[0])
            return 200, {"updatedRows": 1}
        first, _, last = cells.partition(":")
        if not cells or first.isdecimal():
            rows = grid.rows[: int(last) if last else None]
            return 200, {"range": cells, "majorDimension": "ROWS", "values": rows}
        place = gspread.utils.column_letter_to_index(first) - 1
        column_of = [grid.cell(row, place) for row in range(len(grid.rows))]
        return 200, {"range": cells, "majorDimension": "COLUMNS", "values": [column_of]}


def _texts(row: dict[str, Any]) -> list[str | None]:
    return [cell.get("userEnteredValue", {}).get("stringValue") for cell in row["values"]]


def _refusal(message: str) -> tuple[int, Any]:
    return 400, {"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}


def _no_range(cells: str) -> tuple[int, Any]:
    return _refusal(f"Unable to parse range: {cells}")
