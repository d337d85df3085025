"""Alerts that belong to no incident: something mended itself, and a person should know."""

from hashlib import sha256

from callagent_cli.clock import utc_text
from callagent_cli.events import AlertRaised, Severity


def channel_learned(channel: str, advice: str, utc_s: float) -> AlertRaised:
    """Return the alert that a channel's setting is out of date although alerts arrive."""
    return _notice(
        f"alerts by {channel} arrive, but {advice}",
        utc_s,
        service=channel,
        severity="warning",
        done="alerts go to the right place, also after a restart",
        to_do=advice,
        command="callagent doctor",
    )


def sheet_mended(what: str, utc_s: float) -> AlertRaised:
    """Return the alert that somebody changed the Google Sheet under a run that writes to it."""
    return _notice(
        what,
        utc_s,
        service="sheet",
        severity="info",
        done="rows go on being written",
        to_do="nothing, unless that was a mistake: then bring back the old worksheet",
        command="callagent status",
    )


def _notice(
    title: str,
    utc_s: float,
    *,
    service: str,
    severity: Severity,
    done: str,
    to_do: str,
    command: str,
) -> AlertRaised:
    lines = (
        f"What: {title}",
        f"Since: {utc_text(utc_s)}",
        "Impact: none; calls are not affected",
        f"Done already: {done}",
        f"To do: {to_do}",
        f"Command: {command}",
        "Incident: none",
    )
    identity = sha256(f"{title}/{utc_s:.3f}".encode()).hexdigest()[:8]
    return AlertRaised(
        alert=f"notice-{identity}",
        incident="",
        kind="update",
        severity=severity,
        service=service,
        title=title,
        body="\n".join(lines),
    )
