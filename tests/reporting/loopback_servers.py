"""Servers on loopback that answer as they are told: HTTP, and SMTP with TLS and sign-in."""

import asyncio
import base64
import json
import ssl
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Answer = tuple[int, dict[str, str], bytes]


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came in; header names are lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class _Server(ABC):
    """A listening socket for the length of an `async with`."""

    def __init__(self) -> None:
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls())
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.close()
        for writer in list(self._writers):
            writer.transport.abort()
        await self._server.wait_closed()
        await asyncio.sleep(0)

    def _tls(self) -> ssl.SSLContext | None:
        return None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, AttributeError):
            await self._talk(reader, writer)
        self._writers.discard(writer)
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    @abstractmethod
    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold one conversation."""


class HttpServer(_Server):
    """Gives its answers in their order, one connection each; `forever` is given after them."""

    def __init__(self, answers: list[Answer], *, forever: Answer | None = None) -> None:
        super().__init__()
        self._answers = list(answers)
        self.forever = forever
        self.requests: list[Received] = []

    @property
    def base_url(self) -> str:
        """The address to send to."""
        return f"http://127.0.0.1:{self.port}"

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        method, target, _ = head[0].split(" ")
        pairs = [line.split(": ", 1) for line in head[1:] if line]
        headers = {name.lower(): value for name, value in pairs}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append(Received(method, target, headers, body))
        answer = self._answers.pop(0) if self._answers or not self.forever else self.forever
        status, more, content = answer
        lines = [f"HTTP/1.1 {status} Told", *(f"{name}: {value}" for name, value in more.items())]
        if status != 204:
            lines.append(f"content-length: {len(content)}")
        writer.write("\r\n".join([*lines, "connection: close", "", ""]).encode() + content)
        await writer.drain()


def json_answer(status: int, /, **body: Any) -> Answer:  # noqa: ANN401 — JSON.
    """Return an answer whose body is a JSON object."""
    return status, {"content-type": "application/json"}, json.dumps(body).encode()


@cache
def _pair() -> tuple[bytes, bytes]:
    """Return a self-signed certificate for 127.0.0.1 and its key, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    began = datetime.now(UTC) - timedelta(days=1)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(began)
        .not_valid_after(began + timedelta(days=30))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return signed.public_bytes(serialization.Encoding.PEM), secret


def certificate(folder: Path) -> tuple[Path, Path]:
    """Write the certificate and its key into a folder; return their paths."""
    paths = folder / "certificate.pem", folder / "key.pem"
    for path, content in zip(paths, _pair(), strict=True):
        path.write_bytes(content)
    return paths


class SmtpServer(_Server):
    """Speaks enough SMTP for one email, and fails where it is told to."""

    def __init__(
        self,
        pem: tuple[Path, Path],
        *,
        implicit_tls: bool = False,
        starttls: bool = True,
        password: str = "",
        greeting: str = "220 loopback",
        rcpt: str = "250 ok",
        refuses: Mapping[str, str] = {},
        data: str = "250 queued",
        says_goodbye: bool = True,
    ) -> None:
        super().__init__()
        self._says_goodbye = says_goodbye
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*pem)
        self._implicit_tls, self._starttls = implicit_tls, starttls
        self._password, self._greeting = password, greeting
        self._rcpt, self._data = rcpt, data
        self.refuses = dict(refuses)
        self.signed_in = False
        self.recipients: list[str] = []
        self.mails: list[bytes] = []

    def _tls(self) -> ssl.SSLContext | None:
        return self._context if self._implicit_tls else None

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{self._greeting}\r\n".encode())
        answers: dict[str, Callable[[str], str]] = {
            "EHLO": self._hello,
            "AUTH": self._sign_in,
            "MAIL": lambda _: "250 ok",
            "RCPT": self._recipient,
            "RSET": lambda _: "250 ok",
            "QUIT": lambda _: "221 bye",
        }
        while line := (await reader.readline()).decode().rstrip():
            verb, _, rest = line.partition(" ")
            if verb.upper() == "STARTTLS":
                writer.write(b"220 go\r\n")
                await writer.drain()
                plain = writer.transport
                try:
                    await writer.start_tls(self._context)
                finally:
                    if writer.transport is None:  # The client did not like the certificate.
                        writer._transport = plain
            elif verb.upper() == "DATA":
                writer.write(b"354 go\r\n")
                self.mails.append((await reader.readuntil(b"\r\n.\r\n"))[:-3])
                writer.write(f"{self._data}\r\n".encode())
            elif verb.upper() != "QUIT" or self._says_goodbye:
                writer.write(f"{answers[verb.upper()](rest)}\r\n".encode())
            await writer.drain()

    def _hello(self, _: str) -> str:
        offers = ["250-loopback", *(["250-STARTTLS"] if self._starttls else [])]
        return "\r\n".join([*offers, "250 AUTH PLAIN"])

    def _sign_in(self, rest: str) -> str:
        given = base64.b64decode(rest.split(" ")[1]).decode().split("\0")[2]
        self.signed_in = given == self._password
        return "235 welcome" if self.signed_in else "535 wrong password"

    def _recipient(self, rest: str) -> str:
        address = rest.partition(":")[2]
        self.recipients.append(address)
        return self.refuses.get(address.strip("<>"), self._rcpt)
