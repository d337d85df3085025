"""What alerts say, in plain words: what, since when, impact, what was done, what to do."""

from typing import Final

from callagent_cli.clock import utc_text
from callagent_cli.counting import counted
from callagent_cli.durations import duration_text
from callagent_cli.events import AlertRaised
from callagent_cli.reporting.incidents.incident import Incident
from callagent_cli.reporting.incidents.text import Text

HEARTBEAT: Final = "alerts.heartbeat"
"""The service under which the dead-man's switch is told of."""

SHEET: Final = "sheet"
"""The service under which the Google Sheet is told of."""

NOT_SET: Final = "the settings do not name it any more"
"""The last error of a channel that did not deliver until it was taken out of the settings."""

_NEEDS_A_PERSON: Final = {
    "unauthorized": "refuses our key",
    "quota": "says that the account is out of credit",
    "misconfigured": "refuses every call because a setting is wrong",
}
_TO_DO: Final = {
    "unauthorized": "put a working key where callagent reads it, then lift the isolation",
    "quota": "add credit to the account; a waiting call is tried again every few minutes by itself",
    "misconfigured": "correct the setting that the error names, then lift the isolation",
}


def opened(incident: Incident, now_s: float) -> Text:
    """Say that a service is down."""
    return Text(
        f"{incident.service} {_state(incident)}",
        _body(incident, now_s, done=_protection(incident), command=_lifting(incident)),
    )


def changed(incident: Incident, now_s: float) -> Text:
    """Say what became of an incident that is still open."""
    if incident.cause == "calls":
        return _more_failed(incident, now_s)
    if incident.cause == "worker":
        return _worker_again(incident, now_s)
    if incident.closed_utc_s is not None:
        return closed(incident, now_s) if incident.cause == "breaker" else over(incident, now_s)
    if incident.cause == "stall":
        return stalled(incident, now_s)
    if incident.cause == "channel":
        return channel_broken(incident, now_s)
    down = f"is down again ({ordinal(incident.times_opened)} time)"
    state = _state(incident) if incident.owner or incident.times_opened == 1 else down
    failed = (
        f"; {counted(incident.calls_failed, 'call')} failed for good"
        if incident.calls_failed
        else ""
    )
    return Text(
        f"{incident.service} {state}{failed}{_meanwhile(incident)}",
        _body(incident, now_s, done=_protection(incident), command=_lifting(incident)),
    )


def reminder(incident: Incident, now_s: float) -> Text:
    """Say that an incident is still open after a long time."""
    if incident.cause != "breaker":
        text = changed(incident, now_s)
        return Text(f"reminder: {text.title}", text.body)
    lasts = duration_text(round(now_s - incident.first_failure_utc_s))
    return Text(
        f"reminder: {incident.service} {_state(incident)}, for {lasts} by now",
        _body(incident, now_s, done=_protection(incident), command=_lifting(incident)),
    )


def closed(incident: Incident, now_s: float) -> Text:
    """Say that a breaker closed, and that the incident ends once the service has stayed well."""
    return Text(
        f"{incident.service} answers again: its breaker closed",
        _body(
            incident,
            now_s,
            done="waiting calls go on, gently at first",
            to_do="nothing; the incident is resolved once the service has stayed well for 2 min",
            command="callagent status",
        ),
    )


def over(incident: Incident, now_s: float) -> Text:
    """Say that an incident is over, in the words of its cause."""
    if incident.cause == "channel":
        return channel_works(incident, now_s)
    if incident.cause == "stall":
        return moving_again(incident, now_s)
    if incident.cause == "worker":
        return worker_back(incident, now_s)
    return resolved(incident, now_s)


def resolved(incident: Incident, now_s: float) -> Text:
    """Say that an incident is over, with its duration and impact."""
    lasted = duration_text(max(0, round(_end_s(incident, now_s) - incident.first_failure_utc_s)))
    times = "" if incident.times_opened == 1 else f", {incident.times_opened} times down"
    failed = incident.calls_failed
    return Text(
        f"{incident.service} is well again after {lasted}{times}{_early(incident)}",
        _body(
            incident,
            now_s,
            done="the breaker closed by itself or by a person; waiting calls go on",
            to_do="take the failed calls back when they should be tried again"
            if failed
            else "nothing",
            command=_requeue(incident) if failed else "callagent status",
        ),
    )


def call_failed(incident: Incident, who: str, why: str, now_s: float) -> Text:
    """Say that a call failed for good; `who` is its masked number or its id."""
    return Text(
        f"call {who} failed for good: {why}",
        _body(
            incident,
            now_s,
            done="the call is kept as failed and nobody is dialed again for it;"
            " more of the same cause are counted in an update",
            to_do="take the failed calls back once the cause is gone",
            command=_requeue(incident),
        ),
    )


