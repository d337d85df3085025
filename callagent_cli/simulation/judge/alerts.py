"""One outage makes one incident: one opened alert and one resolved."""

from callagent_cli.events import AlertRaised
from callagent_cli.simulation.judge.evidence import Broken, Evidence


def one_alert_per_outage(evidence: Evidence) -> Broken | None:
    """Each incident is opened once and resolved at most once, and a service has one at a time."""
    opened: dict[str, str] = {}
    resolved: set[str] = set()
    for line, _, event in evidence.of(AlertRaised):
        text = ""
        if event.kind == "opened":
            text = _reopened(event, opened, resolved)
            opened[event.incident] = event.service
        elif event.kind == "resolved":
            if event.incident in resolved:
                text = f"incident {event.incident} of {event.service} was resolved twice"
            elif event.incident not in opened:
                text = f"incident {event.incident} was resolved, but never opened"
            resolved.add(event.incident)
        if text:
            return Broken(text=text, line=line)
    return None


def _reopened(event: AlertRaised, opened: dict[str, str], resolved: set[str]) -> str:
    if event.incident in opened:
        return f"incident {event.incident} of {event.service} was opened twice"
    for incident, service in opened.items():
        if service == event.service and event.service and incident not in resolved:
            return f"{service} got a second incident while {incident} is open"
    return ""
