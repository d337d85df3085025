"""What httpx2 raises, translated into sent or not sent."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable

import httpx2
import pytest
from loopback_server import a_request, exchange

from callagent_cli.services.http import (
    BrokenAnswer,
    NoAnswer,
    NotSent,
    Request,
    Response,
    TransportError,
)
from callagent_cli.services.httpx_client import HttpxClient, _Progress


def _raising(error: Exception, *, begun: bool) -> Callable[..., Awaitable[Response]]:
    async def fails(_client: HttpxClient, _request: Request, progress: _Progress) -> Response:
        progress.begun = begun
        raise error

    return fails


@pytest.mark.parametrize(
    ("error", "begun", "kind"),
    [
        (httpx2.ConnectTimeout("x"), False, NotSent),
        (httpx2.PoolTimeout("x"), False, NotSent),
        (httpx2.ProxyError("x"), True, NotSent),
        (httpx2.ConnectError("x"), True, NotSent),
        (httpx2.InvalidURL("x"), False, NotSent),
        (httpx2.ReadError("x"), False, NotSent),
        (ValueError("x"), False, NotSent),
        (OSError("x"), False, NotSent),
        (httpx2.ReadTimeout("x"), True, NoAnswer),
        (httpx2.WriteTimeout("x"), True, NoAnswer),
        (httpx2.WriteError("x"), True, BrokenAnswer),
        (httpx2.ReadError(""), True, BrokenAnswer),
        (httpx2.CloseError("x"), True, BrokenAnswer),
        (httpx2.TooManyRedirects("x"), True, BrokenAnswer),
        (ValueError("x"), True, BrokenAnswer),
        (OSError("x"), True, BrokenAnswer),
    ],
    ids=repr,
)
def test_what_the_library_raises_means_sent_or_not(
    monkeypatch: pytest.MonkeyPatch, error: Exception, *, begun: bool, kind: type[TransportError]
) -> None:
    """Not sent is claimed only where no byte of the request can have arrived."""
    monkeypatch.setattr(HttpxClient, "_exchange", _raising(error, begun=begun))
    result = asyncio.run(exchange("http://127.0.0.1:1", a_request()))

    assert type(result) is kind


def _not_verified() -> httpx2.ConnectError:
    """Return what the library raises for a certificate that nobody vouches for."""
    reason = ssl.SSLCertVerificationError(1, "certificate verify failed")
    reason.verify_message = "self-signed certificate"
    error = httpx2.ConnectError("[SSL: CERTIFICATE_VERIFY_FAILED]")
    error.__cause__ = reason
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            _not_verified(),
            (
                "no secure connection: the certificate is not trusted (self-signed certificate); "
                "correct the address, or name your own certificates in SSL_CERT_FILE"
            ),
        ),
        (
            ExceptionGroup(
                "connections",
                [
                    OverflowError("port must be 0-65535."),
                    ExceptionGroup("more", [OSError("refused"), ValueError("our header")]),
                ],
            ),
            "could not be sent: port must be 0-65535.; refused; ValueError",
        ),
    ],
)
def test_why_nothing_was_sent_is_said_in_plain_words(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    """A certificate with the way out; several attempts to connect one after the other."""
    monkeypatch.setattr(HttpxClient, "_exchange", _raising(error, begun=False))
    result = asyncio.run(exchange("http://127.0.0.1:1", a_request()))

    assert isinstance(result, NotSent)
    assert result.message == words
