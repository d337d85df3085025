"""When a run is done, and with which exit code."""

from dataclasses import dataclass
from typing import Final

from callagent_cli.calls.model import FINAL_STATES, CallState
from callagent_cli.errors import ExitCode
from callagent_cli.resilience.breaker import Breaker
from callagent_cli.store.port import Waiting
from callagent_cli.worker.again.requeue import failed_in_outage
from callagent_cli.worker.control import Control
from callagent_cli.worker.resources import Resources
from callagent_cli.worker.turn.agenda import Agenda

QUOTA_TRIALS: Final = 4
"""How often a run without credit tries again (after 5, 10, 20 and 30 min) before it ends."""

_NEEDS_A_PERSON: Final = frozenset({"unauthorized", "misconfigured"})
_WAITING: Final = frozenset(
    {CallState.BACKOFF, CallState.PARKED, CallState.RECONCILING, CallState.SCHEDULED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended; `totals` counts the calls by state."""

    exit_code: ExitCode
    reason: str
    totals: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """What can still move by itself (`reason`), or why the run ends when nothing can."""

    reason: str = ""
    exit_code: ExitCode = ExitCode.DONE
    ended: str = "everything is done"


def ending_of(totals: dict[CallState, int], exit_code: ExitCode | None, reason: str) -> Ending:
    """Return the ending; calls that failed or need a person make an exit code of 1 out of 0."""
    unhappy = totals.get(CallState.FAILED, 0) + totals.get(CallState.REVIEW, 0)
    code = ExitCode.DONE if exit_code is None else exit_code
    if code is ExitCode.DONE and unhappy:
        code = ExitCode.FAILED
    counted = {state.value: calls for state, calls in totals.items()}
    return Ending(exit_code=code, reason=reason, totals=counted)


def drained(totals: dict[CallState, int], exit_code: ExitCode | None) -> Ending:
    """Return the ending of a drained run: stopped, when something is left to do."""
    left = sum(calls for state, calls in totals.items() if state not in FINAL_STATES)
    if left and exit_code in {None, ExitCode.DONE}:
        exit_code = ExitCode.STOPPED
    return ending_of(totals, exit_code, "drained")


def still_waits(
    resources: Resources, agenda: Agenda, control: Control, totals: dict[CallState, int]
) -> Waits:
    """Return what the run waits for while no lane is busy."""
    reasons: list[str] = []
    helpless: list[str] = []
    pending = totals.get(CallState.PENDING, 0)
    if pending:
        block = agenda.required_block()
        _sort(f"{pending} pending", block, reasons, helpless)
    if not totals.keys().isdisjoint(_WAITING):
        for group in resources.store.waiting(resources.campaign):
            _sort(f"{group.calls} {group.state.value}", _block(group, agenda), reasons, helpless)
    if resources.settings.requeue_after_outage and CallState.FAILED in totals:
        _affected(resources, agenda, reasons, helpless)
    if reasons and control.paused_by:
        return Waits(reason=f"paused by {control.paused_by}")
    if reasons:
        return Waits(reason=", ".join(reasons))
    if helpless:
        return Waits(exit_code=ExitCode.CREDENTIALS, ended=", ".join(helpless))
    return Waits()


def proving(resources: Resources) -> Breaker | None:
    """Return a breaker that the next health check may well close, None when there is none.

    Whoever is told that a service is down should also be told that it is well again, and no later
    run may live long enough to find out. A healthy check proves nothing about credit.
    """
    for name, checker in resources.services.checkers.items():
        breaker = resources.services.guards[name].breaker
        if breaker.state not in {"open", "half_open"} or breaker.quota_rounds:
            continue
        is_well = breaker.state == "half_open" and checker.health == "healthy"
        if is_well or checker.checked_utc_s is None:
            return breaker
    return None


def _block(group: Waiting, agenda: Agenda) -> Breaker | None:
    """Return the breaker that keeps a group of waiting calls where they are."""
    if group.state is CallState.SCHEDULED:
        return agenda.required_block()
    if group.state is CallState.RECONCILING:
        return agenda.blocked("elevenlabs")
    return agenda.blocked(group.waits_for) if group.waits_for else None


def _affected(
    resources: Resources, agenda: Agenda, reasons: list[str], helpless: list[str]
) -> None:
    """Count the failed calls that are taken back by themselves once their service is healthy."""
    for service in ("elevenlabs", "llm", "crm"):
        block = agenda.blocked(service)
        if block is None and not agenda.is_trying(service):
            continue
        failed = resources.store.calls(resources.campaign, frozenset({CallState.FAILED}))
        calls = sum(call.failed_by == service and failed_in_outage(call) for call in failed)
        if calls:
            _sort(f"{calls} failed, taken back later", block, reasons, helpless)


def _sort(what: str, block: Breaker | None, reasons: list[str], helpless: list[str]) -> None:
    """Say of one group of calls whether time alone can move it."""
    if block is None:
        reasons.append(what)
    elif _needs_a_person(block):
        helpless.append(f"{what}: {block.service} is isolated ({block.reason})")
    else:
        reasons.append(f"{what}: {block.service} is {block.state}")


def _needs_a_person(breaker: Breaker) -> bool:
    if breaker.state != "isolated":
        return False
    if breaker.owner == "quota":
        return breaker.quota_rounds > QUOTA_TRIALS
    return breaker.owner in _NEEDS_A_PERSON
