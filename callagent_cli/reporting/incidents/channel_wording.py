"""What alerts say of callagent's own channels: who is not reached, and who is again."""

from typing import Final

from callagent_cli.durations import duration_text
from callagent_cli.reporting.incidents.incident import Incident
from callagent_cli.reporting.incidents.text import Text, body_of, early, end_s, nth

HEARTBEAT: Final = "alerts.heartbeat"
"""The service under which the dead-man's switch is told of."""

SHEET: Final = "sheet"
"""The service under which the Google Sheet is told of."""

RECIPIENTS: Final = ".recipients"
"""What stands after a channel's name when it works, and does not reach everybody all the same."""

NOT_SET: Final = "the settings do not name it any more"
"""The last error of a channel that did not deliver until it was taken out of the settings."""


def channel_broken(incident: Incident, now_s: float) -> Text:
    """Say that alerts do not get through one of the channels."""
    if incident.service == HEARTBEAT:
        return _switch_unreached(incident, now_s)
    if incident.service == SHEET:
        return _sheet_unwritten(incident, now_s)
    if incident.service.endswith(RECIPIENTS):
        return _some_unreached(incident, now_s)
    return Text(
        f"alerts do not get through by {_name(incident)}{nth(incident)}: {incident.last_error}",
        body_of(
            incident,
            now_s,
            done="undelivered alerts are kept and tried again; calls are not affected",
            to_do="correct the channel's settings or wait until it works again",
            command="callagent status",
        ),
    )


def _some_unreached(incident: Incident, now_s: float) -> Text:
    return Text(
        f"alerts by {_name(incident)} do not reach everybody{nth(incident)}: {incident.last_error}",
        body_of(
            incident,
            now_s,
            done="the others have every alert; who is put off is tried again",
            to_do="correct the recipients that the error names, or wait until their mail is taken",
            command="callagent status",
        ),
    )


def _switch_unreached(incident: Incident, now_s: float) -> Text:
    return Text(
        f"the dead-man's switch is not reached{nth(incident)}: {incident.last_error}",
        body_of(
            incident,
            now_s,
            done="it is asked for again each minute; calls are not affected",
            to_do="correct `alerts.heartbeat_url`; the service outside may raise a false alarm",
            command="callagent doctor",
        ),
    )


def _sheet_unwritten(incident: Incident, now_s: float) -> Text:
    return Text(
        f"the Google Sheet is not written{nth(incident)}: {incident.last_error}",
        body_of(
            incident,
            now_s,
            done="its rows wait in the database and are written later; calls are not affected",
            to_do="correct what the error names, or wait until Google answers again",
            command="callagent doctor",
        ),
    )


def channel_works(incident: Incident, now_s: float) -> Text:
    """Say that a channel delivers again."""
    lasted = duration_text(max(0, round(end_s(incident, now_s) - incident.first_failure_utc_s)))
    name = _name(incident)
    title, done = f"alerts get through by {name} again", "the alerts that waited were sent"
    if incident.service.endswith(RECIPIENTS):
        title = f"alerts by {name} reach everybody again"
    if incident.service == HEARTBEAT:
        title, done = "the dead-man's switch is reached again", "nothing; it went on by itself"
    if incident.service == SHEET:
        title, done = "the Google Sheet is written again", "the rows that waited were written"
    if incident.last_error == NOT_SET:
        title = f"nothing is sent by {name} any more"
        done = "what still waited for it was given up; rows for a sheet wait for the next one"
    body = body_of(incident, now_s, done=done, to_do="nothing", command="callagent status")
    return Text(f"{title} after {lasted}{early(incident)}", body)


def _name(incident: Incident) -> str:
    return incident.service.removeprefix("alerts.").removesuffix(RECIPIENTS)
