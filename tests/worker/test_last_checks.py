"""A run that is done takes a last look at what was down, so that somebody is told it is well."""

import pytest
from worker_doubles import down
from worker_stage import Stage, at, people

from callagent_cli.calls.model import CallState
from callagent_cli.errors import ExitCode
from callagent_cli.events import BreakerChanged, RunWaiting
from callagent_cli.resilience.breaker import Breaker
from callagent_cli.worker.worker import Worker


def _recorder(stage: Stage) -> Breaker:
    assert stage.worker is not None
    return stage.worker.resources.services.guards["crm"].breaker


def test_a_run_waits_for_the_check_that_closes_a_breaker() -> None:
    """Nobody is left who could be its trial, and whoever was told it is down waits for a word."""
    stage = Stage(calls=people(3), lanes=3)
    stage.run(
        at(1, lambda staged: _recorder(staged).isolate("unauthorized", "for the test")),
        at(2, lambda staged: _recorder(staged).credential_changed()),
    )
    moves = [(event.old, event.new) for event in stage.of(BreakerChanged, service="crm")]

    assert moves[-1] == ("half_open", "closed")
    assert stage.states() == {CallState.DONE: 3}


class _OpenedBefore(Stage):
    """A stage on which the CRM's breaker is open from the start, as an earlier run left it."""

    def make(self) -> Worker:
        """Return a worker that finds it so."""
        worker = super().make()
        breaker = _recorder(self)
        permit = breaker.closed_permit
        for _ in range(4):
            breaker.fail(permit, "crm.record", 0.1, 0.0, reason="crm answered 503")
        return worker


@pytest.mark.parametrize("down_again", [True, False])
def test_a_run_that_finds_a_service_down_ends_after_the_first_check(*, down_again: bool) -> None:
    """The breaker of an earlier run is asked about once; one that is well is proven so."""
    stage = _OpenedBefore(calls=[])
    stage.records.down = down() if down_again else None
    stage.run()
    waiting = stage.of(RunWaiting)[0]
    moves = [event.new for event in stage.of(BreakerChanged, service="crm")]

    assert waiting.reason == "a last look at crm, whose breaker is open"
    assert moves == (["open"] if down_again else ["open", "half_open", "closed"])
    assert stage.events[-1].monotonic_s < (1 if down_again else 25)


def test_a_run_that_is_drained_waits_for_no_check() -> None:
    """Whoever stops it wants it to end."""
    stage = Stage(calls=people(1))

    def stops(staged: Stage) -> None:
        _recorder(staged).isolate("unauthorized", "for the test")
        _recorder(staged).credential_changed()
        staged.control.drain("a person", ExitCode.STOPPED)

    stage.run(at(1, stops))

    assert [event.new for event in stage.of(BreakerChanged, service="crm")][-1] == "half_open"