def call_to_review(incident: Incident, who: str, why: str, now_s: float) -> Text:
    """Say that only a person can decide about a call."""
    return Text(
        f"call {who} needs a decision: {why}",
        _body(
            incident,
            now_s,
            done="the call is not dialed again until somebody decides",
            to_do="find out whether the person was called, then say so",
            command="callagent review",
        ),
    )


def channel_broken(incident: Incident, now_s: float) -> Text:
    """Say that alerts do not get through one of the channels."""
    if incident.service == HEARTBEAT:
        return _switch_unreached(incident, now_s)
    if incident.service == SHEET:
        return _sheet_unwritten(incident, now_s)
    return Text(
        f"alerts do not get through by {incident.service.removeprefix('alerts.')}"
        f"{_nth(incident)}: {incident.last_error}",
        _body(
            incident,
            now_s,
            done="undelivered alerts are kept and tried again; calls are not affected",
            to_do="correct the channel's settings or wait until it works again",
            command="callagent status",
        ),
    )


def _switch_unreached(incident: Incident, now_s: float) -> Text:
    return Text(
        f"the dead-man's switch is not reached{_nth(incident)}: {incident.last_error}",
        _body(
            incident,
            now_s,
            done="it is asked for again each minute; calls are not affected",
            to_do="correct `alerts.heartbeat_url`; the service outside may raise a false alarm",
            command="callagent doctor",
        ),
    )


def _sheet_unwritten(incident: Incident, now_s: float) -> Text:
    return Text(
        f"the Google Sheet is not written{_nth(incident)}: {incident.last_error}",
        _body(
            incident,
            now_s,
            done="its rows wait in the database and are written later; calls are not affected",
            to_do="correct what the error names, or wait until Google answers again",
            command="callagent doctor",
        ),
    )


def channel_works(incident: Incident, now_s: float) -> Text:
    """Say that a channel delivers again."""
    lasted = duration_text(max(0, round(_end_s(incident, now_s) - incident.first_failure_utc_s)))
    name = incident.service.removeprefix("alerts.")
    title, done = f"alerts get through by {name} again", "the alerts that waited were sent"
    if incident.service == HEARTBEAT:
        title, done = "the dead-man's switch is reached again", "nothing; it went on by itself"
    if incident.service == SHEET:
        title, done = "the Google Sheet is written again", "the rows that waited were written"
    if incident.last_error == NOT_SET:
        title = f"nothing is sent by {name} any more"
        done = "what still waited for it was given up; rows for a sheet wait for the next one"
    body = _body(incident, now_s, done=done, to_do="nothing", command="callagent status")
    return Text(f"{title} after {lasted}{_early(incident)}", body)


def stalled(incident: Incident, now_s: float) -> Text:
    """Say that nothing moves although it could."""
    lasts = duration_text(max(0, round(now_s - incident.first_failure_utc_s)))
    return Text(
        f"no progress for {lasts} although dialing is allowed{_nth(incident)}",
        _body(
            incident,
            now_s,
            done="nothing: no breaker is open, so nothing is known to be down",
            to_do="see what the calls wait for; if it is nothing, end the run and start it again",
            command="callagent status",
        ),
    )


def moving_again(incident: Incident, now_s: float) -> Text:
    """Say that calls move again, or that the run has ended."""
    lasted = duration_text(max(0, round(_end_s(incident, now_s) - incident.first_failure_utc_s)))
    how = "the run ended" if incident.closed_utc_s is None else "calls move again"
    done = "nothing; it went on by itself" if incident.closed_utc_s else "the run ended"
    return Text(
        f"{how} after {lasted} without progress{_early(incident) if incident.closed_utc_s else ''}",
        _body(incident, now_s, done=done, to_do="nothing", command="callagent status"),
    )


def worker_lost(incident: Incident, silent_s: float, now_s: float) -> Text:
    """Say that the worker before this one was lost; this one took its calls up."""
    body = _body(
        incident,
        now_s,
        done="this run has taken up every call where it stood; open dials are looked up first",
        to_do="nothing for the calls; find out what ended the worker (memory, a kill, power)",
        command="callagent status",
    )
    silent = duration_text(max(0, round(silent_s)))
    title = f"the worker was lost{_nth(incident)}: silent for {silent}, now another one dials"
    return Text(title, body)


def worker_gone(incident: Incident, now_s: float) -> Text:
    """Say that no worker lives, and that nobody is dialed until somebody starts one."""
    lasts = duration_text(max(0, round(now_s - incident.first_failure_utc_s)))
    body = _body(
        incident,
        now_s,
        done="nothing: only a worker dials; no call is lost, each goes on where it stood",
        to_do="end the process if it still runs, and start the run again:"
        " it first looks up the dials that are in doubt",
        command=incident.command or "callagent run CONTACTS",
    )
    return Text(f"the worker is lost{_nth(incident)}: silent for {lasts}, nobody is dialed", body)


