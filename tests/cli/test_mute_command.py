"""`callagent alerts mute`: what it takes, and what it says to a slip of the keyboard."""

from contextlib import closing
from pathlib import Path

import pytest

from callagent_cli.cli.app import exit_code_of
from callagent_cli.events import CallChanged, Stamped
from callagent_cli.reporting.incidents import IncidentBook, Now
from callagent_cli.reporting.incidents.mutes import Mute, Mutes, mutes_of
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


@pytest.mark.parametrize(("lasts", "code"), [("365d", 0), ("366d", 2), ("9" * 400 + "d", 2)])
def test_a_mute_lasts_a_year_at_most(
    lasts: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip of the keyboard mutes nothing for ever, and no calendar ends before the mute."""
    assert exit_code_of(["alerts", "mute", "all", "--for", lasts]) == code

    assert ("`--for 365d`, is the longest" in capsys.readouterr().err) is (code == 2)
    assert _muted() == ([] if code else ["all"])


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        (["elevnlabs"], "hint: did you mean `elevenlabs`? muted are: `elevenlabs`"),
        (["sheet"], "hint: muted are: `elevenlabs`"),
        ([], "hint: muted are: `elevenlabs`"),
    ],
)
def test_only_what_is_muted_can_be_unmuted(
    typed: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody believes to hear of a service again that stays muted."""
    exit_code_of(["alerts", "mute", "elevenlabs", "--for", "1h"])

    assert exit_code_of(["alerts", "unmute", *typed]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == hint
    assert _muted() == ["elevenlabs"]
    assert exit_code_of(["alerts", "unmute", "elevenlabs"]) == 0
    assert _muted() == []


def test_a_mute_that_is_over_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """Its alerts come again already."""
    with closing(SqliteStore.open(DATABASE)) as store:
        Mutes(store).set(Mute(target="all", until_utc_s=1.0))
        store.flush()

    assert exit_code_of(["alerts", "unmute"]) == 2
    assert "`all` is not muted\n\nhint: nothing is muted" in capsys.readouterr().err
