"""What alerts say of callagent's own channels: who is not reached, and who is again."""

from typing import Final, NamedTuple

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


class _Words(NamedTuple):
    """What is said of a channel: `waits` is what is done while it is broken, `sent` in the end."""

    broken: str
    works: str
    waits: str
    sent: str
    to_do: str
    command: str = "callagent doctor"


_WORDS: Final = {
    HEARTBEAT: _Words(
        broken="the dead-man's switch is not reached",
        works="the dead-man's switch is reached again",
        waits="it is asked for again each minute; calls are not affected",
        sent="nothing; it went on by itself",
        to_do="correct `alerts.heartbeat_url`; the service outside may raise a false alarm",
    ),
    SHEET: _Words(
        broken="the Google Sheet is not written",
        works="the Google Sheet is written again",
        waits="its rows wait in the database and are written later; calls are not affected",
        sent="the rows that waited were written",
        to_do="correct what the error names, or wait until Google answers again",
    ),
}
_SOME: Final = _Words(
    broken="alerts by {name} do not reach everybody",
    works="alerts by {name} reach everybody again",
    waits="the others have every alert; who is put off is tried again",
    sent="the alerts that waited were sent",
    to_do="correct the recipients that the error names, or wait until their mail is taken",
    command="callagent status",
)
_ALL: Final = _Words(
    broken="alerts do not get through by {name}",
    works="alerts get through by {name} again",
    waits="undelivered alerts are kept and tried again; calls are not affected",
    sent="the alerts that waited were sent",
    to_do="correct the channel's settings or wait until it works again",
    command="callagent status",
)


def channel_broken(incident: Incident, now_s: float) -> Text:
    """Say that alerts do not get through one of the channels, or not to everybody."""
    words = _words(incident)
    title = f"{words.broken.format(name=_name(incident))}{nth(incident)}: {incident.last_error}"
    body = body_of(incident, now_s, done=words.waits, to_do=words.to_do, command=words.command)
    return Text(title, body)


def channel_works(incident: Incident, now_s: float) -> Text:
    """Say that a channel delivers again."""
    lasted = duration_text(max(0, round(end_s(incident, now_s) - incident.first_failure_utc_s)))
    words, name = _words(incident), _name(incident)
    title, done = words.works.format(name=name), words.sent
    if incident.last_error == NOT_SET:
        title = f"nothing is sent by {name} any more"
        done = "what still waited for it was given up; rows for a sheet wait for the next one"
    body = body_of(incident, now_s, done=done, to_do="nothing", command="callagent status")
    return Text(f"{title} after {lasted}{early(incident)}", body)


def _words(incident: Incident) -> _Words:
    service = incident.service
    return _WORDS.get(service) or (_SOME if service.endswith(RECIPIENTS) else _ALL)


def _name(incident: Incident) -> str:
    return incident.service.removeprefix("alerts.").removesuffix(RECIPIENTS)
