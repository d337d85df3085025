"""Half-open admits one trial at a time (or as many as the policy says), and nothing else."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from callagent_cli.events import AttemptFinished, BreakerChanged
from callagent_cli.simulation.judge.evidence import Broken, Case, Evidence, See, Sight, Watcher

_KEPT_S: Final = 3600.0
"""No attempt takes an hour: what ended before that has nothing to do with one that ends now."""

_NEVER: Final = float("inf")


class _Attempt(NamedTuple):
    """An attempt, in the order of when it began."""

    from_s: float
    line: int
    until_s: float
    event: AttemptFinished
    sight: Sight


@dataclass(slots=True)
class _HalfOpen:
    """A time that a breaker spent half-open; `suspect` began in it first and was no trial."""

    from_s: float
    until_s: float = _NEVER
    suspect: _Attempt | None = None


@dataclass(frozen=True, slots=True)
class _Trials:
    """The trials of one service within the last hour: those that took time, and the others."""

    lasting: deque[_Attempt] = field(default_factory=deque)
    brief: deque[_Attempt] = field(default_factory=deque)

    def forget(self, before_s: float) -> None:
        """Forget those that ended before an instant."""
        for trials in (self.lasting, self.brief):
            while trials and trials[0].until_s < before_s:
                trials.popleft()


class TrialsAtMost1(Watcher):
    """Judges attempts by when they began, which is known when they end."""

    def __init__(self, case: Case, title: str = "") -> None:
        super().__init__(case, title)
        self._limits = {
            service: policy.breaker.trials for service, policy in case.policies().items()
        }
        self._spells: dict[str, deque[_HalfOpen]] = {}
        self._trials: dict[str, _Trials] = {}
        self._first: tuple[_Attempt, Broken] | None = None

    def hears(self) -> Mapping[type, See]:
        """Return who looks at what."""
        return {BreakerChanged: self._moved, AttemptFinished: self._finished}

    def end_run(self, last_s: float) -> None:
        """End every spell: until the next run tells it, nobody knows a breaker's state."""
        for service in self._spells:
            self._end(service, last_s)

    def finish(self, _evidence: Evidence) -> Broken | None:
        """Return the attempt that began first of those that should not have."""
        return None if self._first is None else self._first[1]

    def _moved(self, event: BreakerChanged, sight: Sight) -> None:
        self._end(event.service, sight.at_s)
        if event.new == "half_open":
            spells = self._spells.setdefault(event.service, deque())
            while spells and spells[0].until_s < sight.at_s - _KEPT_S:
                spells.popleft()
            spells.append(_HalfOpen(sight.at_s))

    def _end(self, service: str, until_s: float) -> None:
        spells = self._spells.get(service)
        if not spells or spells[-1].until_s != _NEVER:
            return
        spell = spells[-1]
        spell.until_s = until_s
        if spell.suspect is not None and spell.suspect.from_s < until_s - self.case.slack_s:
            self._sneaked_in(spell.suspect)

    def _finished(self, event: AttemptFinished, sight: Sight) -> None:
        service = event.service
        if not event.trial and service not in self._spells:
            return
        attempt = _Attempt(sight.at_s - event.duration_s, sight.line, sight.at_s, event, sight)
        if event.trial:
            self._tried(service, attempt)
        else:
            self._went_past(service, attempt)

    def _went_past(self, service: str, attempt: _Attempt) -> None:
        from_s, slack_s = attempt.from_s, self.case.slack_s
        for spell in reversed(self._spells[service]):
            if spell.from_s > from_s:
                continue
            if spell.from_s + slack_s < from_s < spell.until_s - slack_s:
                if spell.until_s != _NEVER:
                    self._sneaked_in(attempt)
                elif spell.suspect is None or attempt[:2] < spell.suspect[:2]:
                    spell.suspect = attempt
            return

    def _tried(self, service: str, attempt: _Attempt) -> None:
        trials = self._trials.setdefault(service, _Trials())
        trials.forget(attempt.until_s - _KEPT_S)
        if attempt.until_s <= attempt.from_s + self.case.slack_s:
            # What is over at once overlaps only what ends later; a thousand may be in one instant.
            trials.brief.append(attempt)
            return
        trials.lasting.append(attempt)
        everyone = [*trials.lasting, *trials.brief]
        limit = self._limits.get(service, 1)
        for later in everyone:
            if later[:2] < attempt[:2]:
                continue
            others = sum(each[:2] < later[:2] and self._overlap(each, later) for each in everyone)
            if others >= limit:
                text = f"{service} had {others + 1} trials at {later.from_s:.1f} s"
                self._note(later, text)

    def _overlap(self, one: _Attempt, other: _Attempt) -> bool:
        """Say whether both were under way at once; one that is over at once is before or after.

        Where two begin in the same instant, rounding alone says which of them was first.
        """
        slack_s = self.case.slack_s
        return one.until_s > other.from_s + slack_s and other.until_s > one.from_s + slack_s

    def _sneaked_in(self, attempt: _Attempt) -> None:
        text = (
            f"{attempt.event.operation} was sent at {attempt.from_s:.1f} s "
            "while half-open, and was no trial"
        )
        self._note(attempt, text)

    def _note(self, attempt: _Attempt, text: str) -> None:
        if self._first is None or attempt[:2] <= self._first[0][:2]:
            self._first = (attempt, Broken(text=text, sight=attempt.sight))
