"""`callagent incidents` and `requeue --incident` as a person uses them in 80 columns."""

import json
from pathlib import Path

import pytest
from command_line import callagent, complaint, finished_run

from callagent_cli.calls.model import CallState
from callagent_cli.events import CallChanged, Stamped
from callagent_cli.monitor.paint.plain import width
from callagent_cli.reporting.incidents import IncidentBook, Now
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.store.sqlite_store import SqliteStore

AT_S = 1_767_603_600.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder in which a campaign ended and one of its calls failed, as an incident."""
    finished_run(tmp_path, 3)
    store = SqliteStore.open(tmp_path / ".callagent" / "sandbox.db")
    call = next(iter(store.calls("contacts")))
    book = IncidentBook(store, redactor=Redactor([]), now=Now(AT_S, 0.0))
    reason = "elevenlabs answered 400: the number was refused by the carrier for this account"
    failed = CallChanged(call=call.id, old="active", new="failed", step="dial", reason=reason)
    book.observe(Stamped(AT_S, 0.0, 1, "run_0", "contacts", failed))
    book.end_of_run(Now(AT_S + 60, 60.0))
    store.save_call(call.evolve(state=CallState.FAILED, reason=reason))
    store.close()
    return tmp_path


def test_the_list_is_a_table_that_fits(folder: Path) -> None:
    """A head, then one line an incident, in 80 columns and in 60."""
    for columns in ("80", "60"):
        run = callagent("incidents", folder=folder, COLUMNS=columns)
        label, head, line = run.stdout.splitlines()

        assert (run.returncode, label) == (0, "SANDBOX")
        assert head.split()[0] == "INCIDENT"
        assert line.startswith("INC-0001  2026-01-05 09:00")
        assert max(width(each) for each in (head, line)) <= int(columns)


def test_a_report_fits_the_terminal(folder: Path) -> None:
    """Long lines go on below, in their own column."""
    run = callagent("incidents", "show", folder=folder)
    lines = run.stdout.splitlines()

    assert run.returncode == 0
    assert lines[1] == "INC-0001 call:other (warning, resolved)"
    assert max(width(line) for line in lines) <= 80
    assert "`callagent requeue --incident INC-0001`" in run.stdout


def test_the_forms_of_a_report_agree(folder: Path) -> None:
    """JSON for programs and Markdown for a page tell the same incident."""
    report = json.loads(callagent("incidents", "show", "--json", folder=folder).stdout)
    listed = json.loads(callagent("incidents", "--json", folder=folder).stdout)
    page = callagent("incidents", "show", "INC-0001", "--markdown", folder=folder).stdout

    assert report["id"] == listed["incidents"][0]["id"] == "INC-0001"
    assert report["impact"]["failed"] == listed["incidents"][0]["failed"] == 1
    assert page.startswith("# INC-0001 call:other")
    assert report["requeue"] in page


def test_a_requeue_takes_back_exactly_the_calls_of_an_incident(folder: Path) -> None:
    """One call failed by it; the two that are done stay done."""
    run = callagent("requeue", "--incident", "INC-0001", folder=folder)
    again = callagent("requeue", "--incident", "INC-0001", folder=folder)

    assert run.returncode == 0, run.stderr
    assert "1" in run.stdout
    assert again.stdout != run.stdout


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (
            ("incidents", "show", "INC-0002"),
            "no incident `INC-0002`",
            "did you mean `INC-0001`? list them: `callagent incidents`",
        ),
        (
            ("incidents", "show", "--json", "--markdown"),
            "`--json` and `--markdown` exclude each other",
            "choose one of them",
        ),
        (
            ("incidents", "--markdown"),
            "a list has no Markdown form",
            "use `--json`, or `show ID`",
        ),
    ],
)
def test_what_cannot_be_shown_is_said(
    folder: Path, arguments: tuple[str, ...], error: str, hint: str
) -> None:
    """An error and a hint, with the code of usage."""
    run = callagent(*arguments, folder=folder)

    assert run.returncode == 2
    assert complaint(run) == (error, hint)


def test_without_an_incident_the_way_to_one_is_named(tmp_path: Path) -> None:
    """A list that is empty is no error; a report that is not there is."""
    finished_run(tmp_path, 1)
    listed = callagent("incidents", folder=tmp_path)
    shown = callagent("incidents", "show", folder=tmp_path)

    assert (listed.returncode, listed.stdout) == (0, "SANDBOX no incident so far\n")
    assert complaint(shown) == (
        "no incident so far",
        "an outage makes one; rehearse it: `callagent simulate elevenlabs-503`",
    )
