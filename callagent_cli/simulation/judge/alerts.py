"""One outage makes one incident: one opened alert and one resolved."""

from callagent_cli.events import AlertDelivered, AlertRaised, Stamped
from callagent_cli.simulation.judge.evidence import TOLERANCE_S, Broken, Evidence


def one_alert_per_outage(evidence: Evidence) -> Broken | None:
    """Each incident is opened once and resolved at most once, and a service has one at a time."""
    told = _Told()
    doubtful = _may_have_been_lost(evidence)
    for line, stamped, event in evidence.of(AlertRaised):
        text = told.take(event, doubtful=(stamped.run, event.alert) in doubtful)
        if text:
            return Broken(text=text, line=line)
    return None


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


def _may_have_been_lost(evidence: Evidence) -> set[tuple[str, str]]:
    """Return the alerts that a kill may have kept from the disk, and so from everybody.

    They were raised in the last instant of a run, and no channel had taken them yet.
    """
    last: dict[str, Stamped] = {stamped.run: stamped for stamped in evidence.events}
    if len(last) == 1:
        return set()
    delivered = {
        (stamped.run, event.alert)
        for _, stamped, event in evidence.of(AlertDelivered)
        if event.delivered
    }
    return {
        (stamped.run, event.alert)
        for _, stamped, event in evidence.of(AlertRaised)
        if last[stamped.run].monotonic_s - stamped.monotonic_s < TOLERANCE_S
        and (stamped.run, event.alert) not in delivered
        and stamped.run != evidence.events[-1].run
    }
