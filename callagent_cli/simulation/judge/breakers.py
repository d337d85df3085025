"""Invariants about breakers: legal moves, silence while open, one trial at a time."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from callagent_cli.events import (
    AttemptFinished,
    BreakerChanged,
    BreakerState,
    CallChanged,
    CommandObeyed,
    Stamped,
)
from callagent_cli.simulation.judge.evidence import TOLERANCE_S, Broken, Evidence
from callagent_cli.simulation.scenario.words import is_health

_LEGAL: Final[dict[BreakerState, frozenset[BreakerState]]] = {
    "closed": frozenset({"open", "isolated"}),
    "open": frozenset({"half_open", "isolated"}),
    "half_open": frozenset({"open", "closed", "isolated"}),
    "isolated": frozenset({"half_open", "isolated"}),
}
_BY_A_PERSON: Final[frozenset[BreakerState]] = frozenset({"closed"})
"""Where a person's reset may take any breaker."""

_SILENT: Final = frozenset({"open", "isolated"})


def breaker_legal(evidence: Evidence) -> Broken | None:
    """Breakers make only the moves of the design, each from where the last one led."""
    states: dict[tuple[str, str], BreakerState] = {}
    was_reset = False
    for line, stamped in enumerate(evidence.events, 1):
        event = stamped.event
        if isinstance(event, CommandObeyed):
            was_reset = was_reset or event.command == "reset"
        if not isinstance(event, BreakerChanged):
            continue
        legal = _LEGAL[event.old] | (_BY_A_PERSON if was_reset else frozenset())
        known = states.get((stamped.run, event.service), event.old)
        if event.new not in legal or known != event.old:
            text = f"{event.service} moved from {event.old} to {event.new}"
            if known != event.old:
                text += f", but it was {known}"
            return Broken(text=text, line=line)
        states[stamped.run, event.service] = event.new
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A time that a breaker spent in one state, within one run."""

    service: str
    state: BreakerState
    from_s: float
    until_s: float
    line: int
    slack_s: float = TOLERANCE_S

    def holds(self, at_s: float) -> bool:
        """Whether an instant lies strictly inside."""
        return self.from_s + self.slack_s < at_s < self.until_s - self.slack_s


def spells(evidence: Evidence) -> list[Spell]:
    """Return the times that breakers spent in known states, in the order they began."""
    found: list[Spell] = []
    ends_s = {stamped.run: evidence.at_s(stamped) for stamped in evidence.events}
    began: dict[tuple[str, str], tuple[int, Stamped, BreakerChanged]] = {}
    for line, stamped, event in evidence.of(BreakerChanged):
        key = (stamped.run, event.service)
        if key in began:
            found.append(_spell(evidence, began[key], evidence.at_s(stamped)))
        began[key] = (line, stamped, event)
    for (run, _), change in began.items():
        found.append(_spell(evidence, change, ends_s[run]))
    return sorted(found, key=lambda spell: spell.line)


def _spell(
    evidence: Evidence, change: tuple[int, Stamped, BreakerChanged], until_s: float
) -> Spell:
    line, stamped, event = change
    return Spell(
        service=event.service,
        state=event.new,
        from_s=evidence.at_s(stamped),
        until_s=until_s,
        line=line,
        slack_s=evidence.slack_s,
    )


class _Calendar:
    """Finds the spell of a service around an instant; a day has thousands of both."""

    def __init__(self, found: Iterable[Spell], states: frozenset[str]) -> None:
        self._spells: dict[str, list[Spell]] = defaultdict(list)
        for spell in sorted(found, key=lambda spell: spell.from_s):
            if spell.state in states:
                self._spells[spell.service].append(spell)
        self._starts_s = {
            service: [spell.from_s for spell in own] for service, own in self._spells.items()
        }

    def at(self, service: str, at_s: float) -> Spell | None:
        """Return the spell that an instant lies strictly inside."""
        own = self._spells.get(service)
        if not own:
            return None
        index = bisect_right(self._starts_s[service], at_s) - 1
        return own[index] if index >= 0 and own[index].holds(at_s) else None


def nothing_sent_while_open(evidence: Evidence) -> Broken | None:
    """While a breaker is open or isolated, its service gets health checks and nothing else.

    No call begins either that would need it: nobody writes a script that nobody can speak.
    """
    calendar = _Calendar(spells(evidence), _SILENT)
    return _sent_while_open(evidence, calendar) or _begun_while_open(evidence, calendar)


def _begun_while_open(evidence: Evidence, calendar: _Calendar) -> Broken | None:
    if evidence.settings.services.elevenlabs.when_down == "fail":
        return None  # The operator wants calls to begin, and to fail fast.
    for line, stamped, event in evidence.of(CallChanged):
        if event.old != "pending" or event.new != "active":
            continue
        at_s = evidence.at_s(stamped)
        spell = calendar.at("elevenlabs", at_s)
        if spell is not None:
            text = f"{event.call} began at {at_s:.1f} s, but elevenlabs is {spell.state}"
            return Broken(text=text, line=line)
    return None


def _sent_while_open(evidence: Evidence, calendar: _Calendar) -> Broken | None:
    for request in evidence.requests:
        at_s = evidence.wire_at_s(request.at)
        spell = None if is_health(request.target) else calendar.at(request.service, at_s)
        if spell is not None:
            text = (
                f"{request.target} was sent at {at_s:.1f} s, but {request.service} is "
                f"{spell.state} since {spell.from_s:.1f} s"
            )
            return Broken(text=text, line=spell.line)
    return None


@dataclass(frozen=True, slots=True)
class _Attempt:
    line: int
    from_s: float
    until_s: float
    event: AttemptFinished


def _attempts(evidence: Evidence) -> Iterator[_Attempt]:
    for line, stamped, event in evidence.of(AttemptFinished):
        until_s = evidence.at_s(stamped)
        yield _Attempt(line, until_s - event.duration_s, until_s, event)


def trials_at_most_1(evidence: Evidence) -> Broken | None:
    """Half-open admits one trial at a time (or as many as the policy says), and nothing else."""
    services = evidence.settings.services
    limits = {
        name: getattr(services, name).policy.breaker.trials for name in ("elevenlabs", "llm", "crm")
    }
    if services.llm.fallback is not None:
        limits["llm_fallback"] = services.llm.fallback.policy.breaker.trials
    half_open = _Calendar(spells(evidence), frozenset({"half_open"}))
    running: dict[str, list[_Attempt]] = defaultdict(list)
    for attempt in sorted(_attempts(evidence), key=lambda each: each.from_s):
        event = attempt.event
        if not event.trial:
            if broken := _sneaked_in(attempt, half_open):
                return broken
            continue
        others = [
            each
            for each in running[event.service]
            if each.until_s > attempt.from_s + evidence.slack_s
        ]
        running[event.service] = [*others, attempt]
        limit = limits.get(event.service, 1)
        if len(others) >= limit:
            text = f"{event.service} had {len(others) + 1} trials at {attempt.from_s:.1f} s"
            return Broken(text=text, line=attempt.line)
    return None


def _sneaked_in(attempt: _Attempt, half_open: _Calendar) -> Broken | None:
    service = attempt.event.service
    if half_open.at(service, attempt.from_s) is None:
        return None
    text = (
        f"{attempt.event.operation} was sent at {attempt.from_s:.1f} s "
        "while half-open, and was no trial"
    )
    return Broken(text=text, line=attempt.line)
