"""An alert as it is kept and delivered, and what a channel is."""

from hashlib import sha256
from typing import Final, Literal, Protocol, runtime_checkable

import msgspec

from callagent_cli.clock import utc_text
from callagent_cli.errors import ServiceUnavailable
from callagent_cli.events import AlertKind, AlertRaised, Severity, Stamped
from callagent_cli.reporting.redaction import Redactor

_RANK: Final[dict[Severity, int]] = {"info": 0, "warning": 1, "critical": 2}
_DIGEST_LINES: Final = 50


AlertStatus = Literal["open", "acknowledged", "resolved"]


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """What a channel delivers; `message` stays the same however often it is tried.

    `message` is unique among all runs anywhere, so a receiver may drop repetitions by it; `status`
    is how its incident stood when the alert was raised. `thread` is the same for all alerts of one
    incident, also when runs of other campaigns tell of it, and differs between databases.
    """

    id: str
    message: str
    incident: str
    kind: AlertKind
    severity: Severity
    service: str
    title: str
    body: str
    call: str
    raised_utc_s: float
    run: str
    campaign: str
    status: AlertStatus
    thread: str = ""


class Channel(Protocol):
    """One way to reach a person."""

    name: str

    async def deliver(self, alert: Alert) -> None:
        """Return once the alert was taken; raises `ServiceError` when it was not."""

    async def close(self) -> None:
        """Release what the channel holds."""


@runtime_checkable
class Checked(Protocol):
    """A channel that can be asked whether it works, without sending anything."""

    async def check(self) -> str:
        """Return what was found, in a few words; raises `ServiceError`."""


@runtime_checkable
class Learning(Protocol):
    """A channel that learns from its receiver what a restart must not forget."""

    @property
    def learned(self) -> str:
        """What `recall` takes; empty when nothing was learned."""

    @property
    def advice(self) -> str:
        """Which setting to change, so that it need not be learned again."""

    def recall(self, learned: str) -> None:
        """Take up what was learned before; what does not fit the settings any more is ignored."""


@runtime_checkable
class Selective(Protocol):
    """A channel with several receivers, of which some may refuse what the others take."""

    @property
    def missed(self) -> str:
        """Whom the last delivery did not reach for good, and the way out; empty when nobody."""


Answers = dict[str, str]
"""By receiver: nothing when it took a message, else with which words it refused it for good."""


class PutOff(ServiceUnavailable):
    """The channel works, but some of its receivers have to wait."""


@runtime_checkable
class Partial(Protocol):
    """A channel with several receivers, of which some may wait for what others have already."""

    async def deliver_rest(
        self, alert: Alert, answers: Answers, *, only: frozenset[str] | None
    ) -> None:
        """Deliver to those who have not answered, or to `only` these of them; add their answers.

        Raises `PutOff` when some of them have to wait, and another `ServiceError` when nobody at
        all can take it.
        """


def alert_of(
    stamped: Stamped, event: AlertRaised, redactor: Redactor, *, status: AlertStatus, thread: str
) -> Alert:
    """Return a raised alert in the form in which it is kept."""
    identity = f"{stamped.run}/{event.alert}/{stamped.utc_s:.3f}"
    return Alert(
        id=event.alert,
        message=_message(identity),
        incident=event.incident,
        kind=event.kind,
        severity=event.severity,
        service=event.service,
        title=redactor.text(event.title),
        body=redactor.text(event.body),
        call=event.call,
        raised_utc_s=stamped.utc_s,
        run=stamped.run,
        campaign=stamped.campaign,
        status=status,
        thread=thread,
    )


def thread_of(alert: Alert) -> str:
    """Return what ties together the alerts of one incident; one without an incident stands alone.

    Rows that were kept before threads were have none; their first run names it.
    """
    if not alert.incident:
        return alert.message
    return alert.thread or f"{alert.run}.{alert.incident}"


def digest(alerts: list[Alert]) -> Alert:
    """Return several alerts as one, the oldest first; the last one says how things stand."""
    last = alerts[-1]
    of_one_incident = len({alert.incident for alert in alerts}) == 1
    lines = [_line(alert) for alert in alerts[-_DIGEST_LINES:]]
    left_out = len(alerts) - len(lines)
    if left_out:
        lines.insert(0, f"({left_out} older ones are left out here; they are in the journal)")
    key = _message("/".join(alert.message for alert in alerts))
    return Alert(
        id=f"digest-{key[-8:]}",
        message=key,
        incident=last.incident if of_one_incident else "",
        kind=last.kind if of_one_incident else "update",
        severity=max((alert.severity for alert in alerts), key=_RANK.__getitem__),
        service=last.service if of_one_incident else "",
        title=f"{len(alerts)} alerts, the last: {last.title}",
        body="\n".join([*lines, "", last.body]),
        call="",
        raised_utc_s=last.raised_utc_s,
        run=last.run,
        campaign=last.campaign,
        status=last.status if of_one_incident else "open",
        thread=last.thread if of_one_incident else "",
    )


def _line(alert: Alert) -> str:
    kind = alert.kind.replace("_", " ")
    return f"{utc_text(alert.raised_utc_s)} {alert.severity} {kind}: {alert.title}"


def _message(identity: str) -> str:
    return f"msg_{sha256(identity.encode()).hexdigest()[:24]}"
