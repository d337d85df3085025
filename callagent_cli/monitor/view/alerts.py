"""The alert feed: what a person should know, what is still open, and who has seen it."""

from collections import deque
from dataclasses import dataclass, replace

from callagent_cli.events import AlertKind, AlertRaised, Severity, Stamped

ALERTS_LIMIT = 200
NOTES_LIMIT = 200
TEXT_LIMIT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertView:
    """One alert; `seen_by` is who acknowledged it, empty when nobody has.

    `since_utc_s` is when its incident began, where that is known better than by its first alert.
    """

    alert: str
    incident: str
    kind: AlertKind
    severity: Severity
    service: str
    title: str
    body: str
    raised_utc_s: float
    call: str = ""
    seen_by: str = ""
    since_utc_s: float | None = None


class AlertFeed:
    """The latest alerts; an incident is open from its first alert to the one that resolves it.

    `left_out` counts the older ones that are kept no more.
    """

    def __init__(self) -> None:
        self._alerts: dict[str, AlertView] = {}
        self._open: dict[str, float] = {}
        self.left_out = 0

    def raised(self, at_s: float, event: AlertRaised) -> None:
        """Add an alert; one that resolves closes its incident."""
        self.add(
            AlertView(
                alert=event.alert,
                incident=event.incident,
                kind=event.kind,
                severity=event.severity,
                service=event.service,
                title=event.title[:TEXT_LIMIT],
                body=event.body[:TEXT_LIMIT],
                raised_utc_s=at_s,
                call=event.call,
            )
        )

    def add(self, alert: AlertView) -> None:
        """Add an alert that is already in the feed's own form; a known one keeps its place."""
        if alert.alert not in self._alerts and len(self._alerts) >= ALERTS_LIMIT:
            oldest = self._alerts.pop(next(iter(self._alerts)))
            # One that is older still was left out once, and is back in the place of this one.
            self.left_out += alert.raised_utc_s >= oldest.raised_utc_s
        self._alerts[alert.alert] = alert
        if not alert.incident:
            return
        if alert.kind == "resolved":
            self._open.pop(alert.incident, None)
        elif len(self._open) < ALERTS_LIMIT:
            self._open.setdefault(alert.incident, alert.raised_utc_s)

    def acknowledge(self, wanted: str, by: str) -> None:
        """Mark alerts as seen: `all`, or those of an incident, which one of its alerts may name.

        An unknown id changes nothing.
        """
        named = self._alerts.get(wanted)
        incident = named.incident if named is not None else wanted
        for key, known in self._alerts.items():
            meant = wanted in {"all", key} or (incident and known.incident == incident)
            if meant and not known.seen_by:
                self._alerts[key] = replace(known, seen_by=by or "operator")

    def latest(self) -> list[AlertView]:
        """Return the alerts, the newest first."""
        return list(reversed(self._alerts.values()))

    def is_open(self, alert: AlertView) -> bool:
        """Return whether the alert still tells of something unresolved."""
        if alert.kind == "resolved":
            return False
        return alert.incident in self._open if alert.incident else not alert.seen_by

    def since_s(self, alert: AlertView) -> float:
        """Return when the trouble began that an alert tells of (UTC seconds)."""
        if alert.since_utc_s is not None:
            return alert.since_utc_s
        return self._open.get(alert.incident, alert.raised_utc_s)

    def needs_eyes(self, alert: AlertView) -> bool:
        """Return whether an alert is open, worth an act, and seen by nobody."""
        return not alert.seen_by and alert.severity != "info" and self.is_open(alert)

    @property
    def unseen(self) -> int:
        """How many alerts wait for somebody to acknowledge them."""
        return sum(self.needs_eyes(alert) for alert in self._alerts.values())

    def open_alerts(self) -> list[AlertView]:
        """Return the alerts of open incidents, the newest first."""
        return [alert for alert in self.latest() if self.is_open(alert)]


class Tail:
    """The latest notable events, oldest overwritten; put into words only when somebody looks."""

    def __init__(self) -> None:
        self._notes: deque[Stamped] = deque(maxlen=NOTES_LIMIT)

    def add(self, stamped: Stamped) -> None:
        """Keep a notable event."""
        self._notes.append(stamped)

    def latest(self) -> list[Stamped]:
        """Return the notable events, the newest first."""
        return list(reversed(self._notes))
