"""Addresses of loopback at which no request arrives, for faults under which none leaves.

A port cannot refuse one operation of a service, or one request by lot, and serve the others. So a
request that is to be refused is sent to an address of its own, where its connection is refused or
never made in truth.
"""

from typing import Self

from callagent_cli.simulation.wire.sockets import BlackHole, bound_socket


class DeadEnds:
    """Two ports: one refuses every connection, the other lets connecting hang.

    A context manager; it gives the ports back. Raises `UsageError` when none can be had.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._host = host
        self._refusing = bound_socket(host, 0)
        self._kept = bound_socket(host, 0)
        self._swallowing = BlackHole(host, self._kept.getsockname()[1])

    @property
    def refusing_url(self) -> str:
        """Where a connection is refused."""
        return f"http://{self._host}:{self._refusing.getsockname()[1]}"

    @property
    def swallowing_url(self) -> str:
        """Where connecting neither succeeds nor fails."""
        return f"http://{self._host}:{self._kept.getsockname()[1]}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the ports back."""
        self._swallowing.close()
        for kept in (self._refusing, self._kept):
            kept.close()
