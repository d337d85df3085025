"""Alerts by email over SMTP, on the loop itself: aiosmtplib."""

import ssl
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses, parseaddr
from typing import Final

from callagent_cli.errors import (
    AuthenticationFailed,
    InvalidPayload,
    Misconfigured,
    NetworkFailure,
    ServiceError,
    ServiceTimeout,
    ServiceUnavailable,
    SettingsError,
)
from callagent_cli.masking import safe_text
from callagent_cli.reporting.alert import Alert, Answers, PutOff, thread_of
from callagent_cli.settings import Email

STEP_TIMEOUT_S: Final = 10.0
"""How long each step of the conversation with the server may take."""

_PARTING_S: Final = 1.0
"""How long a server may take to say goodbye; what it has taken by then, it has taken."""

_PERMANENT: Final = 500
_LATER: Final = "the server asks to come back later"
_REFUSED: Final = "the recipient was refused; correct `to` in `alerts.email`"
_UNREACHABLE: Final = (NetworkFailure, "cannot be reached; correct `host` and `port`")
_NOT_OFFERED: Final = (
    "the server offers no STARTTLS or sign-in here; correct `tls` or `port` in `alerts.email`"
)
_NO_TLS: Final = (
    "no secure connection; correct `tls` (starttls, tls or none), `port` or `ca_file`"
    " in `alerts.email`"
)

Refused = dict[str, tuple[int, str]]
"""The recipients that a server refused, with its code and words."""


class EmailChannel:
    """Sends each alert as a plain-text email; the mails of one incident form one thread.

    `password` signs in when the settings name a user. Raises `SettingsError` when `ca_file` cannot
    be read.
    """

    name = "email"

    def __init__(
        self, settings: Email, *, password: str, timeout_s: float = STEP_TIMEOUT_S
    ) -> None:
        self._settings = settings
        self._password = password
        self._timeout_s = timeout_s
        self._tls = _context(settings)
        addresses = (address for _, address in getaddresses(settings.to))
        # A server that is told an address twice may deliver twice.
        self._to = list(dict.fromkeys(filter(None, addresses)))
        self._missed = ""

    @property
    def missed(self) -> str:
        """Whose addresses were refused although others took the last alert; empty when none."""
        return self._missed

    async def deliver(self, alert: Alert) -> None:
        """Send the alert; raises `ServiceError` with words that name the way out."""
        await self.deliver_rest(alert, {}, only=None)

    async def deliver_rest(
        self, alert: Alert, answers: Answers, *, only: frozenset[str] | None
    ) -> None:
        """Send the alert to the recipients who have not answered; add the answers they give.

        An answer is nothing, or the words with which an address was refused for good. Raises
        `ServiceError`, also as long as the server puts off some of those who are asked.
        """
        self._missed = ""
        asked = self._to if only is None else [each for each in self._to if each in only]
        left = [address for address in asked if address not in answers]
        message = _message(self._settings, alert)
        refused = await self._session(message, left) if left else {}
        later = {each: answer for each, answer in refused.items() if answer[0] < _PERMANENT}
        for address in left:
            if address not in later:
                answers[address] = self._safe(_said_of(refused.get(address)))
        if later:
            waiting = {address: self._safe(_said_of(answer)) for address, answer in later.items()}
            raise PutOff(f"email through {self._place}: {_LATER} ({_words(waiting)})")
        if only is None:
            self._judge(answers)

    def _judge(self, answers: Answers) -> None:
        """Note whom an alert did not reach; raises `Misconfigured` when it reached nobody."""
        refusals = {address: said for address in self._to if (said := answers[address])}
        if len(refusals) == len(self._to):
            # Somebody may mend the server's addresses: all are asked again.
            answers.clear()
            raise Misconfigured(f"email through {self._place}: {_REFUSED} ({_words(refusals)})")
        if refusals:
            others = f"email through {self._place} reaches others, but {_REFUSED}"
            self._missed = f"{others} ({_words(refusals)})"

    async def check(self) -> str:
        """Connect and sign in without sending anything; raises `ServiceError`."""
        await self._session(None, [])
        signed_in = "takes the sign-in" if self._settings.username else "answers; no sign-in is set"
        return f"the mail server {signed_in}"

    async def close(self) -> None:
        """Nothing to release: each email has a connection of its own."""

    @property
    def _place(self) -> str:
        return f"{self._settings.host}:{self._settings.port}"

    def _safe(self, said: str) -> str:
        return safe_text(said, secret=self._password)

    async def _session(self, message: EmailMessage | None, to: list[str]) -> Refused:
        """Connect, and send a message; return who was refused, which may be all of them.

        Raises `ServiceError` when the trouble is not with who gets it.
        """
        import aiosmtplib  # noqa: PLC0415 — 60 ms that only a real email needs to pay.

        settings = self._settings
        server = aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username or None,
            password=self._password or None,
            use_tls=settings.tls == "tls",
            start_tls=settings.tls == "starttls",
            tls_context=self._tls,
            timeout=self._timeout_s,
        )
        try:
            await server.connect()
            if message is None:
                return {}
            refused, _ = await server.send_message(message, recipients=to)
            return {address: (each.code, each.message) for address, each in refused.items()}
        except aiosmtplib.SMTPRecipientsRefused as error:
            return {each.recipient: (each.code, each.message) for each in error.recipients}
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise self._translated(error) from error
        finally:
            with suppress(aiosmtplib.SMTPException, OSError):
                await server.quit(timeout=_PARTING_S)
            server.close()

    def _translated(self, error: Exception) -> ServiceError:
        kind, fix = _meaning(error)
        said = self._safe(_said(error))
        return kind(f"email through {self._place}: {fix}" + (f" ({said})" if said else ""))


