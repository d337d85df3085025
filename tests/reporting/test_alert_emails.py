"""Alerts by email against an SMTP server on loopback: TLS, sign-in, and what can go wrong."""

import asyncio
import ssl
import time
import warnings
from collections.abc import Sequence
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, Literal

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from loopback_servers import SmtpServer, certificate
from reporting_doubles import ALERT, KEY

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
from callagent_cli.reporting.alert import Answers, PutOff
from callagent_cli.reporting.channels.email import STEP_TIMEOUT_S, EmailChannel
from callagent_cli.settings import Email


def _send(
    server: SmtpServer,
    tmp_path: Path,
    *,
    password: str = KEY,
    timeout_s: float = 10.0,
    **changes: Any,  # noqa: ANN401 — fields of the settings.
) -> ServiceError | None:
    async def send() -> ServiceError | None:
        async with server:
            settings = Email(
                **{
                    "host": "127.0.0.1",
                    "port": server.port,
                    "sender": "callagent@example.test",
                    "to": ["ops@example.test", "night@example.test"],
                    "username": "ops",
                    "tls": "starttls",
                    "ca_file": str(certificate(tmp_path)[0]),
                    **changes,
                }
            )
            channel = EmailChannel(settings, password=password, timeout_s=timeout_s)
            try:
                await channel.deliver(ALERT)
            except ServiceError as error:
                return error
            finally:
                await channel.close()
            return None

    return asyncio.run(send())


class Mailbox:
    """What an aiosmtpd server hands its mails to; it takes one user and one password."""

    def __init__(self, password: str) -> None:
        self.password = password
        self.envelopes: list[Envelope] = []

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802 — aiosmtpd's own name.
        """Keep a mail."""
        self.envelopes.append(envelope)
        return "250 kept"

    def sign_in(
        self, _: SMTP, __: Session, ___: Envelope, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        """Say whether a user may send."""
        known = data.login == b"ops" and data.password == self.password.encode()
        return AuthResult(success=known and mechanism in {"PLAIN", "LOGIN"}, handled=False)


async def _aiosmtpd_round(
    mailbox: Mailbox, tmp_path: Path, tls: Literal["starttls", "tls"]
) -> ServiceError | None:
    """Send one alert through a server that demands TLS and a sign-in."""
    pem = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pem)
    loop = asyncio.get_running_loop()
    protocols: list[SMTP] = []

    def protocol() -> SMTP:
        options: dict[str, Any] = {"tls_context": context, "require_starttls": True}
        with warnings.catch_warnings():
            # It does not see that the whole connection is encrypted already.
            warnings.simplefilter("ignore")
            served = SMTP(
                mailbox,
                authenticator=mailbox.sign_in,
                auth_required=True,
                auth_require_tls=tls == "starttls",
                hostname="loopback",
                loop=loop,
                **(options if tls == "starttls" else {}),
            )
        protocols.append(served)
        return served

    server = await loop.create_server(
        protocol, "127.0.0.1", 0, ssl=context if tls == "tls" else None
    )
    settings = Email(
        host="127.0.0.1",
        port=server.sockets[0].getsockname()[1],
        sender="callagent@example.test",
        to=["ops@example.test", "night@example.test"],
        username="ops",
        tls=tls,
        ca_file=str(pem[0]),
    )
    channel = EmailChannel(settings, password=KEY)
    try:
        await channel.check()
        await channel.deliver(ALERT)
    except ServiceError as error:
        return error
    finally:
        server.close()
        talks = [talk for served in protocols if (talk := served._handler_coroutine)]
        await asyncio.wait(talks)
    return None


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_an_email_arrives_over_tls_after_signing_in(
    tmp_path: Path, tls: Literal["starttls", "tls"]
) -> None:
    """Aiosmtpd takes it only over TLS and after the sign-in: subject, text, thread, recipients."""
    mailbox = Mailbox(KEY)
    error = asyncio.run(_aiosmtpd_round(mailbox, tmp_path, tls))

    assert error is None
    assert len(mailbox.envelopes) == 1
    envelope = mailbox.envelopes[0]
    content = envelope.content
    assert isinstance(content, bytes)
    message = message_from_bytes(content, policy=policy.default)
    assert envelope.rcpt_tos == ["ops@example.test", "night@example.test"]
    assert message["Subject"] == f"[critical] {ALERT.title}"
    assert message["Message-ID"] == "<msg_1@example.test>"
    assert message["References"] == "<run_1.INC-0001@example.test>"
    body = message.get_body()
    assert body is not None
    assert body.get_content().strip() == ALERT.body


