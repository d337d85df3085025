"""Real gspread against a Sheets server on loopback: one request means what it says."""

import asyncio
import json
from typing import Any

import pytest
from memory_documents import MemoryDocuments
from reporting_doubles import quick_clock
from sheets_twin import SheetsTwin

from callagent_cli.errors import SettingsError
from callagent_cli.reporting.google_sheet import GoogleSheet, SheetError
from callagent_cli.reporting.gspread_writer import sheet_writer
from callagent_cli.reporting.sheet import Row
from callagent_cli.reporting.sheet_layout import COLUMNS
from callagent_cli.settings import Sheet

HTML = "<html>bad gateway</html>"


def _error(code: int) -> str:
    return json.dumps({"error": {"code": code, "message": "no", "status": "NO"}})


def _rows(*numbers: int) -> list[list[str]]:
    return [["t", "s", "e", "=m", "open", "c", "…123", f"run_1-{number}"] for number in numbers]


def test_the_writes_that_make_a_worksheet_are_apart() -> None:
    """The worksheet, its header, the rows: a pause between them, and none once it is there."""
    paused: list[str] = []
    with SheetsTwin() as twin:

        def pause() -> None:
            paused.append(f"{len(twin.grids['callagent'].rows)} rows")

        writer = twin.writer(pause=pause)
        writer.append(_rows(1))
        writer.append(_rows(2))

    assert paused == ["0 rows", "1 rows"]


def test_a_missing_worksheet_is_made_with_its_header() -> None:
    """The first row names the columns; rows follow it as plain text."""
    with SheetsTwin() as twin:
        twin.writer().append(_rows(1, 2))
        again = twin.writer()
        again.append(_rows(3))

        assert twin.sheets["callagent"] == [list(COLUMNS), *_rows(1, 2, 3)]
        assert again.keys() >= {"run_1-1", "run_1-2", "run_1-3"}
        assert len(set(twin.hosts)) == 1


@pytest.mark.parametrize(
    ("fault", "ambiguous"),
    [
        ((429, _error(429), False), False),
        ((400, _error(400), False), False),
        ((403, _error(403), False), False),
        ((503, _error(503), True), True),
        ((502, HTML, False), True),
        ((500, json.dumps({"error": "invalid_grant"}), False), True),
    ],
)
def test_each_failed_append_says_whether_it_may_have_worked(
    fault: tuple[int, str, bool], ambiguous: bool
) -> None:
    """Only a refusal proves that nothing was written; a proxy's page proves nothing."""
    with SheetsTwin(fault, titles=("callagent",)) as twin:
        writer = twin.writer()
        with pytest.raises(SheetError) as raised:
            writer.append(_rows(1))

        assert raised.value.ambiguous is ambiguous
        assert twin.appends == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((403, {"error": {"code": 403, "message": "no", "status": "NO"}}), "not shared"),
        ((404, {"error": {"code": 404, "message": "no", "status": "NO"}}), "no such spreadsheet"),
        ((200, {"unexpected": True}), "could not be written"),
    ],
)
def test_a_sheet_that_cannot_be_opened_names_the_fix(answer: tuple[int, Any], words: str) -> None:
    """Not shared, not there, unreadable: each in plain words."""
    with SheetsTwin() as twin:
        twin.open_answer = answer
        with pytest.raises(SheetError, match=words):
            twin.writer().append(_rows(1))


def test_a_refused_service_account_names_the_fix() -> None:
    """`invalid_grant` is about the key, and nothing was written."""
    with SheetsTwin() as twin:
        twin.token_answer = (400, {"error": "invalid_grant", "error_description": "no"})
        with pytest.raises(SheetError, match="refuses the service account") as raised:
            twin.writer().append(_rows(1))

        assert not raised.value.ambiguous


def test_faults_on_the_wire_neither_lose_nor_double_a_row() -> None:
    """429, 503 after the effect, an HTML 502, a failed token: in the end each row stands once."""
    faults = [(429, _error(429), False), (503, _error(503), True), (502, HTML, False)]
    documents = MemoryDocuments()

    async def story(twin: SheetsTwin) -> None:
        sheet = GoogleSheet(
            twin.writer,
            documents,
            quick_clock(),
            on_broken=lambda *_: None,
            on_works=lambda _: None,
            every_s=0.0,
        )
        for number in range(20):
            sheet.write(Row(f"run_1-{number}", ("t", "s", "e", "m", "open", "c", "…123")))
        twin.token_answer = (400, {"error": "invalid_grant", "error_description": "no"})
        assert await sheet.flush(10) == 20
        twin.token_answer = (200, {"access_token": "token", "expires_in": 3600})
        left = [await sheet.flush(10) for _ in range(3)]
        for number in range(20, 30):
            sheet.write(Row(f"run_1-{number}", ("t", "s", "e", "m", "open", "c", "…123")))
        left += [await sheet.flush(10) for _ in range(2)]
        assert left == [20, 20, 0, 10, 0]
        sheet.close(1)

    with SheetsTwin(*faults, titles=("callagent",)) as twin:
        asyncio.run(story(twin))
        keys = [row[7] for row in twin.sheets["callagent"][1:]]

    assert keys == [f"run_1-{number}" for number in range(30)]
    assert documents.documents("sheet-row", open_only=True) == []


@pytest.mark.parametrize("content", ["", "no json"])
def test_a_sheet_without_its_account_stops_the_start(content: str) -> None:
    """Two lines say what is missing."""
    settings = Sheet(spreadsheet_id="book")

    with pytest.raises(SettingsError) as raised:
        sheet_writer(settings, {"GOOGLE_SERVICE_ACCOUNT_JSON": content})

    assert "GOOGLE_SERVICE_ACCOUNT_JSON" in raised.value.hint
