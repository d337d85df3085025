"""Invariants about calls: none is lost, no finished step is repeated, everything finishes."""

from collections.abc import Mapping
from typing import Final

from callagent_cli.calls.model import FINAL_STATES, LEGAL_MOVES, CallState, Step
from callagent_cli.counting import counted
from callagent_cli.durations import duration_text
from callagent_cli.events import (
    BreakerChanged,
    CallChanged,
    ListenerFailed,
    StepFinished,
    StepStarted,
)
from callagent_cli.simulation.judge.evidence import (
    TOLERANCE_S,
    Broken,
    Case,
    Evidence,
    See,
    Sight,
    Watcher,
)
from callagent_cli.simulation.twins.ledger import ReceivedRequest

_WAITS: Final = frozenset(
    {CallState.BACKOFF, CallState.PARKED, CallState.RECONCILING, CallState.SCHEDULED}
)
_LEGAL: Final = frozenset(
    {(old, new) for old, allowed in LEGAL_MOVES.items() for new in allowed}
    | {(state, state) for state in CallState}
)
_RECORD: Final = "crm.record"
_NAMED_MAX: Final = 3
_NO_REASON: Final = ": no reason"

_REQUIRED: Final = ("elevenlabs", "llm")
"""While one of these is down, no call begins."""

_INTERNAL: Final = "internal error"

_EFFECTS: Final[Mapping[str, int]] = {Step.DIAL: 1, Step.RECORD: 2}
"""Steps that do something in the world; the others may be repeated after a crash."""

_WRITTEN: Final = 4


class NoCallLost(Watcher):
    """States add up, moves are legal, whatever waits has a reason, and no bug of ours hides."""

    def __init__(self, case: Case, title: str = "") -> None:
        super().__init__(case, title)
        self._states: dict[str, str] = {}
        self._own_bug: Broken | None = None
        self._illegal: Broken | None = None
        self._unexplained: Broken | None = None

    def hears(self) -> Mapping[type, See]:
        """Return who looks at what."""
        return {CallChanged: self._moved, ListenerFailed: self._failed}

    def end_run(self, _last_s: float) -> None:
        """Forget the states: a killed run may have told of a move that never reached the disk."""
        self._states.clear()

    def finish(self, evidence: Evidence) -> Broken | None:
        """Return what is wrong with the sum, else the worst of what was seen."""
        total, contacts = sum(evidence.totals.values()), evidence.scenario.campaign.contacts
        if total != contacts:
            return Broken(text=f"{counted(total, 'call')} for {counted(contacts, 'contact')}")
        seen = self._own_bug or self._illegal or self._unexplained
        return seen or _left_in_a_lane(evidence)

    def _failed(self, event: ListenerFailed, sight: Sight) -> None:
        text = f"{event.listener} raised {event.error_class}: {event.error_message}"
        self._own_bug = self._own_bug or Broken(text=text, sight=sight)

    def _moved(self, event: CallChanged, sight: Sight) -> None:
        call, old, new, reason = event.call, event.old, event.new, event.reason
        if self._illegal is None:
            known = self._states.get(call, old)
            self._states[call] = new
            if known != old or (old, new) not in _LEGAL:
                self._illegal = Broken(text=_illegal_text(event, known), sight=sight)
        if not reason and new in _WAITS and self._unexplained is None:
            text = f"{call} is {new} without a reason"
            self._unexplained = Broken(text=text, sight=sight)
        # What callagent did wrong itself and then contained: no provider is to blame for it.
        if reason.startswith(_INTERNAL) and self._own_bug is None:
            self._own_bug = Broken(text=f"{call}: {reason}", sight=sight)


def _illegal_text(event: CallChanged, known: str) -> str:
    if (event.old, event.new) not in _LEGAL:
        return f"{event.call} moved from {event.old} to {event.new}"
    return f"{event.call} moved from {event.old}, but it was {known}"


def _left_in_a_lane(evidence: Evidence) -> Broken | None:
    if not evidence.finished:
        return None
    for state in (CallState.ACTIVE, CallState.BACKOFF):
        if count := evidence.totals.get(state, 0):
            return Broken(text=f"the run ended with {count} calls {state}")
    return None


