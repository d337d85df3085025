"""Ports on loopback that can be refused or turned into a black hole and still be kept.

A socket that is bound but does not listen keeps the port (`SO_REUSEPORT`), while the listening
one beside it comes and goes. A black hole listens with a full queue: the kernel then drops every
further SYN. Tested on Linux only.
"""

import socket
import struct

from callagent_cli.errors import UsageError

_QUEUE_FILLERS = 4
BACKLOG = 1024


def require_loopback(host: str | None) -> str:
    """Return the address if it is this machine's own; raises `UsageError` if it is any other."""
    if host in {"127.0.0.1", "::1"}:
        return host
    message = f"the sandbox is on loopback only, not on `{host}`"
    raise UsageError(message, hint="use 127.0.0.1 or ::1")


def require_free(host: str, port: int) -> None:
    """Raise `UsageError` when somebody listens on a port already.

    Sockets that share ports would share it silently, and with it each other's requests.
    """
    with _unbound_socket(host) as probe:
        _bind(probe, host, port)


def bound_socket(host: str, port: int) -> socket.socket:
    """Return a socket bound to a port of loopback, 0 for any free one; it does not listen.

    It may share its port with others of its kind. Raises `UsageError` when it cannot be had.
    """
    bound = _unbound_socket(host)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        _bind(bound, host, port)
    except UsageError:
        bound.close()
        raise
    return bound


def _unbound_socket(host: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in require_loopback(host) else socket.AF_INET
    unbound = socket.socket(family, socket.SOCK_STREAM)
    unbound.settimeout(0)
    unbound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    return unbound


def _bind(unbound: socket.socket, host: str, port: int) -> None:
    try:
        unbound.bind((host, port))
    except (OSError, OverflowError) as error:
        message = f"cannot listen on port {port}: {error}"
        raise UsageError(message, hint="choose another port, or 0 for any free one") from error


class BlackHole:
    """Takes the place of a listener: connecting neither succeeds nor fails."""

    def __init__(self, host: str, port: int) -> None:
        self._listener = bound_socket(host, port)
        self._listener.listen(0)
        self._fillers = [
            socket.socket(self._listener.family, socket.SOCK_STREAM) for _ in range(_QUEUE_FILLERS)
        ]
        for filler in self._fillers:
            filler.settimeout(0)
            filler.connect_ex((host, port))

    def close(self) -> None:
        """Give the port back."""
        for each in (*self._fillers, self._listener):
            each.close()


def reset_on_close(connection: socket.socket) -> None:
    """Make closing this socket a reset (RST) instead of a farewell (FIN)."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
