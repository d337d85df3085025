"""Invariants about calls: none is lost, no finished step is repeated, everything finishes."""

from typing import Final

from callagent_cli.calls.model import FINAL_STATES, LEGAL_MOVES, CallState, Step
from callagent_cli.events import CallChanged, ListenerFailed, Stamped, StepFinished, StepStarted
from callagent_cli.simulation.judge.evidence import TOLERANCE_S, Broken, Evidence

_WAITS: Final = frozenset(
    {CallState.BACKOFF, CallState.PARKED, CallState.RECONCILING, CallState.SCHEDULED}
)
_EFFECTS: Final = frozenset({Step.DIAL, Step.RECORD})
"""Steps that do something in the world; the others may be repeated after a crash."""

_RECORD: Final = "crm.record"
_NAMED_MAX: Final = 3
_INTERNAL: Final = "internal error"


def no_call_lost(evidence: Evidence) -> Broken | None:
    """States add up, moves are legal, whatever waits has a reason, and no bug of ours hides."""
    total, contacts = sum(evidence.totals.values()), evidence.scenario.campaign.contacts
    if total != contacts:
        return Broken(text=f"{total} calls for {contacts} contacts")
    return (
        _own_bug(evidence)
        or _illegal_move(evidence)
        or _without_reason(evidence)
        or _left_in_a_lane(evidence)
    )


def _own_bug(evidence: Evidence) -> Broken | None:
    """Find what callagent itself did wrong and then contained: no provider is to blame for it."""
    for line, stamped in enumerate(evidence.events, 1):
        event = stamped.event
        if isinstance(event, CallChanged) and event.reason.startswith(_INTERNAL):
            return Broken(text=f"{event.call}: {event.reason}", line=line)
        if isinstance(event, ListenerFailed):
            text = f"{event.listener} raised {event.error_class}: {event.error_message}"
            return Broken(text=text, line=line)
    return None


def _illegal_move(evidence: Evidence) -> Broken | None:
    last: dict[str, tuple[str, str]] = {}
    for line, stamped, event in evidence.of(CallChanged):
        old, new = CallState(event.old), CallState(event.new)
        if old is not new and new not in LEGAL_MOVES[old]:
            return Broken(text=f"{event.call} moved from {old} to {new}", line=line)
        run, state = last.get(event.call, ("", ""))
        # A killed run may have told of a move that never reached the disk.
        if run == stamped.run and state != event.old:
            text = f"{event.call} moved from {old}, but it was {state}"
            return Broken(text=text, line=line)
        last[event.call] = (stamped.run, event.new)
    return None


def _without_reason(evidence: Evidence) -> Broken | None:
    for line, _, event in evidence.of(CallChanged):
        if CallState(event.new) in _WAITS and not event.reason:
            return Broken(text=f"{event.call} is {event.new} without a reason", line=line)
    return None


def _left_in_a_lane(evidence: Evidence) -> Broken | None:
    if not evidence.finished:
        return None
    for state in (CallState.ACTIVE, CallState.BACKOFF):
        if count := evidence.totals.get(state, 0):
            return Broken(text=f"the run ended with {count} calls {state}")
    return None


def completed_step_never_repeated(evidence: Evidence) -> Broken | None:
    """Nobody begins a finished dial or record again, but for a redial, or writes a record twice."""
    return _begun_again(evidence) or _recorded_twice(evidence)


def _recorded_twice(evidence: Evidence) -> Broken | None:
    """Find a call that the CRM has two records of, whatever the worker believes."""
    recorded: set[str] = set()
    for request in evidence.requests:
        if request.target == _RECORD and request.effect and request.call_id:
            if request.call_id in recorded:
                at_s = evidence.wire_at_s(request.at)
                return Broken(text=f"{request.call_id} was recorded again at {at_s:.1f} s")
            recorded.add(request.call_id)
    return None


def _begun_again(evidence: Evidence) -> Broken | None:
    finished: dict[tuple[str, str], Stamped] = {}
    last_at_s = {stamped.run: evidence.at_s(stamped) for stamped in evidence.events}
    for line, stamped in enumerate(evidence.events, 1):
        event = stamped.event
        if isinstance(event, StepFinished) and event.step in _EFFECTS:
            finished[event.call, event.step] = stamped
        elif isinstance(event, CallChanged) and event.new == CallState.SCHEDULED:
            for step in _EFFECTS:
                finished.pop((event.call, step), None)
        elif isinstance(event, StepStarted):
            before = finished.get((event.call, event.step))
            if before is not None and not _cut_off(evidence, before, stamped, last_at_s):
                text = f"{event.call} began {event.step} again after finishing it"
                return Broken(text=text, line=line)
    return None


def _cut_off(
    evidence: Evidence, finished: Stamped, started: Stamped, last_at_s: dict[str, float]
) -> bool:
    """Whether a kill may have kept a finished step from the disk: it came in the same instant."""
    if finished.run == started.run:
        return False
    return last_at_s[finished.run] - evidence.at_s(finished) < TOLERANCE_S


def finished(evidence: Evidence) -> Broken | None:
    """Everything finishes: the campaign ended before the scenario's bound."""
    if evidence.finished:
        return None
    open_states = {
        state: count
        for state, count in evidence.totals.items()
        if count and CallState(state) not in FINAL_STATES
    }
    states = ", ".join(f"{count} {state}" for state, count in open_states.items())
    named = "; ".join(evidence.stuck[:_NAMED_MAX])
    more = len(evidence.stuck) - _NAMED_MAX
    tail = f" and {more} more" if more > 0 else ""
    text = f"not finished after {evidence.ended_at_s:g} s: {states or 'the run goes on'}"
    return Broken(text=f"{text}; {named}{tail}" if named else text)
