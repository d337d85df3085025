"""Invariants about breakers: legal moves, and silence while they are open."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from callagent_cli.events import BreakerChanged, BreakerState, CallChanged, CommandObeyed
from callagent_cli.simulation.judge.evidence import Broken, Case, Evidence, See, Sight, Watcher
from callagent_cli.simulation.scenario.words import is_health
from callagent_cli.simulation.twins.ledger import ReceivedRequest

_LEGAL: Final[dict[BreakerState, frozenset[BreakerState]]] = {
    "closed": frozenset({"open", "isolated"}),
    "open": frozenset({"half_open", "isolated"}),
    "half_open": frozenset({"open", "closed", "isolated"}),
    "isolated": frozenset({"half_open", "isolated"}),
}
_BY_A_PERSON: Final[frozenset[BreakerState]] = frozenset({"closed"})
"""Where a person's reset may take any breaker."""

_LIFTED_BY_AN_ACT: Final = frozenset({"operator", "unauthorized", "misconfigured"})
"""Who isolates until a person does something, however much time passes; nobody does meanwhile."""

_SILENT: Final = frozenset({"open", "isolated"})
_DIALS: Final = "elevenlabs"


class BreakerLegal(Watcher):
    """Breakers make only the moves of the design, each from where the last one led."""

    def __init__(self, case: Case, title: str = "") -> None:
        super().__init__(case, title)
        self._states: dict[str, BreakerState] = {}
        self._owners: dict[str, str] = {}
        self._was_reset = False
        self._broken: Broken | None = None

    def hears(self) -> Mapping[type, See]:
        """Return who looks at what."""
        return {BreakerChanged: self._moved, CommandObeyed: self._obeyed}

    def end_run(self, _last_s: float) -> None:
        """Forget the states: the next run tells them anew, and may begin with another key."""
        self._states.clear()
        self._owners.clear()

    def finish(self, _evidence: Evidence) -> Broken | None:
        """Return the first move that was not allowed."""
        return self._broken

    def _obeyed(self, event: CommandObeyed, _sight: Sight) -> None:
        self._was_reset = self._was_reset or event.command == "reset"

    def _moved(self, event: BreakerChanged, sight: Sight) -> None:
        legal = _LEGAL[event.old] | (_BY_A_PERSON if self._was_reset else frozenset())
        known = self._states.get(event.service, event.old)
        self._states[event.service] = event.new
        if self._broken is None and (event.new not in legal or known != event.old):
            text = f"{event.service} moved from {event.old} to {event.new}"
            if known != event.old:
                text += f", but it was {known}"
            self._broken = Broken(text=text, sight=sight)
        self._lifted(event, sight)

    def _lifted(self, event: BreakerChanged, sight: Sight) -> None:
        """Look at who had isolated a breaker that is tried again."""
        owner = self._owners.pop(event.service, "")
        if event.new == "isolated":
            self._owners[event.service] = event.owner
        elif event.new == "half_open" and owner in _LIFTED_BY_AN_ACT and self._broken is None:
            text = f"{event.service} moved to half_open by itself: {owner} had isolated it"
            self._broken = Broken(text=text, sight=sight)


@dataclass(slots=True)
class _Spell:
    """A time that a breaker spends open or isolated, and the first ones who did not respect it.

    Whether they did not is certain only when it is over: they may have come in its last instant.
    """

    state: BreakerState
    since: Sight
    sent: tuple[int, ReceivedRequest, float] | None = None
    begun: tuple[CallChanged, Sight] | None = None


class NothingSentWhileOpen(Watcher):
    """While a breaker is open or isolated, its service gets health checks and nothing else.

    No call begins either that would need it: nobody writes a script that nobody can speak.
    """

    def __init__(self, case: Case, title: str = "") -> None:
        super().__init__(case, title)
        self._spells: dict[str, _Spell] = {}
        self._suspects = 0
        self._sent: tuple[int, Broken] | None = None
        self._begun: Broken | None = None
        # With `fail` the operator wants calls to begin, and to fail fast.
        self._may_begin = case.settings.services.elevenlabs.when_down == "fail"

    def hears(self) -> Mapping[type, See]:
        """Return who looks at what."""
        seen: dict[type, See] = {BreakerChanged: self._moved, ReceivedRequest: self._received}
        return seen if self._may_begin else {**seen, CallChanged: self._call_moved}

    def end_run(self, last_s: float) -> None:
        """End every spell: until the next run tells it, nobody knows a breaker's state."""
        for service in list(self._spells):
            self._end(service, last_s)

    def finish(self, _evidence: Evidence) -> Broken | None:
        """Return the first request that was sent, else the first call that began."""
        return self._begun if self._sent is None else self._sent[1]

    def _moved(self, event: BreakerChanged, sight: Sight) -> None:
        self._end(event.service, sight.at_s)
        if event.new in _SILENT:
            self._spells[event.service] = _Spell(event.new, sight)

    def _received(self, request: ReceivedRequest, sight: Sight) -> None:
        spell = self._spells.get(request.service)
        if spell is None or spell.sent is not None or is_health(request.target):
            return
        if sight.at_s > spell.since.at_s + self.case.slack_s:
            self._suspects += 1
            spell.sent = (self._suspects, request, sight.at_s)

    def _call_moved(self, event: CallChanged, sight: Sight) -> None:
        if event.new != "active" or event.old != "pending":
            return
        spell = self._spells.get(_DIALS)
        if spell is None or spell.begun is not None:
            return
        if sight.at_s > spell.since.at_s + self.case.slack_s:
            spell.begun = (event, sight)

    def _end(self, service: str, until_s: float) -> None:
        spell = self._spells.pop(service, None)
        if spell is None:
            return
        before_s = until_s - self.case.slack_s
        if spell.sent is not None and spell.sent[2] < before_s:
            order, request, at_s = spell.sent
            text = (
                f"{request.target} was sent at {at_s:.1f} s, but {service} is "
                f"{spell.state} since {spell.since.at_s:.1f} s"
            )
            if self._sent is None or order < self._sent[0]:
                self._sent = (order, Broken(text=text, sight=spell.since))
        if spell.begun is not None and spell.begun[1].at_s < before_s and self._begun is None:
            event, sight = spell.begun
            text = f"{event.call} began at {sight.at_s:.1f} s, but {service} is {spell.state}"
            self._begun = Broken(text=text, sight=sight)
