"""Commands that a living worker obeys, and what they do when none lives."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from command_line import (
    INSTANT,
    callagent,
    complaint,
    finished_run,
    journal,
    started,
    states,
    status,
    until,
    write_contacts,
    write_settings,
)

LONG: Final[dict[str, Any]] = {
    "lanes": 2,
    "sandbox": {"pace": 100},
    "dialing": {"max_dials": 1},
}
REFUSED: Final[dict[str, Any]] = {
    "sandbox": {"pace": 0, "url": "http://127.0.0.1:9"},
    "services": {
        "elevenlabs": {"when_down": "fail", "policy": {"retry": {"retries": 0}}},
        "llm": {"policy": {"retry": {"retries": 0}}},
        "crm": {"provider": "none"},
    },
}


def _said(*arguments: str, folder: Path) -> str:
    run = callagent(*arguments, folder=folder)
    assert (run.returncode, run.stderr) == (0, ""), run.stderr
    assert run.stdout.startswith("SANDBOX ")
    return run.stdout


def _word(folder: Path) -> str:
    return str(status(folder)["verdict"]["word"])


def _breaker(folder: Path, service: str) -> dict[str, Any]:
    services: list[dict[str, Any]] = status(folder)["services"]
    return next(each for each in services if each["service"] == service)


@contextmanager
def _worker(folder: Path) -> Iterator[None]:
    """Run a worker whose calls take minutes."""
    write_contacts(folder, 4)
    write_settings(folder, LONG)
    with started("run", "contacts.csv", folder=folder) as process:
        until(
            lambda: (
                '"dial_settled"'
                in "".join(log.read_text() for log in (folder / "logs").glob("run-*"))
            ),
            "a call is placed",
        )
        yield
        assert process.poll() is None


def test_pause_and_resume_reach_the_worker(tmp_path: Path) -> None:
    """Each says what happened, and the status shows it from then on, with who asked."""
    with _worker(tmp_path):
        assert "paused" in _said("pause", folder=tmp_path)
        paused = status(tmp_path)
        assert "dialing again" in _said("resume", folder=tmp_path)
        resumed = status(tmp_path)

    assert paused["verdict"]["word"] == "PAUSED"
    assert paused["run"]["paused_by"]
    assert (resumed["verdict"]["word"], resumed["run"]["paused_by"]) == ("RUNNING", "")


def test_drain_reaches_the_worker(tmp_path: Path) -> None:
    """The worker begins nothing more."""
    with _worker(tmp_path):
        assert "draining" in _said("drain", folder=tmp_path)
        assert _word(tmp_path) == "DRAINING"


def test_a_breaker_is_tripped_and_reset_in_the_worker(tmp_path: Path) -> None:
    """The answer is the breaker's state as the worker has it, with who did it."""
    with _worker(tmp_path):
        tripped = _said("breaker", "trip", "crm", folder=tmp_path)
        isolated = _breaker(tmp_path, "crm")
        reset = _said("breaker", "reset", "crm", folder=tmp_path)
        closed = _breaker(tmp_path, "crm")

    assert "crm breaker is isolated (tripped by " in tripped
    assert (isolated["breaker"], isolated["owner"]) == ("isolated", "operator")
    assert "crm breaker is closed" in reset
    assert closed["breaker"] == "closed"


def test_without_a_worker_there_is_nothing_to_pause_or_drain(tmp_path: Path) -> None:
    """They say that nothing runs, and leave nothing for the next worker."""
    finished_run(tmp_path, 1)

    for wish in ("pause", "resume", "drain"):
        assert f"nothing to {wish}" in _said(wish, folder=tmp_path)
    write_contacts(tmp_path, 2)
    again = callagent("run", "contacts.csv", folder=tmp_path)
    assert again.returncode == 0
    assert states(status(tmp_path)) == {"done": 2}


def test_a_breaker_tripped_without_a_worker_holds_the_next_one_back(tmp_path: Path) -> None:
    """The stored breaker is moved: the next run calls nobody until it is reset."""
    finished_run(tmp_path, 1)
    tripped = _said("breaker", "trip", "elevenlabs", folder=tmp_path)
    write_contacts(tmp_path, 3)
    held = callagent("run", "contacts.csv", "--max-wait", "300ms", folder=tmp_path)
    waiting = states(status(tmp_path))
    reset = _said("breaker", "reset", "elevenlabs", folder=tmp_path)
    free = callagent("run", "contacts.csv", folder=tmp_path)

    assert "No worker runs" in tripped
    assert held.returncode == 3
    assert waiting == {"done": 1, "pending": 2}
    assert "elevenlabs breaker is closed" in reset
    assert free.returncode == 0
    assert states(status(tmp_path)) == {"done": 3}


