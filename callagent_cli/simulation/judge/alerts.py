"""One outage makes one incident: one opened alert, no less and no more, and one resolved."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from callagent_cli.events import AlertDelivered, AlertRaised, BreakerChanged
from callagent_cli.simulation.judge.evidence import (
    TOLERANCE_S,
    Broken,
    Case,
    Evidence,
    See,
    Sight,
    Watcher,
)

_REOPENS_S: Final = 600.0
"""A breaker that opens again so soon after its incident was over continues it, quietly."""

_REFUSING: Final = frozenset({"open", "isolated"})
_ISOLATING: Final = frozenset({"", "unauthorized", "quota", "misconfigured"})
"""Who opens a breaker when no person does; who trips it need not be told."""


@dataclass(slots=True)
class _Waiting:
    """An alert of the last instant: if the run is killed now, it may never have been written."""

    event: AlertRaised
    sight: Sight
    is_delivered: bool = False


class OneAlertPerOutage(Watcher):
    """Each incident is opened once and resolved at most once, and a service has one at a time.

    No breaker leaves closed unnoticed: it has an open incident, or it gets one at once. And none
    has an open incident still when everything has come to its end, although it closed again.
    """

    def __init__(self, case: Case, title: str = "") -> None:
        super().__init__(case, title)
        self._told = _Told()
        self._owed = _Owed(case.slack_s)
        self._waiting: deque[_Waiting] = deque()
        self._broken: Broken | None = None

    def hears(self) -> Mapping[type, See]:
        """Return who looks at what."""
        return {
            AlertRaised: self._raised,
            AlertDelivered: self._delivered,
            BreakerChanged: self._owed.moved,
        }

    def end_run(self, last_s: float) -> None:
        """Judge what still waits: what a kill may have kept from everybody may be told again."""
        for each in self._waiting:
            is_new = last_s - each.sight.at_s < TOLERANCE_S
            self._judge(each, doubtful=is_new and not each.is_delivered)
        self._waiting.clear()
        self._owed.end_run(last_s)

    def end_world(self, last_s: float) -> None:
        """Judge what still waits: after the last run nothing is told again."""
        for each in self._waiting:
            self._judge(each, doubtful=False)
        self._waiting.clear()
        self._owed.end_run(last_s)

    def finish(self, evidence: Evidence) -> Broken | None:
        """Return the first alert that was one too many, else the first that never came."""
        unresolved = self._owed.unresolved() if evidence.finished else None
        return self._broken or self._owed.broken or unresolved

    def _raised(self, event: AlertRaised, sight: Sight) -> None:
        self._owed.raised(event, sight)
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
            if (incident, "opened") in self._doubtful:
                continue  # A kill may have kept it from the disk, and its number is given again.
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


class _Owed:
    """Which services a person must be told of: their breaker opened, and no incident is open."""

    def __init__(self, slack_s: float) -> None:
        self._slack_s = slack_s
        self._open: dict[str, str] = {}
        self._well_utc_s: dict[str, float] = {}
        self._since: dict[str, Sight] = {}
        self._closed: dict[str, Sight] = {}
        self.broken: Broken | None = None

    def moved(self, event: BreakerChanged, sight: Sight) -> None:
        """Owe an alert for a breaker that opened, unless its incident goes on."""
        service = event.service
        self._closed.pop(service, None)
        if event.new == "closed":
            self._closed[service] = sight
            self._is_well(service, sight)
        elif event.old == "closed" and event.new in _REFUSING and event.owner in _ISOLATING:
            well_utc_s = self._well_utc_s.get(service, float("-inf"))
            if service not in self._open and _utc_s(sight) - well_utc_s > _REOPENS_S:
                self._since.setdefault(service, sight)

    def raised(self, event: AlertRaised, sight: Sight) -> None:
        """Take in an alert; one that comes late did not come."""
        service = event.service
        if event.kind == "opened":
            self._open[service] = event.incident
            self._closed.pop(service, None)
            since = self._since.pop(service, None)
            if since is not None and sight.at_s - since.at_s > TOLERANCE_S + self._slack_s:
                self._note(service, since)
        elif event.kind == "resolved" and self._open.get(service) == event.incident:
            del self._open[service]
            self._is_well(service, sight)

    def end_run(self, last_s: float) -> None:
        """Ask for what is still owed; what a kill cut off in its last instant never happened."""
        for service, since in self._since.items():
            if last_s - since.at_s > TOLERANCE_S:
                self._note(service, since)
        self._since.clear()
        self._closed = {
            service: sight
            for service, sight in self._closed.items()
            if last_s - sight.at_s > TOLERANCE_S
        }

    def unresolved(self) -> Broken | None:
        """Return the first incident that is open although the breaker of its service has closed."""
        for service, sight in self._closed.items():
            if service in self._open:
                text = (
                    f"incident {self._open[service]} of {service} was never resolved, but its "
                    f"breaker closed at {sight.at_s:.1f} s"
                )
                return Broken(text=text, sight=sight)
        return None

    def _is_well(self, service: str, sight: Sight) -> None:
        # Incidents count by the calendar, which may be set back between two of these.
        known_utc_s = self._well_utc_s.get(service, float("-inf"))
        self._well_utc_s[service] = max(known_utc_s, _utc_s(sight))

    def _note(self, service: str, since: Sight) -> None:
        if self.broken is None:
            text = f"the breaker of {service} opened at {since.at_s:.1f} s, and nobody was told"
            self.broken = Broken(text=text, sight=since)


def _utc_s(sight: Sight) -> float:
    return 0.0 if sight.stamped is None else sight.stamped.utc_s
