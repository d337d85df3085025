"""The worker's small parts."""

from asyncio import sleep
from random import Random

import pytest
from worker_doubles import down
from worker_stage import CAMPAIGN, Stage, at, people, person, settings

from callagent_cli.calls.model import Call, CallState, Contact
from callagent_cli.clock import Clock
from callagent_cli.errors import ExitCode, SettingsError
from callagent_cli.events import (
    BreakerChanged,
    BreakerState,
    Bus,
    Health,
    HealthChecked,
    Stamped,
    StepDegraded,
)
from callagent_cli.services.http import Http
from callagent_cli.settings import Settings, Window
from callagent_cli.simulation.virtual.run import run_virtual
from callagent_cli.store.port import Campaign
from callagent_cli.store.sqlite_store import SqliteStore
from callagent_cli.worker.assembly import assemble
from callagent_cli.worker.control import Control
from callagent_cli.worker.journey import Journey
from callagent_cli.worker.operations import operations
from callagent_cli.worker.steps.degraded import Degraded
from callagent_cli.worker.steps.prompts import fields_of, fill
from callagent_cli.worker.turn.calendar import Calendar
from callagent_cli.worker.worker import Worker

CLOCK = Clock(lambda: 0.0, lambda: 0.0, Random(7))


# Prompts


def a_call(**variables: str) -> Call:
    """Return a call to somebody with these columns."""
    contact = Contact(line=2, number="+12125550100", name="Ana", variables=variables)
    return Call(id="call_1", campaign="spring", contact=contact)


def test_a_prompt_is_filled_with_the_contact_and_the_crm() -> None:
    """The file knows better than the CRM; what nobody knows is left empty."""
    call = a_call(company="Acme", jobtitle="Cook")
    found = {"jobtitle": "Baker", "lastname": "Silva"}
    call = call.evolve(results={"look_up": {"properties": found}})
    prompt = "{name} {lastname}, {jobtitle} at {company}, {{x}} {nothing}!"

    assert fill(prompt, call) == "Ana Silva, Cook at Acme, {x} !"


def test_a_value_is_never_read_as_a_template() -> None:
    """Braces and formats in a cell are text."""
    assert fill("Hi {who}", a_call(who="{name} {0.__class__}")) == "Hi {name} {0.__class__}"


@pytest.mark.parametrize("prompt", ["{name", "name}", "Hello {}"])
def test_a_prompt_that_is_no_template_is_a_wrong_setting(prompt: str) -> None:
    """Found before the first call."""
    with pytest.raises(SettingsError):
        fields_of(prompt)


# Degraded steps


def degraded() -> tuple[Bus, Degraded, list[tuple[str, str, bool]]]:
    """Return a bus, what listens on it, and what it tells."""
    bus = Bus(CLOCK)
    told: list[tuple[str, str, bool]] = []

    def note(stamped: Stamped) -> None:
        event = stamped.event
        if isinstance(event, StepDegraded):
            told.append((event.service, event.step, event.active))

    bus.listen(note)
    return bus, Degraded(bus), told


def moved(service: str, new: BreakerState) -> BreakerChanged:
    """Return a breaker's move."""
    return BreakerChanged(service=service, old="half_open", new=new, reason="for the test")


def checked(service: str, health: Health, state: BreakerState) -> HealthChecked:
    """Return a health check's result."""
    return HealthChecked(
        service=service, health=health, breaker_state=state, duration_s=0.1, next_check_s=10.0
    )


def test_a_step_is_told_once_however_many_calls_it_concerns() -> None:
    """Begin and end, each once."""
    _, known, told = degraded()
    for _ in range(3):
        known.begin("look_up", "crm", instead="nothing", reason="down")
    for _ in range(3):
        known.end("look_up", "crm")

    assert told == [("crm", "look_up", True), ("crm", "look_up", False)]


def test_it_ends_when_the_breaker_closes_even_if_no_call_needs_the_step() -> None:
    """Only that of the same service."""
    bus, known, told = degraded()
    known.begin("look_up", "crm", instead="nothing", reason="down")
    known.begin("compose", "llm", instead="llm_fallback", reason="down")
    bus.emit(moved("crm", "open"))
    bus.emit(moved("crm", "closed"))

    assert told[2:] == [("crm", "look_up", False)]


def test_it_ends_with_a_healthy_check_of_a_closed_service() -> None:
    """A single failure never opens the breaker; health behind an open one says nothing yet."""
    bus, known, told = degraded()
    known.begin("compose", "llm", instead="llm_fallback", reason="a timeout")
    bus.emit(checked("llm", "unhealthy", "closed"))
    bus.emit(checked("llm", "healthy", "open"))
    assert len(told) == 1
    bus.emit(checked("llm", "healthy", "closed"))

    assert told[1:] == [("llm", "compose", False)]


# Control


def test_lanes_are_at_least_one() -> None:
    """A person's zero is not obeyed: pausing is another command."""
    control = Control(Bus(CLOCK), 4)
    for lanes, kept in ((0, 4), (-1, 4), (2, 2)):
        control.set_lanes(lanes, "ana")
        assert control.lanes == kept


