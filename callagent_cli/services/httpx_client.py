"""The real door to the network: httpx2 behind the `Http` port."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from callagent_cli.errors import SettingsError
from callagent_cli.services.http import (
    BrokenAnswer,
    NoAnswer,
    NotSent,
    Request,
    Response,
    TransportError,
)

if TYPE_CHECKING:
    import httpx2

ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024
"""A longer answer is not one of ours."""

_KEPT_CONNECTIONS: Final = 32
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class _Progress:
    """How far a request got, told by the trace extension of httpcore2 (`_trace.py`).

    `begun` is set before the first byte of the request is written, `written` once its head is out.
    """

    def __init__(self) -> None:
        self.begun = False
        self.written = False
        self._connecting: Any = None

    async def __call__(self, name: str, info: Mapping[str, Any]) -> None:
        if name.endswith("connect_tcp.complete"):
            self._connecting = info["return_value"]
        elif name.endswith("send_request_headers.started"):
            self.begun = True
            self._connecting = None
        elif name.endswith("send_request_headers.complete"):
            self.written = True

    async def close_half_open(self) -> None:
        """Close a connection that was cut off before it could be used.

        httpcore2 forgets a socket whose TLS handshake is cancelled, and it would stay open until
        the garbage collector finds it.
        """
        if self._connecting is not None:
            await self._connecting.aclose()


class HttpxClient:
    """Sends requests to `base_url`; one per service, so that services share no connections.

    Never retries and never follows a redirect; the only clock is each request's total time,
    because httpx2's own timeouts restart with every chunk. `headers` go with every request.
    Raises `SettingsError` when no request could ever go there from these surroundings.
    """

    def __init__(self, *, base_url: str, headers: Mapping[str, str] | None = None) -> None:
        import httpx2  # noqa: PLC0415 — 70 ms that `callagent --help` need not pay.

        self._errors = httpx2
        try:
            self._client, self._alone = _clients(base_url, headers or {})
        except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
            # The words of the others quote addresses, and with them a password.
            quotes_none = isinstance(error, ImportError | OSError)
            reason = str(error) if quotes_none else type(error).__name__
            raise SettingsError(
                f"a service's address, the proxy or the certificates cannot be used: {reason}",
                hint="check `base_url`, and the variables HTTPS_PROXY, ALL_PROXY and SSL_CERT_FILE",
            ) from error

    async def send(self, request: Request) -> Response:
        """Return the answer, whatever its status, its body read to the end.

        Raises `NotSent` when not a byte of the request was written, `NoAnswer` when it took longer
        than `request.timeout_s` after that, and `BrokenAnswer` when the connection or the answer
        broke. A connection kept alive that turns out to be dead counts as broken: the service may
        have read the request before it closed.
        """
        if self._client.is_closed:
            raise NotSent("the client is closed")
        progress = _Progress()
        try:
            async with asyncio.timeout(request.timeout_s):
                return await self._exchange(request, progress)
        except TimeoutError as error:
            if progress.begun:
                raise NoAnswer(f"no answer within {request.timeout_s:g} s") from error
            raise NotSent(f"not connected within {request.timeout_s:g} s") from error
        except (
            self._errors.HTTPError,
            self._errors.InvalidURL,
            ArithmeticError,  # A port beyond 65535.
            ExceptionGroup,  # What its connections to several addresses met.
            ValueError,
            OSError,
        ) as error:
            raise self._translated(error, progress) from error
        finally:
            await progress.close_half_open()

    async def _exchange(self, request: Request, progress: _Progress) -> Response:
        client = self._alone if request.alone else self._client
        async with client.stream(
            request.method,
            request.path,
            headers=request.headers,
            content=request.body or None,
            extensions={"trace": progress},
        ) as response:
            body = await _read(response)
            return Response(response.status_code, dict(response.headers.items()), body)

    def _translated(self, error: Exception, progress: _Progress) -> TransportError:
        errors = self._errors
        reason = self._reason(error)
        if isinstance(error, errors.ConnectError) and (refused := _of_tls(error)):
            return NotSent(f"no secure connection: {_insecure(refused)}")
        if isinstance(
            error,
            errors.ConnectError
            | errors.ConnectTimeout
            | errors.PoolTimeout
            | errors.ProxyError
            | errors.UnsupportedProtocol
            | errors.InvalidURL,
        ):
            return NotSent(f"could not connect: {reason}")
        if isinstance(error, errors.TimeoutException):
            return NoAnswer(f"no answer in time: {reason}")
        if isinstance(error, errors.LocalProtocolError) and not progress.written:
            return NotSent(f"the request is not valid HTTP: {reason}")
        if not progress.begun:
            return NotSent(f"could not be sent: {reason}")
        return BrokenAnswer(f"the connection broke: {reason}")

    def _reason(self, error: Exception) -> str:
        """Return an error's own words, unless they may quote our headers, and with them a key."""
        if isinstance(error, ExceptionGroup):
            return "; ".join(dict.fromkeys(self._reason(each) for each in error.exceptions))
        quotes_us = isinstance(error, ValueError | self._errors.LocalProtocolError)
        return type(error).__name__ if quotes_us else str(error) or type(error).__name__

    async def close(self) -> None:
        """Release the connections."""
        await self._client.aclose()
        await self._alone.aclose()


def _clients(base_url: str, headers: Mapping[str, str]) -> "list[httpx2.AsyncClient]":
    """Return a client that keeps its connections, and one that uses each for one request only."""
    import httpx2  # noqa: PLC0415 — as above.

    address = urlsplit(base_url)
    trust_env = address.hostname not in _LOOPBACK
    # A plain address never needs certificates, and loading them takes 50 ms.
    if address.scheme == "http":
        certificates = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    else:
        certificates = httpx2.create_ssl_context(trust_env=trust_env)
    return [
        httpx2.AsyncClient(
            base_url=base_url,
            headers={"accept-encoding": "identity", **headers},
            timeout=None,
            follow_redirects=False,
            verify=certificates,
            trust_env=trust_env,
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=kept),
        )
        for kept in (_KEPT_CONNECTIONS, 0)
    ]


def _of_tls(error: BaseException | None) -> ssl.SSLError | None:
    """Return why no secure connection came about; None when it was something else."""
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


def _insecure(error: ssl.SSLError) -> str:
    """Say in plain words what is wrong, and the way out."""
    if isinstance(error, ssl.SSLCertVerificationError):
        fix = "correct the address, or name your own certificates in SSL_CERT_FILE"
        return f"the certificate is not trusted ({error.verify_message}); {fix}"
    said = str(error.reason or error).replace("_", " ").lower()
    return f"the other side speaks another TLS, or none ({said}); correct http, https and port"


async def _read(response: "httpx2.Response") -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise BrokenAnswer(f"the answer is longer than {ANSWER_BYTES_MAX} bytes")
    return bytes(body)