def _context(settings: Email) -> ssl.SSLContext | None:
    if settings.tls == "none":
        return None
    try:
        return ssl.create_default_context(cafile=settings.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        message = f"cannot read `alerts.email.ca_file` `{settings.ca_file}`"
        raise SettingsError(message, hint="name a file of certificates in PEM") from error


def _meaning(error: Exception) -> tuple[type[ServiceError], str]:
    """Return which error it is, and the way out."""
    if _is_transient(error):
        return ServiceUnavailable, _LATER
    if _of_tls(error):
        return Misconfigured, _NO_TLS
    if "not supported" in str(error):
        return Misconfigured, _NOT_OFFERED
    names = {kind.__name__ for kind in type(error).__mro__}
    return next((meaning[1:] for meaning in _MEANINGS if meaning[0] in names), _UNREACHABLE)


_MEANINGS: Final[tuple[tuple[str, type[ServiceError], str], ...]] = (
    (
        "SMTPAuthenticationError",
        AuthenticationFailed,
        "user or password was refused; correct `alerts.email`",
    ),
    (
        "SMTPSenderRefused",
        Misconfigured,
        "the sender was refused; correct `sender` in `alerts.email`",
    ),
    ("SMTPDataError", InvalidPayload, "the email was refused"),
    (
        "SMTPTimeoutError",
        ServiceTimeout,
        "no answer in time; if that lasts, correct `tls` or `port`",
    ),
    ("SMTPConnectError", NetworkFailure, "cannot be reached; correct `host` and `port`"),
    (
        "SMTPServerDisconnected",
        ServiceUnavailable,
        "the server broke off; if that lasts, correct `tls` and `port` in `alerts.email`",
    ),
    ("ValueError", Misconfigured, "correct the addresses in `alerts.email`"),
)


def _of_tls(error: BaseException | None) -> bool:
    """Tell whether TLS failed, whatever error that was wrapped in."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _code(error: Exception) -> int | None:
    code = getattr(error, "code", None)
    return code if isinstance(code, int) else None


def _is_transient(error: Exception) -> bool:
    """Tell whether the server itself said "later" (a code below 500)."""
    code = _code(error)
    return code is not None and code < _PERMANENT


def _said_of(refusal: tuple[int, str] | None) -> str:
    return f"{refusal[0]} {refusal[1]}" if refusal else ""


def _said(error: Exception) -> str:
    code = _code(error)
    message = str(getattr(error, "message", "") or error)
    return message if code is None else f"{code} {message}"


def _words(said_of: Answers) -> str:
    return "; ".join(f"{address} {said}" for address, said in said_of.items())


def _message(settings: Email, alert: Alert) -> EmailMessage:
    message = EmailMessage()
    try:
        message["From"] = settings.sender
        message["To"] = ", ".join(settings.to)
    except ValueError as error:
        fix = "correct the addresses in `alerts.email`"
        raise Misconfigured(f"email through {settings.host}: {fix} ({error})") from error
    message["Subject"] = " ".join(f"[{alert.severity}] {alert.title}".split())[:200]
    message["Date"] = format_datetime(datetime.fromtimestamp(alert.raised_utc_s, UTC))
    domain = parseaddr(settings.sender)[1].partition("@")[2] or "callagent.invalid"
    message["Message-ID"] = f"<{alert.message}@{domain}>"
    if alert.incident:
        message["References"] = f"<{thread_of(alert)}@{domain}>"
    message.set_content(alert.body)
    return message
