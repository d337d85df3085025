"""`callagent requeue --incident`: exactly the calls that failed by it, whatever ran since."""

from pathlib import Path

import pytest

from callagent_cli.calls.model import Call, CallState, Contact
from callagent_cli.cli.campaign.requeue_command import requeue_calls
from callagent_cli.cli.place.workplace import workplace
from callagent_cli.errors import UsageError
from callagent_cli.reporting.incidents.affected import Affected
from callagent_cli.reporting.incidents.incident import Incident, save
from callagent_cli.store.port import Campaign, RunRow
from callagent_cli.store.sqlite_store import SqliteStore


def _call(name: str, campaign: str, number: int) -> Call:
    contact = Contact(line=number, number=f"+1212555010{number}")
    return Call(id=name, campaign=campaign, contact=contact, state=CallState.FAILED)


def _failed(store: SqliteStore, incident: str, *calls: str) -> None:
    save(
        store,
        Incident(
            id=incident,
            key="elevenlabs:ServiceUnavailable",
            cause="breaker",
            service="elevenlabs",
            error_class="ServiceUnavailable",
            severity="critical",
            first_failure_utc_s=0.0,
            opened_utc_s=0.0,
        ),
    )
    for call in calls:
        Affected(store).note(incident, call, "failed")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which an outage struck two campaigns, and a third one ran last."""
    monkeypatch.chdir(tmp_path)
    database = workplace(None, {}).database
    database.parent.mkdir(mode=0o700)
    store = SqliteStore.open(database)
    for number, name in enumerate(("spring", "summer", "autumn"), 1):
        store.save_campaign(
            Campaign(name=name, source="c.csv", source_sha256=name, created_utc_s=float(number))
        )
    calls = [_call("a", "spring", 1), _call("b", "spring", 2), _call("c", "summer", 3)]
    store.add_calls([*calls, _call("d", "autumn", 4)])
    run = RunRow(
        id="run_3",
        campaign="autumn",
        mode="sandbox",
        pid=1,
        host="here",
        lanes=1,
        started_utc_s=1.0,
        heartbeat_utc_s=2.0,
        ended_utc_s=3.0,
    )
    store.save_run(run)
    _failed(store, "INC-0001", "a", "c")
    _failed(store, "INC-0002", "d")
    store.close()
    return tmp_path


def _states() -> dict[str, str]:
    store = workplace(None, {}).read_store()
    try:
        found = {name: store.call(name) for name in "abcd"}
    finally:
        store.close()
    return {name: call.state.value for name, call in found.items() if call}


@pytest.mark.usefixtures("folder")
def test_an_incident_names_its_campaigns_itself(capsys: pytest.CaptureFixture[str]) -> None:
    """The command of its report works as it stands, also after another campaign has run."""
    assert requeue_calls(failed_by="", incident="INC-0001", campaign="", config=None) == 0
    said = capsys.readouterr().out

    assert _states() == {"a": "pending", "b": "failed", "c": "pending", "d": "failed"}
    assert "spring: 1 call that failed by INC-0001 taken back" in said
    assert "summer: 1 call that failed by INC-0001 taken back" in said


@pytest.mark.usefixtures("folder")
def test_a_campaign_that_is_named_narrows_it_down(capsys: pytest.CaptureFixture[str]) -> None:
    """The calls of the others stay failed; one that it did not strike has nothing to requeue."""
    requeue_calls(failed_by="", incident="INC-0001", campaign="summer", config=None)
    requeue_calls(failed_by="", incident="INC-0001", campaign="autumn", config=None)

    assert _states() == {"a": "failed", "b": "failed", "c": "pending", "d": "failed"}
    assert "autumn: no call failed by INC-0001, nothing to requeue" in capsys.readouterr().out


@pytest.mark.usefixtures("folder")
def test_an_incident_that_is_requeued_twice_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """Its calls are not failed any more."""
    for _ in range(2):
        requeue_calls(failed_by="", incident="INC-0001", campaign="", config=None)

    assert "no call failed by INC-0001, nothing to requeue" in capsys.readouterr().out
    with pytest.raises(UsageError, match="INC-0009"):
        requeue_calls(failed_by="", incident="INC-0009", campaign="", config=None)


@pytest.mark.usefixtures("folder")
def test_a_call_belongs_to_the_incident_that_it_failed_by_last() -> None:
    """Taken back and failed by another cause, it is no matter of the first outage any more."""
    store = workplace(None, {}).write_store()
    _failed(store, "INC-0002", "a")
    _failed(store, "INC-0001", "d")
    _failed(store, "INC-0002", "d")
    store.close()
    requeue_calls(failed_by="", incident="INC-0001", campaign="", config=None)

    assert _states() == {"a": "failed", "b": "failed", "c": "pending", "d": "failed"}
    requeue_calls(failed_by="", incident="INC-0002", campaign="", config=None)
    assert _states() == {"a": "pending", "b": "failed", "c": "pending", "d": "pending"}
