"""Nothing can be kept any more: the run ends with that error, and nobody is dialed twice."""

import asyncio
from typing import Any, cast

import pytest
from worker_doubles import Answer
from worker_stage import CAMPAIGN, Stage, at, people

from callagent_cli.calls.model import CallState
from callagent_cli.errors import ExitCode, OutcomeUnknown, StorageFull, StoreError
from callagent_cli.events import CallChanged, CommandObeyed, RunEnded
from callagent_cli.reporting.wiring import Reporting
from callagent_cli.simulation.virtual.run import run_virtual
from callagent_cli.store.failures import storage_full
from callagent_cli.store.port import RunRow
from callagent_cli.worker.housekeeping import Housekeeping
from callagent_cli.worker.session import run_session
from callagent_cli.worker.turn.ending import Ending
from callagent_cli.worker.worker import Worker

LOST = OutcomeUnknown("no answer within 30 s")
ROW = RunRow(
    id="run_1",
    campaign=CAMPAIGN,
    mode="sandbox",
    pid=1,
    host="here",
    lanes=1,
    started_utc_s=0.0,
    heartbeat_utc_s=0.0,
)


class Quiet:
    """Reporting that does nothing."""

    async def run(self) -> None:
        """Wait for the end."""
        await asyncio.Event().wait()

    def end_of_run(self) -> None:
        """Say nothing."""

    async def flush(self, timeout_s: float) -> int:
        """Deliver nothing."""
        assert timeout_s > 0
        return 0

    def watch(self, campaign: object) -> None:
        """Watch nothing."""


def full_at(stage: Stage, commit: int) -> None:
    """Let the disk be full at the `commit`-th commit."""
    database: Any = stage.store._database
    left = [commit]

    def check() -> None:
        left[0] -= 1
        if left[0] == 0:
            raise storage_full("campaign.db")

    database._check_present = check


async def whole(worker: Worker, *, pulse: bool = True) -> Ending:
    """Run a whole session that reports to nobody."""
    beside = Housekeeping(worker.resources, worker.control, ROW) if pulse else None
    quiet = cast("Reporting", Quiet())
    return await run_session(worker, quiet, mode="sandbox", contacts="x", housekeeping=beside)


def session(stage: Stage, *, pulse: bool, until_s: float | None = None) -> Ending:
    """Run a whole session in virtual time, stopped at once after `until_s`."""

    async def main() -> Ending:
        worker = stage.make()
        task = asyncio.ensure_future(whole(worker, pulse=pulse))
        if until_s is not None:
            asyncio.get_running_loop().call_later(until_s, task.cancel)
        return await task

    return run_virtual(main(), horizon_s=86_400.0)


@pytest.mark.parametrize("commit", range(1, 15))
def test_a_failing_commit_ends_the_run_and_loses_nothing(commit: int) -> None:
    """Whichever commit it is: the next run finishes what was begun, with one ring each."""
    stage = Stage(calls=people(3), lanes=2)
    stage.phone.answers = [Answer(), Answer(error=LOST)]
    full_at(stage, commit)
    with pytest.raises(StorageFull):
        session(stage, pulse=False)
    stage.store = stage.store.abandon()
    stage.life_s += 600
    stage.run()
    rung = [rung.call for rung in stage.phone.rung]

    assert stage.states() == {CallState.DONE: 3}
    assert sorted(rung) == ["call_1", "call_2", "call_3"]


def test_no_request_leaves_when_its_intent_cannot_be_kept() -> None:
    """The disk is full at the very commit of the first intent."""
    stage = Stage()
    stage.has_crm = False
    commits: list[int] = []
    full_at(stage, 10_000)
    database: Any = stage.store._database
    counted = database._check_present

    def check() -> None:
        counted()
        commits.append(len(stage.store.dials("call_1")))
        if commits[-1]:
            raise storage_full("campaign.db")

    database._check_present = check
    with pytest.raises(StorageFull):
        stage.run()

    assert commits[-1] == 1
    assert stage.phone.posts == []


