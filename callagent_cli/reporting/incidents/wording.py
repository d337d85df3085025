"""What alerts say, in plain words: what, since when, impact, what was done, what to do."""

from typing import Final

from callagent_cli.counting import counted
from callagent_cli.durations import duration_text
from callagent_cli.events import AlertRaised
from callagent_cli.reporting.incidents.channel_wording import channel_broken, channel_works
from callagent_cli.reporting.incidents.incident import Incident
from callagent_cli.reporting.incidents.text import Text, body_of, early, end_s, nth, ordinal

_NEEDS_A_PERSON: Final = {
    "unauthorized": "refuses our key",
    "quota": "says that the account is out of credit",
    "misconfigured": "refuses every call because a setting is wrong",
}


def opened(incident: Incident, now_s: float) -> Text:
    """Say that a service is down."""
    return Text(
        f"{incident.service} {_state(incident)}",
        body_of(incident, now_s, done=_protection(incident), command=_lifting(incident)),
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
        body_of(incident, now_s, done=_protection(incident), command=_lifting(incident)),
    )


def reminder(incident: Incident, now_s: float) -> Text:
    """Say that an incident is still open after a long time."""
    if incident.cause != "breaker":
        text = changed(incident, now_s)
        return Text(f"reminder: {text.title}", text.body)
    lasts = duration_text(round(now_s - incident.first_failure_utc_s))
    return Text(
        f"reminder: {incident.service} {_state(incident)}, for {lasts} by now",
        body_of(incident, now_s, done=_protection(incident), command=_lifting(incident)),
    )


def closed(incident: Incident, now_s: float) -> Text:
    """Say that a breaker closed, and that the incident ends once the service has stayed well."""
    return Text(
        f"{incident.service} answers again: its breaker closed",
        body_of(
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
    lasted = duration_text(max(0, round(end_s(incident, now_s) - incident.first_failure_utc_s)))
    times = "" if incident.times_opened == 1 else f", {incident.times_opened} times down"
    failed = incident.calls_failed
    return Text(
        f"{incident.service} is well again after {lasted}{times}{early(incident)}",
        body_of(
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
        body_of(
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
        body_of(
            incident,
            now_s,
            done="the call is not dialed again until somebody decides",
            to_do="find out whether the person was called, then say so",
            command="callagent review",
        ),
    )


def stalled(incident: Incident, now_s: float) -> Text:
    """Say that nothing moves although it could."""
    lasts = duration_text(max(0, round(now_s - incident.first_failure_utc_s)))
    return Text(
        f"no progress for {lasts} although dialing is allowed{nth(incident)}",
        body_of(
            incident,
            now_s,
            done="nothing: no breaker is open, so nothing is known to be down",
            to_do="see what the calls wait for; if it is nothing, end the run and start it again",
            command="callagent status",
        ),
    )


def moving_again(incident: Incident, now_s: float) -> Text:
    """Say that calls move again, or that the run has ended."""
    lasted = duration_text(max(0, round(end_s(incident, now_s) - incident.first_failure_utc_s)))
    how = "the run ended" if incident.closed_utc_s is None else "calls move again"
    done = "nothing; it went on by itself" if incident.closed_utc_s else "the run ended"
    return Text(
        f"{how} after {lasted} without progress{early(incident) if incident.closed_utc_s else ''}",
        body_of(incident, now_s, done=done, to_do="nothing", command="callagent status"),
    )


def worker_lost(incident: Incident, silent_s: float, now_s: float) -> Text:
    """Say that the worker before this one was lost; this one took its calls up."""
    body = body_of(
        incident,
        now_s,
        done="this run has taken up every call where it stood; open dials are looked up first",
        to_do="nothing for the calls; find out what ended the worker (memory, a kill, power)",
        command="callagent status",
    )
    silent = duration_text(max(0, round(silent_s)))
    title = f"the worker was lost{nth(incident)}: silent for {silent}, now another one dials"
    return Text(title, body)


def worker_gone(incident: Incident, now_s: float) -> Text:
    """Say that no worker lives, and that nobody is dialed until somebody starts one."""
    lasts = duration_text(max(0, round(now_s - incident.first_failure_utc_s)))
    body = body_of(
        incident,
        now_s,
        done="nothing: only a worker dials; no call is lost, each goes on where it stood",
        to_do="end the process if it still runs, and start the run again:"
        " it first looks up the dials that are in doubt",
        command=incident.command or "callagent run CONTACTS",
    )
    return Text(f"the worker is lost{nth(incident)}: silent for {lasts}, nobody is dialed", body)


def _worker_again(incident: Incident, now_s: float) -> Text:
    """Say how a worker that was lost stands: lost again and back, or still gone."""
    if incident.closed_utc_s is None:
        return worker_gone(incident, now_s)
    return worker_lost(incident, incident.closed_utc_s - incident.first_failure_utc_s, now_s)


def worker_back(incident: Incident, now_s: float) -> Text:
    """Say that a worker lives again."""
    lasted = duration_text(max(0, round(end_s(incident, now_s) - incident.first_failure_utc_s)))
    return Text(
        f"a worker is back after {lasted}{early(incident)}",
        body_of(
            incident,
            now_s,
            done="every call goes on where it stood",
            to_do="nothing",
            command="callagent status",
        ),
    )


def alert_line(alert: AlertRaised) -> str:
    """Return an alert as one line for a screen."""
    incident = f" [{alert.incident}]" if alert.incident else ""
    return f"{alert.severity.upper()} {alert.kind.replace('_', ' ')}: {alert.title}{incident}"


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
    return Text(title, body_of(incident, now_s, done=done, command=command))


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
