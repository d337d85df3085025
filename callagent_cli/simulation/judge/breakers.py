"""Invariants about breakers: legal moves, and silence while they are open."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from callagent_cli.calls.model import BEFORE_DIAL, Step
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
_DIALS: Final = ("elevenlabs",)


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
    """A time that a breaker spends open or isolated, and the first request sent all the same.

    Whether it was is certain only when the time is over: it may have come in its last instant.
    """

    state: BreakerState
    since: Sight
    sent: tuple[int, ReceivedRequest, float] | None = None


class NothingSentWhileOpen(Watcher):
    """While a breaker is open or isolated, its service gets health checks and nothing else.

    No call begins either that would need it: nobody writes a script that nobody can speak, and
    nobody looks up a person for whom no model can write.
    """

    def __init__(self, case: Case, title: str = "") -> None:
        super().__init__(case, title)
        self._spells: dict[str, _Spell] = {}
        self._suspects = 0
        self._sent: tuple[int, Broken] | None = None
        self._needs = [_Need(*need, case.slack_s) for need in _needs(case)]

    def hears(self) -> Mapping[type, See]:
        """Return who looks at what."""
        return {
            BreakerChanged: self._moved,
            ReceivedRequest: self._received,
            CallChanged: self._call_moved,
        }

    def end_run(self, last_s: float) -> None:
        """End every spell: until the next run tells it, nobody knows a breaker's state."""
        for service in list(self._spells):
            self._end(service, last_s)
        for need in self._needs:
            need.end_run(last_s)

    def finish(self, _evidence: Evidence) -> Broken | None:
        """Return the first request that was sent, else the first call that began."""
        if self._sent is not None:
            return self._sent[1]
        begun = [need.begun for need in self._needs if need.begun is not None]
        return min(begun, key=lambda each: each.line, default=None)

    def _moved(self, event: BreakerChanged, sight: Sight) -> None:
        self._end(event.service, sight.at_s)
        if event.new in _SILENT:
            self._spells[event.service] = _Spell(event.new, sight)
        for need in self._needs:
            need.moved(event, sight)

    def _received(self, request: ReceivedRequest, sight: Sight) -> None:
        spell = self._spells.get(request.service)
        if spell is None or spell.sent is not None or is_health(request.target):
            return
        if sight.at_s > spell.since.at_s + self.case.slack_s:
            self._suspects += 1
            spell.sent = (self._suspects, request, sight.at_s)

    def _call_moved(self, event: CallChanged, sight: Sight) -> None:
        if event.new == "active" and event.old == "pending":
            for need in self._needs:
                need.called(event, sight)

    def _end(self, service: str, until_s: float) -> None:
        spell = self._spells.pop(service, None)
        if spell is None or spell.sent is None:
            return
        order, request, at_s = spell.sent
        if at_s < until_s - self.case.slack_s and (self._sent is None or order < self._sent[0]):
            text = (
                f"{request.target} was sent at {at_s:.1f} s, but {service} is "
                f"{spell.state} since {spell.since.at_s:.1f} s"
            )
            self._sent = (order, Broken(text=text, sight=spell.since))


def _needs(case: Case) -> Iterator[tuple[tuple[str, ...], frozenset[Step]]]:
    """Yield of which services a call needs one to begin, and at which steps."""
    services = case.settings.services
    # With `fail` the operator wants calls to begin, and to fail fast.
    if services.elevenlabs.when_down != "fail":
        yield _DIALS, frozenset(Step)
    models = ("llm",) if services.llm.fallback is None else ("llm", "llm_fallback")
    yield models, BEFORE_DIAL


class _Begun(NamedTuple):
    """When a call began that could not go on, and what to say of it."""

    sight: Sight
    text: str


class _Need:
    """Services of which a call needs one to begin at some steps, and the first that had none.

    Whether it had none is certain only when a breaker moves: it may have moved in that instant.
    """

    def __init__(self, services: tuple[str, ...], steps: frozenset[Step], slack_s: float) -> None:
        self._services = services
        self._steps = steps
        self._slack_s = slack_s
        self._silent: dict[str, BreakerChanged] = {}
        self._since_s = 0.0
        self._suspect: _Begun | None = None
        self.begun: Broken | None = None

    def moved(self, event: BreakerChanged, sight: Sight) -> None:
        """Take in how a breaker moved."""
        if event.service not in self._services:
            return
        self._settle(sight.at_s)
        self._since_s = sight.at_s
        self._silent.pop(event.service, None)
        if event.new in _SILENT:
            self._silent[event.service] = event

    def called(self, event: CallChanged, sight: Sight) -> None:
        """Look at a call that begins."""
        if self._suspect is not None or len(self._silent) < len(self._services):
            return
        if event.step in self._steps and sight.at_s > self._since_s + self._slack_s:
            shut = " and ".join(f"{each.service} is {each.new}" for each in self._silent.values())
            text = f"{event.call} began at {sight.at_s:.1f} s, but {shut}"
            self._suspect = _Begun(sight, text)

    def end_run(self, last_s: float) -> None:
        """Forget the states: until the next run tells them, nobody knows them."""
        self._settle(last_s)
        self._silent.clear()

    def _settle(self, until_s: float) -> None:
        suspect, self._suspect = self._suspect, None
        if suspect is None or self.begun is not None:
            return
        if suspect.sight.at_s < until_s - self._slack_s:
            self.begun = Broken(text=suspect.text, sight=suspect.sight)
