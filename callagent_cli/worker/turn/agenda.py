"""Which call is worked next: what goes on before what begins, never what a breaker refuses."""

from collections.abc import Collection
from typing import Final

from callagent_cli.calls.model import BEFORE_DIAL, RUNG, Call, CallState, Step
from callagent_cli.events import AttemptFinished, BreakerChanged, Stamped
from callagent_cli.resilience.breaker import Breaker
from callagent_cli.store.port import Claim
from callagent_cli.worker.control import Control
from callagent_cli.worker.resources import Resources

TRIAL_WANTED_S: Final = 30.0
"""How long two healthy checks may take to close a half-open breaker that no call needs."""

_BEGINNING: Final = (CallState.SCHEDULED, CallState.PENDING)
_ALL: Final = frozenset(Step)
_VOICE: Final = ("elevenlabs",)
_NO_STEPS: Final[frozenset[Step]] = frozenset()


class Agenda:
    """Claims calls. A half-open service gets one candidate for its trial at a time."""

    def __init__(self, resources: Resources, control: Control) -> None:
        self._resources = resources
        self._control = control
        self._candidates: dict[str, str] = {}
        self._moved_s: dict[str, float] = {}
        self._fails_fast = resources.settings.services.elevenlabs.when_down == "fail"
        self._models = tuple(name for name, _ in resources.services.composers)
        resources.bus.listen(self._breaker_moved, BreakerChanged)
        resources.bus.listen(self._attempt_ended, AttemptFinished)

    def claim(self, states: Collection[CallState]) -> Call | None:
        """Return the next call to work on, or None when nothing can be done right now.

        `states` are those in which there are calls at all: the others are not searched.
        """
        if self._control.draining:
            return None
        call = None
        if CallState.PARKED in states:
            call = self._parked(self._allowed_steps())
        return call or self._beginning(states)

    def released(self, call_id: str) -> None:
        """Forget that a call is a candidate: its lane is free again."""
        for service, candidate in list(self._candidates.items()):
            if candidate == call_id:
                del self._candidates[service]

    def idle(self, service: str, *, lanes_busy: bool) -> bool:
        """Say whether no call could be the trial of this service."""
        if lanes_busy:
            return False
        states = self._resources.store.totals(self._resources.campaign)
        group = "llm" if service == "llm_fallback" else service
        if CallState.PARKED in states and self._first(
            CallState.PARKED, waits_for=group, steps=self._allowed_steps()
        ):
            return False
        others = (each for each in (_VOICE, self._models) if service not in each)
        if self._control.paused_by or any(self._blocked(each) for each in others):
            return True
        return not any(self._first(each) for each in _BEGINNING if each in states)

    def blocked(self, service: str) -> Breaker | None:
        """Return the breaker that holds up whoever waits for this service, or None."""
        return self._blocked(self._members(service))

    def needs_trial(self, service: str, *, lanes_busy: bool) -> bool:
        """Say whether a service has long been half-open without any call to try it with.

        Healthy checks prove nothing about credit, and a check may be wrong.
        """
        if not self.is_trying(service):
            return False
        now_s = self._resources.clock.monotonic()
        members = self._members(service)
        if any(now_s - self._moved_s.get(name, 0.0) < TRIAL_WANTED_S for name in members):
            return False
        return self.idle(service, lanes_busy=lanes_busy)

    def is_trying(self, service: str) -> bool:
        """Say whether a service is half-open, with none of its group closed."""
        guards = self._resources.services.guards
        states = {guards[name].breaker.state for name in self._members(service)}
        return "half_open" in states and "closed" not in states

    def required_block(self) -> Breaker | None:
        """Return the breaker that keeps calls from beginning, or None."""
        if self._fails_at_once():
            return None
        return self._blocked(_VOICE) or self._blocked(self._models)

    def _allowed_steps(self) -> frozenset[Step]:
        return RUNG if self._control.paused_by else _ALL

    def _fails_at_once(self) -> bool:
        """Say whether calls begin only to fail, as the operator wants it during an outage."""
        voice = self._resources.services.voice.breaker
        return self._fails_fast and voice.state == "open" and not voice.poll()

    def _beginning(self, states: Collection[CallState]) -> Call | None:
        """Return a call to begin, or to dial again, if the services it requires admit it."""
        if self._control.paused_by:
            return None
        if not self._fails_at_once() and not self._admits(_VOICE):
            return None
        steps = _ALL if self._admits(self._models) else _ALL - BEFORE_DIAL
        call = None
        if CallState.SCHEDULED in states:
            call = self._first(CallState.SCHEDULED, steps=steps)
        if call is None and CallState.PENDING in states:
            call = self._first(CallState.PENDING, steps=steps)
        if call is not None:
            self._nominate(_VOICE, call)
            if call.step in BEFORE_DIAL:
                self._nominate(self._models, call)
        return call

    def _parked(self, steps: frozenset[Step]) -> Call | None:
        """Return a call that waits for time only, or else for a service which admits again."""
        waited_for = self._resources.store.parked_for(self._resources.campaign)
        if "" in waited_for and (call := self._first(CallState.PARKED, steps=steps)):
            return call
        for service in ("elevenlabs", "llm", "crm"):
            members = self._members(service)
            if service not in waited_for or not members or not self._admits(members):
                continue
            call = self._first_parked(service, steps)
            if call is not None:
                self._nominate(members, call)
                return call
        return None

    def _first_parked(self, service: str, steps: frozenset[Step]) -> Call | None:
        """Return the call that waits longest; for a trial, one that has rung before all others.

        Without credit only the following of those who were called can succeed. Where following is
        itself what fails, all wait alike, or it would take every trial.
        """
        guards = self._resources.services.guards
        breakers = [guards[name].breaker for name in self._members(service)]
        call = None
        if all(each.state != "closed" for each in breakers) and not any(
            f"{service}.{Step.FOLLOW}" in each.failed_operations for each in breakers
        ):
            call = self._first(CallState.PARKED, waits_for=service, steps=steps & RUNG)
        return call or self._first(CallState.PARKED, waits_for=service, steps=steps)

    def _first(
        self, state: CallState, *, steps: frozenset[Step] = _ALL, waits_for: str = ""
    ) -> Call | None:
        if not steps:
            return None
        resources = self._resources
        return resources.store.first_call(
            Claim(
                campaign=resources.campaign,
                state=state,
                due_utc_s=resources.clock.utc(),
                waits_for=waits_for,
                steps=_NO_STEPS if steps == _ALL else steps,
            )
        )

    def _members(self, service: str) -> tuple[str, ...]:
        if service == "llm":
            return self._models
        return (service,) if service in self._resources.services.guards else ()

    def _blocked(self, group: tuple[str, ...]) -> Breaker | None:
        guards = self._resources.services.guards
        breakers = [guards[name].breaker for name in group]
        if any(breaker.state in {"closed", "half_open"} for breaker in breakers):
            return None
        return breakers[0] if breakers else None

    def _admits(self, group: tuple[str, ...]) -> bool:
        """Say whether one service of the group admits, and needs no more than one candidate."""
        for service in group:  # noqa: SIM110 — asked at each wake: a generator costs more than the answer.
            if self._admits_one(service):
                return True
        return False

    def _admits_one(self, service: str) -> bool:
        breaker = self._resources.services.guards[service].breaker
        if breaker.state == "closed":
            return True
        if not breaker.poll():
            return False
        return service not in self._candidates and breaker.trial_is_free

    def _nominate(self, group: tuple[str, ...], call: Call) -> None:
        guards = self._resources.services.guards
        for service in group:
            if guards[service].breaker.state == "half_open":
                self._candidates.setdefault(service, call.id)

    def _breaker_moved(self, stamped: Stamped) -> None:
        event = stamped.event
        assert isinstance(event, BreakerChanged)  # noqa: S101 — nothing else was asked for.
        self._moved_s[event.service] = stamped.monotonic_s
        self._candidate_is_done(event.service)

    def _attempt_ended(self, stamped: Stamped) -> None:
        event = stamped.event
        assert isinstance(event, AttemptFinished)  # noqa: S101 — as above.
        if event.trial:
            self._candidate_is_done(event.service)

    def _candidate_is_done(self, service: str) -> None:
        self._candidates.pop(service, None)
        self._control.wake.set()
