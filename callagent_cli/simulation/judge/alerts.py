"""One outage makes one incident: one opened alert and one resolved."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from callagent_cli.events import AlertDelivered, AlertRaised
from callagent_cli.simulation.judge.evidence import (
    TOLERANCE_S,
    Broken,
    Case,
    Evidence,
    See,
    Sight,
    Watcher,
)


@dataclass(slots=True)
class _Waiting:
    """An alert of the last instant: if the run is killed now, it may never have been written."""

    event: AlertRaised
    sight: Sight
    is_delivered: bool = False


class OneAlertPerOutage(Watcher):
    """Each incident is opened once and resolved at most once, and a service has one at a time."""

    def __init__(self, case: Case, title: str = "") -> None:
        super().__init__(case, title)
        self._told = _Told()
        self._waiting: deque[_Waiting] = deque()
        self._broken: Broken | None = None

    def hears(self) -> Mapping[type, See]:
        """Return who looks at what."""
        return {AlertRaised: self._raised, AlertDelivered: self._delivered}

    def end_run(self, last_s: float) -> None:
        """Judge what still waits: what a kill may have kept from everybody may be told again."""
        for each in self._waiting:
            is_new = last_s - each.sight.at_s < TOLERANCE_S
            self._judge(each, doubtful=is_new and not each.is_delivered)
        self._waiting.clear()

    def end_world(self, _last_s: float) -> None:
        """Judge what still waits: after the last run nothing is told again."""
        for each in self._waiting:
            self._judge(each, doubtful=False)
        self._waiting.clear()

    def finish(self, _evidence: Evidence) -> Broken | None:
        """Return the first alert that was one too many."""
        return self._broken

    def _raised(self, event: AlertRaised, sight: Sight) -> None:
        while self._waiting and sight.at_s - self._waiting[0].sight.at_s >= TOLERANCE_S:
            self._judge(self._waiting.popleft(), doubtful=False)
        self._waiting.append(_Waiting(event, sight))

    def _delivered(self, event: AlertDelivered, _sight: Sight) -> None:
        for each in self._waiting:
            if event.delivered and each.event.alert == event.alert:
                each.is_delivered = True

    def _judge(self, waiting: _Waiting, *, doubtful: bool) -> None:
        text = self._told.take(waiting.event, doubtful=doubtful)
        if text and self._broken is None:
            self._broken = Broken(text=text, sight=waiting.sight)


class _Told:
    """Which incidents were opened and resolved; what may have been lost may be told again."""

    def __init__(self) -> None:
        self._opened: dict[str, str] = {}
        self._resolved: set[str] = set()
        self._doubtful: set[tuple[str, str]] = set()

    def take(self, event: AlertRaised, *, doubtful: bool) -> str:
        """Return what is wrong with an alert, or an empty text."""
        text = ""
        if event.kind == "opened":
            text = self._open(event)
        elif event.kind == "resolved":
            text = self._resolve(event)
        else:
            return ""
        key = (event.incident, event.kind)
        if doubtful:
            self._doubtful.add(key)
        else:
            self._doubtful.discard(key)
        return text

    def _open(self, event: AlertRaised) -> str:
        again = (event.incident, "opened") in self._doubtful
        known = self._opened.get(event.incident)
        self._opened[event.incident] = event.service
        if known is not None and not again:
            return f"incident {event.incident} of {event.service} was opened twice"
        for incident, service in self._opened.items():
            is_open = incident not in self._resolved and incident != event.incident
            if service == event.service and service and is_open:
                return f"{service} got a second incident while {incident} is open"
        return ""

    def _resolve(self, event: AlertRaised) -> str:
        again = (event.incident, "resolved") in self._doubtful
        known = event.incident in self._resolved
        self._resolved.add(event.incident)
        if known and not again:
            return f"incident {event.incident} of {event.service} was resolved twice"
        if event.incident not in self._opened:
            return f"incident {event.incident} was resolved, but never opened"
        return ""
