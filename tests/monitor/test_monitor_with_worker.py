"""The keys of the screen steer a real worker in the same loop, at once."""

import pytest
from working_stage import FAILED_BEFORE, OPERATOR, WorkingStage, work

from callagent_cli.calls.model import CallState
from callagent_cli.errors import ExitCode
from callagent_cli.events import (
    AlertRaised,
    BreakerChanged,
    CommandObeyed,
    HealthChecked,
    LanesChanged,
    RunDraining,
    RunEnded,
    RunPaused,
    RunResumed,
)
from callagent_cli.monitor.keys import KEYS


def test_pause_and_resume_reach_the_worker() -> None:
    """P stops new dials in the name of whoever presses it, and again lets them go on."""

    async def act(ready: WorkingStage) -> None:
        await ready.press("p")
        assert ready.worker.control.paused_by == OPERATOR
        assert ready.events(RunPaused) == [RunPaused(by=OPERATOR)]
        await ready.press("p")
        assert not ready.worker.control.paused_by
        assert ready.events(RunResumed) == [RunResumed(by=OPERATOR)]

    work(act)


def test_trip_and_reset_move_the_real_breaker() -> None:
    """T isolates the selected service after a question; r closes it again."""

    async def act(ready: WorkingStage) -> None:
        breaker = ready.worker.resources.services.guards["elevenlabs"].breaker

        def state() -> str:
            return breaker.state

        await ready.press("t")
        assert state() == "closed"
        await ready.press("y")
        assert state() == "isolated"
        assert ready.events(BreakerChanged)[-1].reason == f"tripped by {OPERATOR}"
        await ready.press("r")
        assert state() == "closed"
        assert ready.said() == "the elevenlabs breaker is closed"

    work(act)


def test_check_makes_a_health_check_at_once() -> None:
    """H checks the selected service without waiting for its turn."""

    async def act(ready: WorkingStage) -> None:
        def checks() -> int:
            return sum(event.service == "elevenlabs" for event in ready.events(HealthChecked))

        before = checks()
        await ready.press("h")
        await ready.until(lambda: checks() > before)
        obeyed = CommandObeyed(command="check", argument="elevenlabs", by=OPERATOR)
        assert obeyed in ready.events(CommandObeyed)

    work(act)


def test_lanes_change_by_one_and_never_below_one() -> None:
    """Plus and minus change how many calls are worked at a time."""

    async def act(ready: WorkingStage) -> None:
        await ready.press("plus")
        assert ready.worker.control.lanes == 2
        await ready.press("minus", "minus", "minus")
        assert ready.worker.control.lanes == 1
        assert [event.lanes for event in ready.events(LanesChanged)] == [2, 1]

    work(act)


def test_requeue_takes_back_what_a_service_made_fail() -> None:
    """U puts the failed calls of the selected service back to pending, after a question."""

    async def act(ready: WorkingStage) -> None:
        store, campaign = ready.worker.resources.store, ready.worker.resources.campaign
        await ready.press("j", "u")
        assert store.totals(campaign)[CallState.FAILED] == FAILED_BEFORE
        await ready.press("y")
        assert store.totals(campaign).get(CallState.FAILED, 0) == 0
        assert ready.said() == f"{FAILED_BEFORE} calls taken back"

    work(act)


def test_acknowledged_alerts_are_acknowledged_in_the_store() -> None:
    """A marks the selected alert's incident as seen, on the screen and for the reminders."""

    async def act(ready: WorkingStage) -> None:
        resources = ready.worker.resources
        resources.services.guards["crm"].breaker.isolate("unauthorized", "401 wrong key")
        await ready.until(lambda: bool(ready.events(AlertRaised)))
        ready.app.paint()
        assert ready.app.state.alerts.unseen == 1
        await ready.press("4", "a")
        assert ready.app.state.alerts.unseen == 0
        (body,) = [body for _, body in resources.store.documents("incident")]
        assert f'"acknowledged_by":"{OPERATOR}"'.encode() in body

    work(act)


def test_a_muted_service_is_muted_in_the_store() -> None:
    """M silences the selected service for ten minutes."""

    async def act(ready: WorkingStage) -> None:
        now_s = ready.worker.resources.clock.utc()
        await ready.press("m")
        assert ready.app.state.services["elevenlabs"].muted(now_s + 590)
        assert not ready.app.state.services["elevenlabs"].muted(now_s + 610)
        command = ready.events(CommandObeyed)[-1]
        assert (command.command, command.argument.split()[0]) == ("mute", "elevenlabs")

    work(act)


def test_drain_ends_the_run() -> None:
    """S drains after a question; the run ends and the screen says so."""

    async def act(ready: WorkingStage) -> None:
        await ready.press("s", "y")
        assert ready.events(RunDraining)
        ending = await ready.session
        assert ending.exit_code is not ExitCode.INTERRUPTED
        ready.app.paint()
        verdict = ready.app.state.verdict(ready.worker.resources.clock.utc())
        assert verdict.word == "STOPPED"
        await ready.press("p")
        assert ready.said() == "not possible: the run has ended"

    work(act)


def test_stop_now_ends_the_run_and_the_screen() -> None:
    """Q and s cancel the run; what was under way is left to the next one."""

    async def act(ready: WorkingStage) -> None:
        await ready.press("q", "s")
        assert ready.app.return_value == "stopped"
        await ready.until(ready.session.done)
        assert ready.session.cancelled()
        assert ready.events(RunEnded)[-1].reason == "stopped at once"

    work(act)


def test_detach_is_refused_in_the_workers_process() -> None:
    """The run cannot outlive its own process: the answer says so and does nothing."""

    async def act(ready: WorkingStage) -> None:
        await ready.press("q", "l")
        assert ready.app.return_value is None
        assert not ready.session.done()
        await ready.press("escape")

    work(act)


@pytest.mark.parametrize("group", sorted({key.group for key in KEYS}))
def test_every_key_leaves_worker_and_screen_whole(group: str) -> None:
    """Whatever key is pressed, with the answer yes and escape after it, nothing breaks."""
    keys = [key for key in KEYS if key.group == group and key.action != "command_palette"]

    async def act(ready: WorkingStage) -> None:
        for key in keys:
            ends = key.command == "drain" or key.action == "leave"
            for name in key.keys.split(","):
                await ready.press(name, *(() if ends else ("y",)), "escape")
                ready.app.paint()
                assert ready.app.crash is None, name
                assert not ready.session.done(), name
        assert ready.app.is_running

    work(act)
