"""When a run is done, and with which exit code."""

from dataclasses import dataclass
from typing import Final

from callagent_cli.calls.model import CallState
from callagent_cli.errors import ExitCode
from callagent_cli.resilience.breaker import Breaker
from callagent_cli.worker.agenda import Agenda
from callagent_cli.worker.control import Control
from callagent_cli.worker.resources import Resources

QUOTA_TRIALS: Final = 4
"""How often a run without credit tries again (after 5, 10, 20 and 30 min) before it ends."""

_NEEDS_A_PERSON: Final = frozenset({"unauthorized", "misconfigured"})


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
    for group in resources.store.waiting(resources.campaign):
        block = agenda.blocked(group.waits_for) if group.waits_for else None
        _sort(f"{group.calls} {group.state.value}", block, reasons, helpless)
    if reasons and control.paused_by:
        return Waits(reason=f"paused by {control.paused_by}")
    if reasons:
        return Waits(reason=", ".join(reasons))
    if helpless:
        return Waits(exit_code=ExitCode.CREDENTIALS, ended=", ".join(helpless))
    return Waits()


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