def test_aiosmtpd_refuses_a_wrong_password(tmp_path: Path) -> None:
    """The error names the setting and not the password."""
    error = asyncio.run(_aiosmtpd_round(Mailbox("another"), tmp_path, "starttls"))

    assert isinstance(error, AuthenticationFailed)
    assert "correct `alerts.email`" in error.message
    assert KEY not in error.message


@pytest.mark.parametrize(
    ("server", "changes", "kind", "words"),
    [
        ({"password": "another"}, {}, AuthenticationFailed, "user or password was refused"),
        ({"starttls": False}, {}, Misconfigured, "no STARTTLS"),
        ({"password": KEY, "rcpt": "550 no such user"}, {}, Misconfigured, "recipient"),
        ({"password": KEY, "rcpt": "451 later"}, {}, PutOff, "come back later"),
        ({"password": KEY, "data": "554 refused"}, {}, InvalidPayload, "the email was refused"),
        ({"greeting": "421 busy"}, {}, ServiceUnavailable, "come back later"),
        (
            {"implicit_tls": True},
            {"tls": "none", "timeout_s": 0.2},
            ServiceTimeout,
            "correct `tls` or `port`",
        ),
        ({}, {"tls": "tls"}, Misconfigured, "no secure connection"),
        ({}, {"port": 1}, NetworkFailure, "cannot be reached"),
        ({"password": KEY}, {"sender": "a\nb@example.test"}, Misconfigured, "addresses"),
    ],
)
def test_each_trouble_with_email_is_said_with_a_fix(
    tmp_path: Path,
    server: dict[str, Any],
    changes: dict[str, Any],
    kind: type[ServiceError],
    words: str,
) -> None:
    """Wrong password, no TLS, refused recipients, closed ports: classified, in plain words."""
    error = _send(SmtpServer(certificate(tmp_path), **server), tmp_path, **changes)

    assert type(error) is kind, error
    assert words in error.message
    assert KEY not in error.message


def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    """The system's certificates are the default, and a self-signed one is none of them."""

    async def send() -> None:
        async with SmtpServer(certificate(tmp_path)) as server:
            settings = Email(
                host="127.0.0.1", port=server.port, sender="a@example.test", to=["b@example.test"]
            )
            with pytest.raises(Misconfigured, match="no secure connection"):
                await EmailChannel(settings, password="").deliver(ALERT)

    asyncio.run(send())


def test_an_email_without_tls_and_user_is_sent_plainly(tmp_path: Path) -> None:
    """A relay on the same machine needs neither."""
    server = SmtpServer(certificate(tmp_path), starttls=False)
    error = _send(server, tmp_path, tls="none", username="")

    assert error is None
    assert not server.signed_in
    assert len(server.mails) == 1


def test_a_server_that_hangs_takes_its_time_limit_and_no_more(tmp_path: Path) -> None:
    """Nothing but this delivery waits for it, and it is told apart from a closed port."""

    async def send() -> None:
        held: list[asyncio.StreamWriter] = []

        async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            held.append(writer)

        server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        settings = Email(host="127.0.0.1", port=port, sender="a@b.test", to=["c@d.test"])
        with pytest.raises(ServiceTimeout):
            await EmailChannel(settings, password="", timeout_s=0.05).deliver(ALERT)
        for writer in held:
            writer.transport.abort()
        server.close()
        await server.wait_closed()

    asyncio.run(send())


def test_certificates_that_cannot_be_read_stop_the_start() -> None:
    """A typo in `ca_file` shows when the run begins."""
    settings = Email(host="h", sender="a@b.test", to=["c@d.test"], ca_file="/nowhere.pem")

    with pytest.raises(SettingsError, match="ca_file"):
        EmailChannel(settings, password="")