def test_an_unknown_service_is_answered_with_the_nearest(tmp_path: Path) -> None:
    """`elevnlabs` is no service; the hint names the one that was meant."""
    run = callagent("breaker", "trip", "elevnlabs", folder=tmp_path)

    assert run.returncode == 2
    assert complaint(run)[0] == "no service `elevnlabs`"
    assert "did you mean `elevenlabs`?" in complaint(run)[1]


def _failed_campaign(folder: Path) -> None:
    """Leave a campaign of two calls that failed for good."""
    write_contacts(folder, 2)
    write_settings(folder, REFUSED)
    run = callagent("run", "contacts.csv", "--max-wait", "200ms", folder=folder)
    assert states(status(folder)).get("failed"), (run.stdout, run.stderr)


def test_requeue_takes_failed_calls_back(tmp_path: Path) -> None:
    """It says how many and what next; the next run works them; the log says who asked."""
    _failed_campaign(tmp_path)
    failed = states(status(tmp_path))["failed"]
    said = _said("requeue", folder=tmp_path)
    counted = states(status(tmp_path))
    log = (tmp_path / "logs" / "commands.jsonl").read_text().splitlines()
    write_settings(tmp_path, INSTANT)
    run = callagent("run", "contacts.csv", folder=tmp_path)

    assert f"{failed} call" in said
    assert "callagent run" in said
    assert "failed" not in counted
    assert [json.loads(line)["event"] for line in log] == [
        *["call_changed"] * failed,
        "command_obeyed",
    ]
    assert run.returncode in {0, 1}, run.stderr


def test_requeue_narrows_to_a_service(tmp_path: Path) -> None:
    """Calls that failed by another service stay failed."""
    _failed_campaign(tmp_path)
    before = states(status(tmp_path))
    said = _said("requeue", "--failed-by", "elevenlabs", folder=tmp_path)
    after = states(status(tmp_path))

    assert sum(before.values()) == sum(after.values()) == 2
    assert ("nothing to requeue" in said) == (before == after)


def test_an_unknown_campaign_is_answered_with_those_there_are(tmp_path: Path) -> None:
    """Exit code 2 and the nearest name, for every command that takes one."""
    finished_run(tmp_path, 1)

    for command in ("status", "requeue"):
        run = callagent(command, "--campaign", "contact", folder=tmp_path)
        assert run.returncode == 2
        assert "did you mean `contacts`?" in complaint(run)[1]


def test_alerts_are_listed_and_acknowledged(tmp_path: Path) -> None:
    """An open alert has an id; once acknowledged it says by whom, also in the status."""
    _failed_campaign(tmp_path)
    listed = _said("alerts", folder=tmp_path)
    open_alerts = status(tmp_path)["alerts"]
    wrong = callagent("alerts", "ack", "INC-9999", folder=tmp_path)
    acknowledged = _said("alerts", "ack", folder=tmp_path)
    seen = status(tmp_path)["alerts"]

    assert wrong.returncode == 2
    for alert in open_alerts:
        assert alert["incident"] in listed
        assert alert["incident"] in acknowledged
    assert all(alert["acknowledged_by"] for alert in seen)


@pytest.mark.parametrize("action", ["frob", "TRIP"])
def test_an_unknown_action_is_a_usage_error(action: str, tmp_path: Path) -> None:
    """The actions there are stand in the error."""
    run = callagent("breaker", action, "crm", folder=tmp_path)

    assert run.returncode == 2
    assert "`trip`, `reset`" in complaint(run)[0]


def test_commands_are_in_the_log_of_the_run_that_obeyed_them(tmp_path: Path) -> None:
    """Who paused is in the journal."""
    with _worker(tmp_path):
        _said("pause", folder=tmp_path)
        until(
            lambda: any(each["event"] == "command_obeyed" for each in journal(tmp_path)),
            "the log has the command",
        )
        obeyed = [each for each in journal(tmp_path) if each["event"] == "command_obeyed"]

    assert obeyed[0]["command"] == "pause"
    assert obeyed[0]["by"]
