"""A recorded world is played at the pace of whoever watches, and ends where it ended."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callagent_cli.cli.simulate.replay import FASTEST, SLOWEST, SPEED, Replay
from callagent_cli.cli.simulate.screen import NoCommands, replay_screen
from callagent_cli.monitor.ports import Options
from callagent_cli.monitor.state import ViewState
from callagent_cli.simulation.judge.evidence import Evidence
from callagent_cli.simulation.judge.verdict import Verdict, judge
from callagent_cli.simulation.scenario.loader import find_scenario, load_scenario
from callagent_cli.simulation.worlds.world import World


class Watch:
    """A replay on a clock that is moved by hand, and the state it fills."""

    def __init__(self, name: str = "elevenlabs-503") -> None:
        self.evidence, verdict = _world(name)
        self.now_s = 100.0
        self.replay = Replay(self.evidence, verdict, seed=7, clock_s=lambda: self.now_s)
        screen = replay_screen(self.evidence, self.replay, Options(feed=self.replay))
        self.state: ViewState = screen.state

    def wait(self, seconds: float) -> None:
        """Let the watcher's time pass, and paint."""
        self.now_s += seconds
        self.replay.pull(self.state)

    @property
    def word(self) -> str:
        """The verdict's word now."""
        return self.state.verdict(self.replay.utc()).word


@cache
def _world(name: str) -> tuple[Evidence, Verdict]:
    scenario = load_scenario(find_scenario(name)).scenario
    evidence = World(scenario, scenario.seed, record=True).run()
    return evidence, judge(evidence)


def test_the_world_runs_at_the_watchers_speed() -> None:
    """Ten of the world's seconds pass in each of the watcher's, unless another speed is set."""
    watch = Watch()
    watch.wait(4.0)

    assert watch.replay.now_s == pytest.approx(4.0 * SPEED)
    assert watch.state.services["elevenlabs"].breaker == "open"
    assert watch.word == "WAITING"


def test_a_held_world_stands_still_and_goes_on_from_there() -> None:
    """Nothing happens while time is held, however long."""
    watch = Watch()
    watch.wait(1.0)
    watch.replay.hold()
    watch.wait(1000.0)
    assert watch.replay.now_s == pytest.approx(10.0)
    watch.replay.go()
    watch.wait(1.0)

    assert watch.replay.now_s == pytest.approx(20.0)


def test_a_step_is_one_second_of_the_world() -> None:
    """Each step shows what happens in the next second, and holds."""
    watch = Watch()
    for _ in range(3):
        watch.replay.step()
        watch.wait(5.0)

    assert watch.replay.held
    assert watch.replay.now_s == pytest.approx(3.0)


def test_a_change_of_speed_jumps_nowhere() -> None:
    """The second that is shown stays when the speed changes."""
    watch = Watch()
    watch.wait(2.0)
    watch.replay.change(2.0)
    assert watch.replay.now_s == pytest.approx(20.0)
    watch.wait(1.0)

    assert watch.replay.now_s == pytest.approx(40.0)


@given(st.lists(st.sampled_from([0.5, 2.0, 1e9, 1e-9]), max_size=30))
def test_the_speed_stays_within_its_bounds(factors: list[float]) -> None:
    """No number of presses makes the world stand still or the speed overflow."""
    watch = Watch()
    for factor in factors:
        watch.replay.change(factor)

    assert SLOWEST <= watch.replay.speed <= FASTEST


def test_the_replay_ends_with_its_world() -> None:
    """At the end all events are told, the totals are those of the world, and time stands."""
    watch = Watch()
    watch.wait(10_000.0)
    ended_s = watch.replay.now_s
    watch.wait(10_000.0)

    assert watch.state.events == watch.evidence.log.lines
    assert watch.word == "DONE"
    totals = {state: calls for state, calls in watch.state.calls.totals.items() if calls}
    assert totals == {state: calls for state, calls in watch.evidence.totals.items() if calls}
    assert watch.replay.now_s == ended_s == watch.evidence.ended_at_s


def test_each_event_is_told_once_in_its_second() -> None:
    """However it is paced, the same events come in the same order."""
    watch = Watch()
    for _ in range(200):
        watch.wait(0.7)
        last = watch.state.last_utc_s
        assert last is None or last <= watch.replay.utc()

    assert watch.state.events == watch.evidence.log.lines


def test_a_check_is_decided_when_its_time_has_come() -> None:
    """Before its last moment a check is open; the verdict on all comes at the end."""
    watch = Watch()
    scenario = watch.state.scenario
    assert scenario is not None
    watch.wait(4.0)
    assert scenario.results == {}
    watch.wait(1.0)
    assert scenario.results == {"elevenlabs breaker closed → open": True}
    watch.wait(10_000.0)

    assert scenario.results["everything expected"]
    assert len(scenario.results) == len(scenario.plan.checks)


def test_the_plan_names_what_is_injected() -> None:
    """The timeline's phases are the scenario's, by service and fault."""
    watch = Watch()
    scenario = watch.state.scenario
    assert scenario is not None
    (phase,) = scenario.plan.phases

    assert (phase.service, phase.fault) == ("elevenlabs", "503")
    assert (phase.from_s, phase.to_s) == (0.0, 180.0)


def test_nothing_can_be_asked_of_the_past() -> None:
    """Each command is refused with the reason, and asking all the same does nothing."""
    commands = NoCommands()

    assert "rehearsal" in commands.refusal("trip")
    assert commands.trip("elevenlabs") == commands.pause() == commands.refusal("stop")


@pytest.mark.parametrize("name", ["answer-lost", "late-listing", "flapping-elevenlabs"])
def test_other_scenarios_can_be_watched_to_their_end(name: str) -> None:
    """Kills, other faults and broken promises are shown as well."""
    watch = Watch(name)
    watch.wait(1e6)

    assert watch.word in {"DONE", "STOPPED"}