def _rounds(
    tmp_path: Path,
    *rounds: dict[str, str],
    to: Sequence[str] = ("Ops <ops@b.test>", "gone@b.test"),
) -> tuple[list[ServiceError | str], list[list[str]]]:
    """Deliver one alert once for each table of refusals; return what came of it, and who was asked.

    What came of it is an error, or who was missed.
    """

    async def deliver() -> tuple[list[ServiceError | str], list[list[str]]]:
        found, asked = list[ServiceError | str](), list[list[str]]()
        async with SmtpServer(certificate(tmp_path)) as server:
            settings = Email(
                host="127.0.0.1",
                port=server.port,
                sender="a@b.test",
                to=list(to),
                tls="none",
            )
            channel, answers = EmailChannel(settings, password=""), Answers()
            for refuses in rounds:
                server.refuses, server.recipients = refuses, []
                try:
                    await channel.deliver_rest(ALERT, answers, only=None)
                    found.append(channel.missed)
                except ServiceError as error:
                    found.append(error)
                asked.append(server.recipients)
        return found, asked

    return asyncio.run(deliver())


def test_a_server_that_never_says_goodbye_has_taken_the_mail_all_the_same(
    tmp_path: Path,
) -> None:
    """Nobody waits for it until the attempt counts as failed, and the mail is sent twice."""
    server = SmtpServer(certificate(tmp_path), password=KEY, says_goodbye=False)
    began_s = time.monotonic()

    assert _send(server, tmp_path) is None
    assert time.monotonic() - began_s < STEP_TIMEOUT_S / 2
    assert len(server.mails) == 1


def test_a_recipient_that_is_refused_is_named_although_others_took_the_mail(
    tmp_path: Path,
) -> None:
    """The mail is not sent again for it: it has arrived with everybody else."""
    (missed,), _ = _rounds(tmp_path, {"gone@b.test": "550 no such user"})

    assert isinstance(missed, str)
    assert "correct `to` in `alerts.email` (gone@b.test 550 no such user)" in missed


def test_a_recipient_that_is_named_twice_gets_one_email(tmp_path: Path) -> None:
    """Alone and in another's list: no server has to find out that it is the same."""
    _, asked = _rounds(tmp_path, {}, to=["Ops <ops@b.test>", "ops@b.test, gone@b.test"])

    assert asked == [["<ops@b.test>", "<gone@b.test>"]]


def test_a_recipient_that_is_put_off_is_tried_again_alone(tmp_path: Path) -> None:
    """Who has the mail does not get it twice; who is refused in the end is named then."""
    found, asked = _rounds(
        tmp_path, {"gone@b.test": "451 greylisted"}, {"gone@b.test": "550 no such user"}
    )

    assert isinstance(found[0], ServiceUnavailable)
    assert "gone@b.test 550 no such user" in str(found[1])
    assert asked == [["<ops@b.test>", "<gone@b.test>"], ["<gone@b.test>"]]


def test_a_recipient_that_is_put_off_is_tried_again_although_all_others_are_refused(
    tmp_path: Path,
) -> None:
    """A greylisting server and one wrong address are no wrong settings: who waits is not lost."""
    found, asked = _rounds(
        tmp_path, {"ops@b.test": "451 greylisted", "gone@b.test": "550 no such user"}, {}
    )

    assert type(found[0]) is PutOff
    assert "come back later (ops@b.test 451 greylisted)" in found[0].message
    assert "(gone@b.test 550 no such user)" in str(found[1])
    assert asked == [["<ops@b.test>", "<gone@b.test>"], ["<ops@b.test>"]]


def test_recipients_that_are_all_refused_in_the_end_are_all_asked_again(tmp_path: Path) -> None:
    """Nobody has the mail, so the channel is broken, and each of them may be the one mended."""
    found, asked = _rounds(
        tmp_path,
        {"ops@b.test": "451 greylisted", "gone@b.test": "550 no such user"},
        {"ops@b.test": "550 mailbox closed"},
        {},
    )

    assert type(found[1]) is Misconfigured
    assert "reaches others" not in found[1].message
    for said in ("ops@b.test 550 mailbox closed", "gone@b.test 550 no such user"):
        assert said in found[1].message
    assert found[2] == ""
    assert asked[1:] == [["<ops@b.test>"], ["<ops@b.test>", "<gone@b.test>"]]
