"""One bug for each scenario of the library: what the scenario teaches, unlearned.

An expectation that cannot fail is worth nothing. Each plant takes away the behavior that its
scenario is about; `FOUND` names the expectation that must notice.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import msgspec
import pytest
from memory_documents import MemoryDocuments

from callagent_cli.calls.degradation import Degradation, Move, decide
from callagent_cli.calls.model import Call, CallState, DialStatus, Step
from callagent_cli.reporting import wiring
from callagent_cli.reporting.incidents import IncidentBook, breaker_rules, open_incidents
from callagent_cli.resilience import outcome
from callagent_cli.resilience.breaker import Breaker
from callagent_cli.resilience.guard import Guard
from callagent_cli.resilience.outcome import RULES, Evidence, Outcome
from callagent_cli.resilience.recovery import Recovery
from callagent_cli.resilience.slots import Slots
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.store.port import Claim
from callagent_cli.worker import lane
from callagent_cli.worker.dial import step as dial_step
from callagent_cli.worker.lane import Lane
from callagent_cli.worker.steps import follow
from callagent_cli.worker.turn.agenda import Agenda

Plant = Callable[[pytest.MonkeyPatch, Scenario], Scenario]


def another_ladder(_: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Sleep 4, 8 and 16 s instead of 5, 10 and 20 s."""
    return with_settings(
        scenario, {"services": {"elevenlabs": {"policy": {"retry": {"initial_delay_s": 4.0}}}}}
    )


