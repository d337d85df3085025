"""A real Telegram channel among the mocks of a rehearsal, and the server that it talks to."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from callagent_cli.clock import Clock
from callagent_cli.reporting.alert import Alert
from callagent_cli.reporting.channels.mock import MockChannel
from callagent_cli.reporting.real_doors import RealDoors
from callagent_cli.reporting.sinks import Sink
from callagent_cli.services.httpx_client import HttpxClient
from callagent_cli.settings import Alerts, Telegram

ANSWER = (
    b'HTTP/1.1 200 OK\r\ncontent-length: 23\r\nconnection: close\r\n\r\n{"ok":true,"result":{}}'
)
DOORS = RealDoors(
    http_for=lambda base_url: HttpxClient(base_url=base_url),
    environ={"TELEGRAM_BOT_TOKEN": "1:bench"},
)


class RealTelegram(MockChannel):
    """A mock, but for Telegram: that is the real channel to the server at `base_url`."""

    base_url = ""

    def __init__(self, name: str, sink: Sink, clock: Clock) -> None:
        super().__init__(name, sink, clock)
        alerts = Alerts(telegram=Telegram(base_url=self.base_url, chat_id="-100"))
        (self._real,) = DOORS.channels(alerts, clock)

    async def deliver(self, alert: Alert) -> None:
        """Send the alert, or write it down."""
        if self.name == "telegram":
            await self._real.deliver(alert)
        else:
            await super().deliver(alert)

    async def close(self) -> None:
        """Release the connections."""
        await self._real.close()


@contextmanager
def telegram(*, hanging: bool) -> Iterator[str]:
    """Serve on loopback, in a thread: answer at once, or never say a word; yield the address."""
    listening = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def serve() -> None:
        with suppress(OSError):  # The end of the run shuts it.
            while True:
                connection, _ = listening.accept()
                held.append(connection)
                if not hanging:
                    connection.recv(65_536)
                    connection.sendall(ANSWER)
                    connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
        for connection in (listening, *held):
            connection.close()
