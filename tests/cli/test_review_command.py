"""`callagent review`: what only a person can decide."""

import json
import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import (
    PROGRAM,
    callagent,
    complaint,
    environment,
    finished_run,
    states,
    status,
)

from callagent_cli.calls.model import CallState, Dial, DialStatus, Step
from callagent_cli.store.sqlite_store import SqliteStore


@pytest.fixture
def undecided(tmp_path: Path) -> str:
    """Return the id of a call of which nobody knows whether the phone rang."""
    finished_run(tmp_path, 1)
    store = SqliteStore.open(tmp_path / ".callagent" / "sandbox.db")
    (call,) = store.calls("contacts")
    store.save_call(
        call.evolve(
            state=CallState.REVIEW,
            step=Step.DIAL,
            reason="nobody knows whether the phone rang",
            due_utc_s=None,
            result="",
            conversation="",
            dials=0,
        )
    )
    store.save_dial(
        Dial(
            id="dial_0000000000000001",
            call=call.id,
            number=call.contact.number,
            status=DialStatus.UNKNOWN,
            intended_utc_s=1.0,
            ended_utc_s=2.0,
        )
    )
    store.close()
    return call.id


def test_calls_that_wait_for_a_person_are_listed(undecided: str, tmp_path: Path) -> None:
    """Each with its id, person, reason, and how to decide it."""
    run = callagent("review", folder=tmp_path)

    assert (run.returncode, run.stderr) == (0, "")
    assert undecided in run.stdout
    assert "Person 0 …100" in run.stdout
    assert "nobody knows" in run.stdout
    assert f"callagent review {undecided} --called" in run.stdout


@pytest.mark.parametrize(
    ("decision", "state"),
    [("--called", "done"), ("--not-called", "failed"), ("--redial", "pending")],
)
def test_a_decision_is_carried_out_and_logged(
    decision: str, state: str, undecided: str, tmp_path: Path
) -> None:
    """The call moves, and the log says who decided what."""
    run = callagent("review", undecided, decision, "--yes", folder=tmp_path)
    log = (tmp_path / "logs" / "commands.jsonl").read_text().splitlines()
    obeyed = [event for line in log if (event := json.loads(line))["event"] == "command_obeyed"]

    assert (run.returncode, run.stderr) == (0, "")
    assert f"Person 0 …100: {state}" in run.stdout
    assert states(status(tmp_path)) == {state: 1}
    assert [(event["command"], bool(event["by"])) for event in obeyed] == [("review", True)]
    assert undecided in obeyed[0]["argument"]


def test_a_redial_calls_the_person_again(undecided: str, tmp_path: Path) -> None:
    """The next run dials, and the call is finished."""
    callagent("review", undecided, "--redial", "--yes", folder=tmp_path)
    run = callagent("run", "contacts.csv", folder=tmp_path)

    assert run.returncode == 0, run.stdout
    assert states(status(tmp_path)) == {"done": 1}


def test_with_nobody_to_ask_a_decision_needs_yes(undecided: str, tmp_path: Path) -> None:
    """Without a terminal and without `--yes` nothing is changed."""
    run = callagent("review", undecided, "--called", folder=tmp_path)

    assert run.returncode == 2
    assert "--yes" in complaint(run)[1]
    assert states(status(tmp_path)) == {"review": 1}


@pytest.mark.parametrize(("answer", "state"), [(b"yes\n", "done"), (b"no\n", "review")])
def test_on_a_terminal_it_asks(answer: bytes, state: str, undecided: str, tmp_path: Path) -> None:
    """Only a yes changes anything."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [*PROGRAM, "review", undecided, "--called"],
            stdin=theirs,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env=environment(),
        )
        os.close(theirs)
        os.write(ours, answer)
        _, err = process.communicate(timeout=15)
    finally:
        os.close(ours)

    assert process.returncode == (0 if state == "done" else 2)
    assert b"the phone rang" in err
    assert states(status(tmp_path)) == {state: 1}


def _typed(*arguments: str) -> Callable[[str], list[str]]:
    return lambda call: [call if word == "ID" else word for word in arguments]


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        (_typed("ID", "--called", "--redial"), "more than one decision"),
        (_typed("--called"), "a decision needs a call"),
        (_typed("call_nobody", "--called"), "no call `call_nobody`"),
        (_typed("call_nobody"), "no call `call_nobody`"),
    ],
)
def test_what_cannot_be_decided_is_a_usage_error(
    typed: Callable[[str], list[str]], error: str, undecided: str, tmp_path: Path
) -> None:
    """Exit code 2, and nothing is changed."""
    run = callagent("review", *typed(undecided), folder=tmp_path)

    assert run.returncode == 2
    assert error in complaint(run)[0]
    assert states(status(tmp_path)) == {"review": 1}


def test_with_nothing_to_decide_it_says_so(tmp_path: Path) -> None:
    """After a good run nobody waits."""
    finished_run(tmp_path, 1)
    run = callagent("review", folder=tmp_path)

    assert (run.returncode, run.stdout) == (0, "SANDBOX contacts: no call waits for a decision\n")