def scripts_nobody_can_speak(patch: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Begin calls, and write their openings, although the voice platform is down."""

    def beginning(agenda: Any, _states: object) -> Call | None:  # noqa: ANN401 — an `Agenda`.
        found: Call | None = agenda._first(CallState.PENDING)
        return found

    patch.setattr(Agenda, "_beginning", beginning)
    patch.setattr(Lane, "_refuse_in_vain", lambda _lane, _call: None)
    return scenario


def _deciding(patch: pytest.MonkeyPatch, where: Step, move: Move) -> None:
    """Do always the same with what goes wrong at a step."""

    def decided(step: Step, service: str, problem: Any, *, fail_fast: bool) -> Degradation:  # noqa: ANN401 — any problem.
        found = decide(step, service, problem, fail_fast=fail_fast)
        return replace(found, move=move, waits_for=service) if step is where else found

    patch.setattr(lane, "decide", decided)


def fail_instead_of_park(patch: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Give up on a call when the platform's breaker refuses it."""
    _deciding(patch, Step.DIAL, Move.FAIL)
    return scenario


def the_crm_stops_calling(patch: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Let a call wait for the CRM before it is made."""
    _deciding(patch, Step.LOOK_UP, Move.PARK)
    return scenario


def records_are_given_up(patch: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Go on without the record when the CRM does not take it."""
    _deciding(patch, Step.RECORD, Move.GO_ON)
    return scenario


def a_healthy_check_is_enough(patch: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Try again after each healthy check, however often dialing has failed since."""
    patch.setattr(Recovery, "may_try", lambda recovery, _now_s: recovery._health == "healthy")
    return scenario


def naive_redial(patch: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Take a dial whose answer was lost for refused."""
    patch.setattr(dial_step, "_status_after", lambda _error: DialStatus.REFUSED)
    return scenario


def an_incident_for_each_opening(patch: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Resolve an incident as soon as the breaker closes, so that flapping opens many."""
    patch.setattr(breaker_rules, "HEALTH_HOLD_S", 0.0)
    patch.setattr(open_incidents, "REOPEN_S", 0.0)
    return scenario


def alerts_forgotten_at_a_restart(patch: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Forget at a restart which outages have been told already."""

    def forgetful(_documents: object, **options: Any) -> Any:  # noqa: ANN401 — as `IncidentBook`.
        return IncidentBook(MemoryDocuments(), **options)

    patch.setattr(wiring, "IncidentBook", forgetful)
    return scenario


def a_breaker_that_never_opens(patch: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Count failures without any consequence."""
    patch.setattr(Breaker, "_open", lambda _breaker, _now_s, _reason: None)
    return scenario


def conversations_are_given_up(patch: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Fail a call whose conversation nobody can be asked about any more."""
    _deciding(patch, Step.FOLLOW, Move.FAIL)
    return scenario


def _evidence(patch: pytest.MonkeyPatch, of: Outcome, evidence: Evidence) -> None:
    patch.setitem(RULES, of, outcome.Rule(retried=True, evidence=evidence))


def throttled_is_down(patch: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Take a rate limit for a failure."""
    _evidence(patch, Outcome.THROTTLED, Evidence.FAILURE)
    return scenario


def a_limit_uses_an_attempt(patch: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Count an attempt for each answer that asks to wait."""
    wait = Guard._wait

    async def counted(guard: Any, operation: Any, work: Any, failure: Any, **keys: Any) -> None:  # noqa: ANN401 — passed on.
        work.attempts_used += failure.outcome is Outcome.THROTTLED
        await wait(guard, operation, work, failure, **keys)

    patch.setattr(Guard, "_wait", counted)
    return scenario


def a_slow_breaker(_: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Let every call fail twice before the breaker opens."""
    return with_settings(
        scenario,
        {
            "services": {
                "elevenlabs": {"policy": {"breaker": {"failures": 20, "minimum_attempts": 99}}}
            }
        },
    )


def credit_is_retried(patch: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Take an empty account for an outage that passes."""
    _evidence(patch, Outcome.QUOTA, Evidence.FAILURE)
    return scenario


def the_called_wait_their_turn(patch: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Spend the trials of an empty account on dials, while conversations are left alone."""
    patch.setattr(
        Agenda,
        "_first_parked",
        lambda agenda, service, allowed: agenda._first(
            CallState.PARKED, waits_for=service, steps=allowed
        ),
    )
    return scenario


def no_ramp(patch: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Give every slot back at once when the breaker closes."""
    patch.setattr(Slots, "ramp", lambda _slots, _ramp_s: None)
    return scenario


def stalled_for_ever(patch: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Ask about a call that does not end for as long as it takes."""
    patch.setattr(follow, "_STALLED_FOR_S", float("inf"))
    return scenario


def a_lane_for_each_stuck_call(_: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Let a call keep its lane until it ends."""
    return with_settings(scenario, {"services": {"elevenlabs": {"follow_lease_s": 1e6}}})


def patient_proof(_: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Wait longer than the list lags: there is no double dial to be reported."""
    return with_settings(scenario, {"services": {"elevenlabs": {"lookup_grace_s": 300.0}}})


def one_dial_too_many(_: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Dial whoever does not answer a fourth time."""
    return with_settings(scenario, {"dialing": {"max_dials": 4}})


def redialed_sooner(result: str) -> Plant:
    """Return the plant that dials people again three minutes after this result."""

    def plant(_: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
        return with_settings(scenario, {"dialing": {"redial": {f"{result}_min": 3}}})

    plant.__name__ = f"redialed_sooner_after_{result}"
    return plant


def redials_do_not_wait(patch: pytest.MonkeyPatch, scenario: Scenario) -> Scenario:
    """Take whoever is scheduled for due."""
    patch.setattr(
        Agenda,
        "_first",
        lambda agenda, state, **more: agenda._resources.store.first_call(
            Claim(
                campaign=scenario.name,
                state=state,
                due_utc_s=float("inf"),
                waits_for=more.get("waits_for", ""),
                steps=more.get("steps", frozenset()),
            )
        ),
    )
    return scenario


def with_settings(scenario: Scenario, changes: dict[str, Any]) -> Scenario:
    """Return a scenario under other settings."""
    plain = msgspec.to_builtins(scenario)
    _merge(plain["settings"], changes)
    return msgspec.convert(plain, Scenario)


def _merge(below: dict[str, Any], changes: dict[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, dict):
            _merge(below.setdefault(key, {}), value)
        else:
            below[key] = value


FOUND: Final[tuple[tuple[str, Plant, str], ...]] = (
    ("elevenlabs-503", another_ladder, "sleeps 5s, 10s, 20s"),
    ("elevenlabs-503", scripts_nobody_can_speak, "requests to llm during outage"),
    ("elevenlabs-503-lanes", fail_instead_of_park, "failed 0"),
    ("elevenlabs-503-lanes", scripts_nobody_can_speak, "requests to llm during outage"),
    ("elevenlabs-grey", a_healthy_check_is_enough, "requests to elevenlabs.dial during grey"),
    ("answer-lost", naive_redial, "nobody_dialed_twice"),
    ("slow-brownout", naive_redial, "nobody_dialed_twice"),
    ("flapping-elevenlabs", naive_redial, "nobody_dialed_twice"),
    ("flapping-elevenlabs", an_incident_for_each_opening, "alert_raised kind=opened"),
    ("flapping-outage", alerts_forgotten_at_a_restart, "alert_raised kind=opened"),
    ("flapping-outage", an_incident_for_each_opening, "alert_raised kind=opened"),
    ("total-network-outage", alerts_forgotten_at_a_restart, "alert_raised kind=opened"),
    ("llm-timeout", a_breaker_that_never_opens, "breaker_changed service=llm new=open"),
    ("llm-rate-limited", throttled_is_down, "breaker_changed service=llm"),
    ("llm-rate-limited", a_limit_uses_an_attempt, "attempt_finished service=llm attempt=2"),
    ("elevenlabs-503-lanes", a_slow_breaker, "breaker_changed service=elevenlabs new=open"),
    ("llm-out-of-credit", credit_is_retried, "owner=quota"),
    ("quota-exceeded", credit_is_retried, "owner=quota"),
    ("quota-exceeded", the_called_wait_their_turn, "done 10"),
    ("crm-auth-401", the_crm_stops_calling, "dialed 30"),
    ("crm-down", the_crm_stops_calling, "requests to elevenlabs.dial during outage"),
    ("crm-down", records_are_given_up, "new=parked step=record"),
    ("recovery-herd", no_ramp, "weak struck"),
    ("stuck-calls", stalled_for_ever, "review 1"),
    ("stuck-calls", a_lane_for_each_stuck_call, "dial_settled status=placed"),
    ("late-listing", patient_proof, "nobody_dialed_twice"),
    ("nobody-answers", one_dial_too_many, "dials=at least 4"),
    ("nobody-answers", redialed_sooner("no_answer"), "result=no_answer due_in_s=at most 3599"),
    ("nobody-answers", redialed_sooner("busy"), "result=busy due_in_s=at most 899"),
    ("nobody-answers", redialed_sooner("voicemail"), "result=voicemail due_in_s=at most 14399"),
    ("nobody-answers", redialed_sooner("declined"), "old=scheduled result=declined"),
    ("nobody-answers", redials_do_not_wait, "dial_settled status=placed within 14m"),
    ("day-long-outage", conversations_are_given_up, "failed 0"),
)
"""Scenario, plant, and a part of the expectation that must fail under it."""