def test_the_log_says_that_the_disk_is_full() -> None:
    """The run's last line names the reason and the exit code that means resumable."""
    stage = Stage(calls=people(2))
    full_at(stage, 4)
    with pytest.raises(StorageFull):
        session(stage, pulse=False)
    last = stage.of(RunEnded)[-1]

    assert last.exit_code == ExitCode.STOPPED
    assert "disk is full" in last.reason


def test_a_pulse_that_cannot_be_kept_ends_a_run_that_only_waits() -> None:
    """Nothing else writes while a run waits for a service: the heartbeat notices."""
    stage = Stage(calls=people(2), checked=False)

    async def main() -> None:
        worker = stage.make()
        worker.control.pause("ana")
        full_at(stage, 5)
        await whole(worker)

    with pytest.raises(StoreError):
        run_virtual(main(), horizon_s=60.0)


def test_a_session_stopped_at_once_says_so_and_keeps_what_it_has() -> None:
    """The second Ctrl-C: the log ends with it, and the next run goes on."""
    stage = Stage(calls=people(3))
    with pytest.raises(asyncio.CancelledError):
        session(stage, pulse=True, until_s=10.0)
    last = stage.of(RunEnded)[-1]

    assert (last.reason, last.exit_code) == ("stopped at once", ExitCode.INTERRUPTED)
    stage.life_s += 60
    stage.run()
    assert stage.states() == {CallState.DONE: 3}
    assert len(stage.phone.posts) == 3


def test_a_command_reaches_a_run_that_waits() -> None:
    """A person's pause and resume, left in the store, are obeyed within a quarter of a second."""
    stage = Stage(calls=people(2))
    stage.store.add_command("pause", "", "ana", 0.0)

    def resumes(staged: Stage) -> None:
        staged.store.add_command("resume", "", "ana", 0.0)

    async def main() -> Ending:
        worker = stage.make()
        script = asyncio.create_task(at(100, resumes)(stage))
        ending = await whole(worker)
        await script
        return ending

    assert run_virtual(main(), horizon_s=3600.0).exit_code is ExitCode.DONE
    assert [event.command for event in stage.of(CommandObeyed)] == ["pause", "resume"]
    assert stage.phone.posts[1].at_s >= 100


def test_a_bug_in_one_call_stays_in_it() -> None:
    """Its own program failed: the call fails for callagent, and the others go on."""
    stage = Stage(calls=people(3))
    composed = stage.models[0].compose

    async def buggy(*, prompt: str) -> str:
        if "Person 2" in prompt:
            raise KeyError("no such thing")
        return await composed(prompt=prompt)

    stage.models[0].compose = buggy  # type: ignore[method-assign]
    stage.run()

    assert stage.states() == {CallState.DONE: 2, CallState.FAILED: 1}
    assert stage.call(1).failed_by == "callagent"
    assert "KeyError" in stage.call(1).reason


def test_a_bug_after_the_request_went_out_puts_the_call_before_a_person() -> None:
    """The phone may have rung: neither failed nor dialed again."""
    stage = Stage(calls=people(2))
    stage.phone.answers = [Answer(error=cast("Any", ZeroDivisionError("a bug")))]
    stage.run()

    assert stage.call(0).state is CallState.REVIEW
    assert stage.call(1).state is CallState.DONE
    assert len(stage.phone.posts) == 2


def test_a_bug_in_a_look_up_stays_in_its_call() -> None:
    """A reconciling call whose look-up breaks goes to a person; the run goes on."""
    stage = Stage(calls=people(2))
    stage.phone.answers = [Answer(error=LOST)]
    stage.phone.blind = cast("Any", ZeroDivisionError("a bug"))
    stage.run()

    assert stage.call(0).state is CallState.REVIEW
    assert stage.call(1).state is CallState.DONE
    assert stage.of(CallChanged, call="call_1", new="review")[0].reason.startswith("internal")
