"""Alerts by email against an SMTP server on loopback: TLS, sign-in, and what can go wrong."""

import asyncio
import ssl
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any, Literal

import pytest
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
)
from callagent_cli.reporting.channels.email import EmailChannel
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
                    **changes,
                }
            )
            tls = ssl.create_default_context(cafile=str(certificate(tmp_path)[0]))
            tls.check_hostname = False
            channel = EmailChannel(settings, password=password, tls=tls, timeout_s=timeout_s)
            try:
                await channel.deliver(ALERT)
            except ServiceError as error:
                return error
            finally:
                await channel.close()
            return None

    return asyncio.run(send())


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_an_email_arrives_over_tls_after_signing_in(
    tmp_path: Path, tls: Literal["starttls", "tls"]
) -> None:
    """Subject, text, thread and all recipients, sent only after TLS and sign-in."""
    server = SmtpServer(certificate(tmp_path), implicit_tls=tls == "tls", password=KEY)
    error = _send(server, tmp_path, tls=tls)
    message = message_from_bytes(server.mails[0], policy=policy.default)

    assert error is None
    assert server.signed_in
    assert server.recipients == ["<ops@example.test>", "<night@example.test>"]
    assert message["Subject"] == f"[critical] {ALERT.title}"
    assert message["Message-ID"] == "<msg_1@example.test>"
    assert message["References"] == "<run_1.INC-0001@example.test>"
    body = message.get_body()
    assert body is not None
    assert body.get_content().strip() == ALERT.body


@pytest.mark.parametrize(
    ("server", "changes", "kind", "words"),
    [
        ({"password": "another"}, {}, AuthenticationFailed, "user or password was refused"),
        ({"starttls": False}, {}, Misconfigured, "no STARTTLS"),
        ({"password": KEY, "rcpt": "550 no such user"}, {}, Misconfigured, "recipient"),
        ({"password": KEY, "rcpt": "451 later"}, {}, ServiceUnavailable, "come back later"),
        ({"password": KEY, "data": "554 refused"}, {}, InvalidPayload, "the email was refused"),
        ({"greeting": "421 busy"}, {}, ServiceUnavailable, "come back later"),
        (
            {"implicit_tls": True},
            {"tls": "none", "timeout_s": 0.2},
            ServiceUnavailable,
            "broke off",
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


def test_a_server_that_hangs_is_not_asked_again_meanwhile(tmp_path: Path) -> None:
    """While the last email is still under way no second thread begins."""

    async def send() -> None:
        silent = asyncio.Event()
        held: list[asyncio.StreamWriter] = []

        async def say_nothing(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            held.append(writer)
            silent.set()

        server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        settings = Email(host="127.0.0.1", port=port, sender="a@b.test", to=["c@d.test"])
        channel = EmailChannel(settings, password="")
        first = asyncio.create_task(channel.deliver(ALERT))
        await silent.wait()
        with pytest.raises(ServiceTimeout):
            await channel.deliver(ALERT)
        for writer in held:
            writer.transport.abort()
        with pytest.raises(ServiceUnavailable):
            await first
        server.close()
        await server.wait_closed()

    asyncio.run(send())
