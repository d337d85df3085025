"""`callagent alerts mute`: what it takes, and what it says to a slip of the keyboard."""

from contextlib import closing
from pathlib import Path

import pytest

from callagent_cli.cli.app import exit_code_of
from callagent_cli.events import CallChanged, Stamped
from callagent_cli.reporting.incidents import IncidentBook, Now
from callagent_cli.reporting.incidents.mutes import mutes_of
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.store.sqlite_store import SqliteStore

DATABASE = Path(".callagent") / "sandbox.db"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which one call has failed, as INC-0001; commands run in it."""
    monkeypatch.chdir(tmp_path)
    DATABASE.parent.mkdir()
    failed = CallChanged(call="call_1", old="active", new="failed", step="dial", reason="a 400")
    with closing(SqliteStore.open(DATABASE)) as store:
        book = IncidentBook(store, redactor=Redactor([]), now=Now(0.0, 0.0))
        book.observe(Stamped(0.0, 0.0, 1, "run_0", "contacts", failed))
        store.flush()
    return tmp_path


def _muted() -> list[str]:
    with closing(SqliteStore.open(DATABASE, read_only=True)) as store:
        return [mute.target for mute in mutes_of(store)]


@pytest.mark.parametrize(
    "target",
    [
        "all",
        "elevenlabs",
        "alerts.telegram",
        "sheet",
        "worker.heartbeat",
        "INC-0001",
        "INC-0001-01",
    ],
)
def test_whatever_an_alert_is_about_can_be_muted(target: str) -> None:
    """Everything, a service, a channel, an incident, one of its alerts."""
    assert exit_code_of(["alerts", "mute", target, "--for", "1h"]) == 0
    assert _muted() == [target]


@pytest.mark.parametrize(
    ("target", "nearest"),
    [("elevnlabs", "elevenlabs"), ("telegram", "alerts.telegram"), ("INC-0002", "INC-0001")],
)
def test_a_slip_of_the_keyboard_mutes_nothing_and_is_answered_with_the_nearest(
    target: str, nearest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody goes to sleep over a mute that covers nothing."""
    assert exit_code_of(["alerts", "mute", target, "--for", "1h"]) == 2

    said = capsys.readouterr().err
    assert f"nothing is called `{target}` that could be muted" in said
    assert f"did you mean `{nearest}`?" in said
    assert _muted() == []