class CompletedStepNeverRepeated(Watcher):
    """Nobody begins a finished dial or record again, but for a redial, or writes a record twice."""

    def __init__(self, case: Case, title: str = "") -> None:
        super().__init__(case, title)
        self._finished: dict[str, int] = {}
        self._fresh: list[tuple[str, int, float]] = []
        self._again: Broken | None = None
        self._written_again: Broken | None = None

    def hears(self) -> Mapping[type, See]:
        """Return who looks at what."""
        return {
            CallChanged: self._moved,
            StepStarted: self._step_started,
            StepFinished: self._step_finished,
            ReceivedRequest: self._received,
        }

    def end_run(self, last_s: float) -> None:
        """Forget what finished in the last instant: a kill may have kept it from the disk."""
        for call, step, at_s in self._fresh:
            if last_s - at_s < TOLERANCE_S:
                self._finished[call] &= ~step
        self._fresh = []

    def finish(self, _evidence: Evidence) -> Broken | None:
        """Return the first step that began again, else the first record that was written twice."""
        return self._again or self._written_again

    def _step_finished(self, event: StepFinished, sight: Sight) -> None:
        step = _EFFECTS.get(event.step)
        if step is None:
            return
        self._finished[event.call] = self._finished.get(event.call, 0) | step
        since_s = sight.at_s - TOLERANCE_S
        self._fresh = [each for each in self._fresh if each[2] > since_s]
        self._fresh.append((event.call, step, sight.at_s))

    def _moved(self, event: CallChanged, _sight: Sight) -> None:
        if event.new == CallState.SCHEDULED and event.call in self._finished:
            self._finished[event.call] &= _WRITTEN

    def _step_started(self, event: StepStarted, sight: Sight) -> None:
        if self._finished.get(event.call, 0) & _EFFECTS.get(event.step, 0) and self._again is None:
            text = f"{event.call} began {event.step} again after finishing it"
            self._again = Broken(text=text, sight=sight)

    def _received(self, request: ReceivedRequest, sight: Sight) -> None:
        """Look for a call that the CRM has two records of, whatever the worker believes."""
        if request.target != _RECORD or not request.effect or not request.call_id:
            return
        done = self._finished.get(request.call_id, 0)
        if done & _WRITTEN and self._written_again is None:
            text = f"{request.call_id} was recorded again at {sight.at_s:.1f} s"
            self._written_again = Broken(text=text)
        self._finished[request.call_id] = done | _WRITTEN


class Finished(Watcher):
    """Everything finishes: the campaign ended before the scenario's bound."""

    def __init__(self, case: Case, title: str = "") -> None:
        super().__init__(case, title)
        self._breakers: dict[str, str] = {}

    def hears(self) -> Mapping[type, See]:
        """Return who looks at what."""
        return {BreakerChanged: self._breaker_moved}

    def _breaker_moved(self, event: BreakerChanged, _sight: Sight) -> None:
        self._breakers[event.service] = event.new

    def finish(self, evidence: Evidence) -> Broken | None:
        """Return who has not finished, and on what they hang."""
        if evidence.finished:
            return None
        open_states = {
            state: count
            for state, count in evidence.totals.items()
            if count and CallState(state) not in FINAL_STATES
        }
        states = ", ".join(f"{count} {state}" for state, count in open_states.items())
        # A pending call has no reason of its own: those that have one say more, and come first.
        stuck = sorted(evidence.stuck, key=lambda text: text.endswith(_NO_REASON))
        named = "; ".join(self._with_reason(text) for text in stuck[:_NAMED_MAX])
        shut = ", ".join(
            f"{service} is {state}"
            for service, state in self._breakers.items()
            if state != "closed"
        )
        more = len(evidence.stuck) - _NAMED_MAX
        tail = f" and {more} more" if more > 0 else ""
        took = duration_text(round(evidence.ended_at_s, 1))
        text = f"not finished after {took}: {states or 'the run goes on'}"
        if shut:
            text += f" while {shut}"
        return Broken(text=f"{text}; {named}{tail}" if named else text)

    def _with_reason(self, stuck: str) -> str:
        """Return what a call hangs on; one that has not begun waits for a service or a lane."""
        if not stuck.endswith(_NO_REASON):
            return stuck
        stuck = stuck.removesuffix(_NO_REASON)
        if f" is {CallState.PENDING.value} " not in stuck:
            return stuck
        shut = [name for name in _REQUIRED if self._breakers.get(name, "closed") != "closed"]
        return f"{stuck}: waits for {' and '.join(shut) or 'a lane'}"