def test_the_first_reason_to_drain_decides_the_exit_code() -> None:
    """A second signal is not a second drain."""
    control = Control(Bus(CLOCK), 4)
    control.drain("SIGTERM", ExitCode.TERMINATED)
    control.drain("asked", ExitCode.DONE)

    assert (control.exit_code, control.draining) == (ExitCode.TERMINATED, True)


def test_a_stop_cuts_the_session_whatever_the_drain_would_have_ended_with() -> None:
    """It is the second Ctrl-C: nothing is waited for, and the run counts as interrupted."""
    cut: list[str] = []
    control = Control(Bus(CLOCK), 4)
    control.cut = lambda: cut.append("now")
    control.drain("asked", ExitCode.DONE)
    control.stop()

    assert (control.exit_code, control.draining, cut) == (ExitCode.INTERRUPTED, True, ["now"])


# Operations


def test_a_dial_is_never_cut_in_two_by_a_timer() -> None:
    """Its requests end themselves; its lease and deadline leave room for all of them."""
    plain = operations(Settings())

    assert plain.dial.timeout_s is None
    assert plain.dial.lease_s >= 30 + 3 + 10
    assert plain.dial.deadline_s == 3 * 30 + 60


def test_a_sip_trunk_answers_later() -> None:
    """90 s, for it answers when the callee does."""
    trunk = operations(settings(carrier="sip_trunk"))

    assert trunk.dial.deadline_s == 3 * 90 + 60


def test_each_operation_has_room_for_its_requests() -> None:
    """The Guard's timeout stands behind those of the requests."""
    plain = operations(Settings())

    for operation, least_s in ((plain.follow, 10), (plain.look_up, 40), (plain.crm_record, 20)):
        assert operation.timeout_s is not None
        assert least_s < operation.timeout_s < operation.deadline_s


# Assembly


def assembled(plain: Settings, *, window: Window) -> None:
    """Put a worker together."""

    async def main() -> None:
        def connect(_service: str, _url: str) -> Http:
            raise AssertionError("nothing is sent")

        assemble(
            plain,
            clock=CLOCK,
            bus=Bus(CLOCK),
            store=SqliteStore.open(None),
            campaign="spring",
            environ={},
            connect=connect,
            window=window,
        )

    run_virtual(main())


def test_a_window_that_never_opens_is_a_wrong_setting() -> None:
    """Said at the start, and not by waiting for ever."""
    with pytest.raises(SettingsError, match="never open"):
        assembled(Settings(), window=Window(opens="20:00", closes="08:00"))


# The calendar


@pytest.mark.parametrize("step_s", [-3600.0, -86_400.0, -1.0, 0.0, 3600.0])
def test_due_times_follow_a_calendar_that_is_set_back(step_s: float) -> None:
    """Nobody waits longer than before; a drift of a second changes nothing."""
    stage = Stage(calls=people(2))
    stage.records.down = down()
    stage.run(
        at(100, lambda staged: setattr(staged, "shift_s", step_s)),
        at(400, lambda staged: setattr(staged.records, "down", None)),
    )

    assert stage.states() == {CallState.DONE: 2}
    assert stage.events[-1].monotonic_s < 600


def test_what_is_due_later_stays_later_when_the_step_is_noticed_late() -> None:
    """A due time written after the step and before the worker looks is not moved twice."""
    shift_s = [0.0]
    now_s = [0.0]
    true = Clock(lambda: now_s[0], lambda: 1_000_000.0 + now_s[0] + shift_s[0], Random(7))
    calendar = Calendar(true)
    store = SqliteStore.open(None)
    store.save_campaign(Campaign(name=CAMPAIGN, source="", source_sha256="", created_utc_s=0.0))
    store.add_calls([person(0)])
    shift_s[0] = -3600.0
    now_s[0] = 50.0
    parked = person(0).evolve(state=CallState.PARKED, due_utc_s=calendar.clock.utc() + 60.0)
    store.save_call(parked)
    calendar.follow(store, CAMPAIGN)
    due_utc_s = store.next_due(CAMPAIGN)
    store.close()

    assert due_utc_s == pytest.approx(true.utc() + 60.0)


# Lanes


def test_a_call_claimed_again_in_the_turn_in_which_it_left_keeps_its_new_lane() -> None:
    """The end of its old lane must not be taken for that of the new one."""
    stage = Stage(lanes=2, checked=False)
    visits: list[str] = []

    async def visit(call: Call) -> None:
        assert stage.worker is not None
        resources = stage.worker.resources
        journey = Journey(call, resources.store, resources.bus, resources.clock)
        await sleep(1)
        visits.append(call.id)
        if len(visits) < 3:
            stage.control.wake.set()  # The worker is woken before this task has ended.
            journey.park("once more", delay_s=0, attempts=0)
        else:
            await sleep(5)
            journey.move(CallState.DONE, "at last")

    made = stage.make

    def make() -> Worker:
        worker = made()
        worker._lane.work = visit  # type: ignore[method-assign]
        return worker

    stage.make = make  # type: ignore[method-assign]
    stage.run()

    assert visits == ["call_1"] * 3
    assert stage.states() == {CallState.DONE: 1}
