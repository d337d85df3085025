"""Everything that Google does wrong, with real gspread: told once with a fix, no row lost."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from memory_documents import MemoryDocuments
from reporting_doubles import quick_clock
from sheets_twin import SheetsTwin

from callagent_cli.cli.place import sheet_rows
from callagent_cli.errors import (
    AuthenticationFailed,
    Misconfigured,
    RateLimited,
    ServiceError,
    ServiceUnavailable,
)
from callagent_cli.reporting import google_sheet
from callagent_cli.reporting.google_sheet import GoogleSheet
from callagent_cli.reporting.incidents.incident import Incident, save
from callagent_cli.reporting.sheet import Row

ROWS = 40
BROKEN_TRIES = 6


def _error(code: int, message: str = "no") -> tuple[int, Any]:
    return code, {"error": {"code": code, "message": message, "status": "NO"}}


def _refuses_the_account(twin: SheetsTwin) -> None:
    twin.token_answer = (400, {"error": "invalid_grant", "error_description": "no"})


def _answers(twin: SheetsTwin, *answers: tuple[int, Any]) -> None:
    twin.answers = [answer for answer in answers for _ in range(100)]


def _fills_up(twin: SheetsTwin) -> None:
    twin.grids["callagent"].size = [1_250_000, 8]


def _asks_to_wait(twin: SheetsTwin) -> None:
    twin.retry_after = "77"
    _answers(twin, _error(429, "Quota exceeded"))


@dataclass(frozen=True)
class Case:
    """What goes wrong, what that is, and the words in which it is told."""

    breaks: Callable[[SheetsTwin], None]
    kind: type[ServiceError]
    words: tuple[str, ...]
    retry_after_s: float | None = None


CASES = {
    "wrong key of the account": Case(
        _refuses_the_account,
        AuthenticationFailed,
        ("Google refuses the service account", "check its key"),
    ),
    "401": Case(
        lambda twin: _answers(twin, _error(401)),
        AuthenticationFailed,
        ("Google refuses the service account",),
    ),
    "revoked sheet": Case(
        lambda twin: _answers(twin, _error(403, "The caller does not have permission")),
        Misconfigured,
        ("not shared with the service account", "share it as an editor"),
    ),
    "deleted spreadsheet": Case(
        lambda twin: _answers(twin, _error(404, "Requested entity was not found.")),
        Misconfigured,
        ("no such spreadsheet", "correct `sheet.spreadsheet_id`"),
    ),
    "asks to wait": Case(
        _asks_to_wait, RateLimited, ("Google asks for fewer requests",), retry_after_s=77.0
    ),
    "full": Case(_fills_up, Misconfigured, ("is full", "delete old rows")),
    "HTML for JSON": Case(
        lambda twin: _answers(twin, (200, "<html>Please sign in</html>")),
        ServiceUnavailable,
        ("the sheet could not be written",),
    ),
    "a proxy's page": Case(
        lambda twin: _answers(twin, (502, "<html>bad gateway</html>")),
        ServiceUnavailable,
        ("the sheet could not be written",),
    ),
    "JSON of another kind": Case(
        lambda twin: _answers(twin, (500, {"error": "invalid_grant"})),
        ServiceUnavailable,
        ("the sheet could not be written",),
    ),
}


IN_THE_RUN = 3
MOMENTS = {
    f"{name}, {when}": (case, after_rows)
    for name, case in CASES.items()
    for when, after_rows in (("from the start", 0), ("in the run", IN_THE_RUN))
    # A token that was handed out stays good for an hour.
    if not (after_rows and case.breaks is _refuses_the_account)
}


@pytest.mark.parametrize(("case", "after_rows"), MOMENTS.values(), ids=MOMENTS)
def test_each_wrong_answer_of_google_is_told_once_and_loses_no_row(
    case: Case, after_rows: int
) -> None:
    """Classified, told once, kept; once mended each row stands in the sheet exactly once."""
    said: list[tuple[str, str]] = []
    failures: list[ServiceError] = []

    class Noting(GoogleSheet):
        def _failed(self, error: ServiceError) -> None:
            failures.append(error)
            super()._failed(error)

    async def story(twin: SheetsTwin) -> None:
        sheet = Noting(
            twin.writer,
            MemoryDocuments(),
            quick_clock(),
            on_broken=lambda _, why: said.append(("broken", why)),
            on_works=lambda _: said.append(("works", "")),
            every_s=0.0,
        )
        for number in range(ROWS):
            if number == after_rows:
                await sheet.flush(10)
                said.clear()
                case.breaks(twin)
            sheet.write(Row(f"run_1-{number}", ("t", "s", "e", "m", "open", "c", "…123")))
        left = [await sheet.flush(10) for _ in range(BROKEN_TRIES)]
        assert left == [ROWS - after_rows] * BROKEN_TRIES
        twin.token_answer = (200, {"access_token": "token", "expires_in": 3600})
        twin.answers, twin.grids["callagent"].size = [], [100, 8]
        assert await sheet.flush(10) == 0
        sheet.close(1)

    with SheetsTwin(titles=("callagent",)) as twin:
        asyncio.run(story(twin))
        keys = [row[7] for row in twin.grids["callagent"].rows[1:]]

    assert keys == [f"run_1-{number}" for number in range(ROWS)]
    assert [kind for kind, _ in said] == ["broken", "works"]
    assert all(word in said[0][1] for word in case.words), said[0][1]
    assert {type(error) for error in failures} == {case.kind}
    assert {error.retry_after_s for error in failures} == {case.retry_after_s}


# What is said of rows that wait


def _broken(documents: MemoryDocuments, *, resolved: bool) -> None:
    incident = Incident(
        id="INC-0001",
        key="sheet:undelivered",
        cause="channel",
        service=google_sheet.NAME,
        error_class="undelivered",
        severity="warning",
        first_failure_utc_s=0.0,
        opened_utc_s=0.0,
        status="resolved" if resolved else "opened",
        last_error="the sheet is not shared",
    )
    save(documents, incident)


@pytest.mark.parametrize(
    ("rows", "told", "expected"),
    [
        (0, {}, ""),
        (1, {}, "1 sheet row waits, will be written by the next run"),
        (12, {"working": True}, "12 sheet rows wait, will be written in a moment"),
        (12, {"is_set": False}, "12 sheet rows wait, will be written when `sheet.spreadsheet_id`"),
        (
            12,
            {"broken": True},
            "12 sheet rows wait, will be written when the sheet can be written again: the sheet is",
        ),
    ],
)
def test_rows_that_wait_are_counted_and_it_is_said_when_they_are_written(
    rows: int, told: dict[str, bool], expected: str
) -> None:
    """In the run's last lines and in `status`."""
    documents = MemoryDocuments()
    documents.put(sheet_rows.ROW, "written", b"", open_=False)
    for number in range(rows):
        documents.put(google_sheet.KIND, f"run_1-{number}", json.dumps([]).encode())
    _broken(documents, resolved=not told.get("broken"))
    text = sheet_rows.waiting_rows(
        documents, working=told.get("working", False), is_set=told.get("is_set", True)
    )

    assert text.startswith(expected)
    assert bool(text) is bool(rows)
    assert (sheet_rows.ROW, sheet_rows.SHEET) == (google_sheet.KIND, google_sheet.NAME)
