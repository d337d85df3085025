"""Alerts by email over SMTP, sent by smtplib on a daemon thread of its own."""

import asyncio
import smtplib
import ssl
import threading
from contextlib import suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Final

from callagent_cli.errors import (
    AuthenticationFailed,
    InvalidPayload,
    Misconfigured,
    NetworkFailure,
    ServiceError,
    ServiceTimeout,
    ServiceUnavailable,
)
from callagent_cli.reporting.alert import Alert
from callagent_cli.services.masking import safe_text
from callagent_cli.settings import Email

SOCKET_TIMEOUT_S: Final = 10.0
"""How long each step of the conversation with the server may take."""

_PERMANENT: Final = 500


class EmailChannel:
    """Sends each alert as a plain-text email; the mails of one incident form one thread.

    `password` signs in when the settings name a user; `tls` replaces the system's certificates.
    """

    name = "email"

    def __init__(
        self,
        settings: Email,
        *,
        password: str,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = SOCKET_TIMEOUT_S,
    ) -> None:
        self._settings = settings
        self._password = password
        self._tls = tls
        self._timeout_s = timeout_s
        self._sending: threading.Thread | None = None

    async def deliver(self, alert: Alert) -> None:
        """Send the alert; raises `ServiceError` with words that name the way out."""
        if self._sending is not None and self._sending.is_alive():
            raise ServiceTimeout(f"{self._settings.host} still has not answered the last email")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[ServiceError | None] = loop.create_future()

        def send() -> None:
            error = self._send(alert)
            # The loop may have ended while the server took its time.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, done, error)

        self._sending = threading.Thread(target=send, name="alert email", daemon=True)
        self._sending.start()
        error = await done
        if error is not None:
            raise error

    async def close(self) -> None:
        """Nothing to release: each email has a connection of its own."""

    def _send(self, alert: Alert) -> ServiceError | None:
        """Send on this thread; return what went wrong."""
        settings = self._settings
        try:
            message = _message(settings, alert)
            with self._connect() as server:
                if settings.tls == "starttls":
                    server.starttls(context=self._context())
                if settings.username:
                    server.login(settings.username, self._password)
                server.send_message(message)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            return self._translated(error)
        return None

    def _connect(self) -> smtplib.SMTP:
        host, port = self._settings.host, self._settings.port
        if self._settings.tls == "tls":
            return smtplib.SMTP_SSL(host, port, timeout=self._timeout_s, context=self._context())
        return smtplib.SMTP(host, port, timeout=self._timeout_s)

    def _context(self) -> ssl.SSLContext:
        return self._tls or ssl.create_default_context()

    def _translated(self, error: Exception) -> ServiceError:
        place = f"{self._settings.host}:{self._settings.port}"
        said = safe_text(_said(error), secret=self._password)
        known = (entry[1:] for entry in _TRANSLATIONS if isinstance(error, entry[0]))
        kind, fix = next(known, (Misconfigured, "correct the addresses in `alerts.email`"))
        if _is_transient(error):
            kind, fix = ServiceUnavailable, "the server asks to come back later"
        return kind(f"email through {place}: {fix}" + (f" ({said})" if said else ""))


_TRANSLATIONS: Final[tuple[tuple[tuple[type[Exception], ...], type[ServiceError], str], ...]] = (
    (
        (smtplib.SMTPAuthenticationError,),
        AuthenticationFailed,
        "user or password was refused; correct `alerts.email`",
    ),
    (
        (smtplib.SMTPNotSupportedError,),
        Misconfigured,
        "the server offers no STARTTLS or sign-in here; correct `tls` or `port` in `alerts.email`",
    ),
    (
        (smtplib.SMTPSenderRefused, smtplib.SMTPRecipientsRefused),
        Misconfigured,
        "sender or recipient was refused; correct `sender` and `to` in `alerts.email`",
    ),
    ((smtplib.SMTPDataError,), InvalidPayload, "the email was refused"),
    (
        (ssl.SSLError,),
        Misconfigured,
        "no secure connection; correct `tls` (starttls, tls or none) and `port` in `alerts.email`",
    ),
    ((TimeoutError,), ServiceTimeout, "no answer in time"),
    (
        (smtplib.SMTPException,),
        ServiceUnavailable,
        "the server broke off; if that lasts, correct `tls` and `port` in `alerts.email`",
    ),
    ((OSError,), NetworkFailure, "cannot be reached"),
)


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "; ".join(_decoded(answer) for _, answer in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_decoded(error.smtp_error)}"
    return str(error)


def _decoded(answer: bytes | str) -> str:
    return answer.decode(errors="replace") if isinstance(answer, bytes) else answer


def _is_transient(error: Exception) -> bool:
    """Tell whether the server itself said "later" (a code below 500)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code < _PERMANENT for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code < _PERMANENT


def _settle(done: "asyncio.Future[ServiceError | None]", error: ServiceError | None) -> None:
    if not done.done():
        done.set_result(error)


def _message(settings: Email, alert: Alert) -> EmailMessage:
    message = EmailMessage()
    message["From"] = settings.sender
    message["To"] = ", ".join(settings.to)
    message["Subject"] = " ".join(f"[{alert.severity}] {alert.title}".split())[:200]
    message["Date"] = format_datetime(datetime.fromtimestamp(alert.raised_utc_s, UTC))
    domain = parseaddr(settings.sender)[1].partition("@")[2] or "callagent.invalid"
    message["Message-ID"] = f"<{alert.message}@{domain}>"
    if alert.incident:
        message["References"] = f"<{alert.run}.{alert.incident}@{domain}>"
    message.set_content(alert.body)
    return message