def _worker_again(incident: Incident, now_s: float) -> Text:
    """Say how a worker that was lost stands: lost again and back, or still gone."""
    if incident.closed_utc_s is None:
        return worker_gone(incident, now_s)
    return worker_lost(incident, incident.closed_utc_s - incident.first_failure_utc_s, now_s)


def worker_back(incident: Incident, now_s: float) -> Text:
    """Say that a worker lives again."""
    lasted = duration_text(max(0, round(_end_s(incident, now_s) - incident.first_failure_utc_s)))
    return Text(
        f"a worker is back after {lasted}{_early(incident)}",
        _body(
            incident,
            now_s,
            done="every call goes on where it stood",
            to_do="nothing",
            command="callagent status",
        ),
    )


def _early(incident: Incident) -> str:
    return " (early: the run ended before 2 min of health were over)" if incident.early else ""


def _nth(incident: Incident) -> str:
    return "" if incident.times_opened == 1 else f" ({ordinal(incident.times_opened)} time)"


def _end_s(incident: Incident, now_s: float) -> float:
    return incident.closed_utc_s if incident.closed_utc_s is not None else now_s


def alert_line(alert: AlertRaised) -> str:
    """Return an alert as one line for a screen."""
    incident = f" [{alert.incident}]" if alert.incident else ""
    return f"{alert.severity.upper()} {alert.kind.replace('_', ' ')}: {alert.title}{incident}"


def ordinal(count: int) -> str:
    """Return a count as 1st, 2nd, 3rd, 4th and so on."""
    teens = 10 <= count % 100 <= 20  # noqa: PLR2004 — 11th to 13th break the rule of their digit.
    ending = "th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{ending}"


def _state(incident: Incident) -> str:
    status = f" ({incident.last_http_status})" if incident.last_http_status else ""
    if incident.owner:
        return _NEEDS_A_PERSON.get(incident.owner, "is isolated") + status
    return f"is down: {_short_reason(incident)}{status}"


def _short_reason(incident: Incident) -> str:
    """Return the breaker's reason without the error, which has a line of its own."""
    short = incident.reason.partition(": ")[0] or incident.error_class or "unknown reason"
    return short.replace("since the last success", "in a row")


def _more_failed(incident: Incident, now_s: float) -> Text:
    if incident.error_class == "review":
        title = f"{counted(incident.calls_failed, 'call needs', 'calls need')} a decision"
        done, command = "they are not dialed again until somebody decides", "callagent review"
    else:
        outcome = incident.key.removeprefix("call:")
        title = (
            f"{counted(incident.calls_failed, 'call')} failed for good ({_by(incident)}{outcome})"
        )
        done, command = "they are kept as failed", _requeue(incident)
    return Text(title, _body(incident, now_s, done=done, command=command))


def _by(incident: Incident) -> str:
    return f"{incident.service}: " if incident.service else ""


def _protection(incident: Incident) -> str:
    if incident.owner:
        return "nothing is sent to it any more; its calls wait and use no attempt"
    told = "nothing but health checks is sent to it; calls that need it wait and use no attempt"
    return told + _meanwhile(incident)


def _meanwhile(incident: Incident) -> str:
    """Return what the steps do without the service."""
    instead = ", ".join(
        f"{step} goes on {f'with {what}' if what != 'nothing' else 'without it'}"
        for step, what in sorted(incident.degraded.items())
    )
    return f"; meanwhile {instead}" if instead else ""


def _lifting(incident: Incident) -> str:
    if incident.owner in {"unauthorized", "misconfigured", "quota"}:
        return f"callagent breaker reset {incident.service}"
    return "callagent status"


def _requeue(incident: Incident) -> str:
    return f"callagent requeue --incident {incident.id}"


def _impact(incident: Incident) -> str:
    held = incident.calls_held
    counts = [
        f"{counted(incident.calls_affected, 'call')} met it" if incident.calls_affected else "",
        f"{counted(held, 'call')} not begun because of it" if held else "",
        f"{counted(incident.calls_parked, 'call waits', 'calls wait')} for it"
        if incident.calls_parked
        else "",
        f"{counted(incident.calls_failed, 'call')} failed for good"
        if incident.calls_failed
        else "",
    ]
    return ", ".join(count for count in counts if count) or "no call so far"


def _body(
    incident: Incident, now_s: float, *, done: str, command: str, to_do: str | None = None
) -> str:
    lasts = duration_text(max(0, round(now_s - incident.first_failure_utc_s)))
    default = "nothing; it heals by itself. If it lasts, look at the provider's status page"
    lines = {
        "What": incident.last_error or incident.reason or incident.key,
        "Since": f"{utc_text(incident.first_failure_utc_s)}, {lasts} ago",
        "Impact": _impact(incident),
        "Done already": done,
        "To do": to_do if to_do is not None else _TO_DO.get(incident.owner, default),
        "Command": command,
        "Incident": incident.id,
    }
    return "\n".join(f"{name}: {text}" for name, text in lines.items())
