"""The waits that services asked for: what their answers said, by the twins' own ledger."""

from collections import deque
from typing import Final, NamedTuple

from callagent_cli.events import AttemptFinished
from callagent_cli.simulation.judge.evidence import TOLERANCE_S, Sight
from callagent_cli.simulation.twins.ledger import ReceivedRequest


class Wait(NamedTuple):
    """When somebody was told to wait, and until when, in seconds of the world.

    `run` is the run that was told, and `ahead_s` how far its calendar was ahead of the world then.
    """

    told_s: float
    until_s: float
    run: str
    ahead_s: float

    def ends_s(self, sight: Sight) -> float:
        """Return when it ends for the run that is seen.

        The next run only has the calendar: set forward meanwhile, it looks like a machine that
        slept, and what was waited for is due.
        """
        if sight.stamped is None or sight.stamped.run == self.run:
            return self.until_s
        return self.until_s - max(0.0, _ahead_s(sight) - self.ahead_s)


def wait(sight: Sight, until_s: float) -> Wait:
    """Return what the run that is seen was told just now."""
    run = "" if sight.stamped is None else sight.stamped.run
    return Wait(sight.at_s, until_s, run, _ahead_s(sight))


def _ahead_s(sight: Sight) -> float:
    return 0.0 if sight.stamped is None else sight.stamped.utc_s - sight.at_s


_WAITS_MAX: Final = 16
"""Waits of one service that are remembered: no attempt lasts longer than the latest of these."""

NO_WAIT: Final = Wait(0.0, 0.0, "", 0.0)


class _Asking(NamedTuple):
    """An answer with a Retry-After on its way to the worker."""

    answered_s: float
    until_s: float
    status: int


class Gates:
    """Until when each service is to be left alone.

    An answer counts from the instant at which an attempt ended by it: one that came after the
    request's timeout, or to a worker that was killed meanwhile, asked nobody. `slack_s` is within
    how many seconds two instants count as the same.
    """

    def __init__(self, slack_s: float) -> None:
        self._slack_s = slack_s
        self._waits: dict[str, deque[Wait]] = {}
        self._asking: dict[str, list[_Asking]] = {}

    def received(self, request: ReceivedRequest, sight: Sight) -> None:
        """Note what the answer to a request will ask for."""
        if request.retry_after_s is None:
            return
        answered_s = sight.at_s + request.after_s
        until_s = answered_s + request.retry_after_s
        asking = self._asking.setdefault(request.service, [])
        asking.append(_Asking(answered_s, until_s, request.status))

    def ended(self, event: AttemptFinished, sight: Sight) -> None:
        """Close the gate of a service whose answer ended an attempt and asked for time."""
        asking = self._asking.get(event.service)
        if not asking:
            return
        before_s = sight.at_s - self._slack_s
        later = [each for each in asking if each.answered_s >= before_s]
        self._asking[event.service] = later
        for each in later:
            if each.status == event.http_status and each.answered_s <= sight.at_s + self._slack_s:
                self.close(event.service, wait(sight, each.until_s))

    def close(self, service: str, told: Wait) -> None:
        """Let nobody through for a while; what was asked for before stays in force beside it."""
        self._waits.setdefault(service, deque(maxlen=_WAITS_MAX)).append(told)

    def ignored_s(self, service: str, began_s: float, sight: Sight) -> float | None:
        """Return until when an attempt, seen at its end, should have waited; None if it might."""
        for told in self._waits.get(service, ()):
            until_s = told.ends_s(sight)
            if told.told_s + self._slack_s < began_s < until_s - self._slack_s:
                return until_s
        return None

    def end_run(self, last_s: float) -> None:
        """Forget what came in the last instant: a kill may have kept it from the disk."""
        before_s = last_s - TOLERANCE_S
        for name, waits in self._waits.items():
            kept = (each for each in waits if each.told_s < before_s)
            self._waits[name] = deque(kept, maxlen=_WAITS_MAX)
        self._asking.clear()
