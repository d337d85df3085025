"""A channel that reaches nobody: each alert becomes a line in `logs/alerts.jsonl`."""

import msgspec

from callagent_cli.clock import Clock, utc_text
from callagent_cli.reporting.alert import Alert
from callagent_cli.reporting.sinks import Sink


class MockChannel:
    """Stands in for the channel `name`, and says so in what it writes."""

    def __init__(self, name: str, sink: Sink, clock: Clock) -> None:
        self.name = name
        self._sink = sink
        self._clock = clock

    async def deliver(self, alert: Alert) -> None:
        """Write the alert; a sink never fails, what it loses it counts."""
        line = {
            "time": utc_text(self._clock.utc()),
            "channel": self.name,
            "mock": True,
            "raised": utc_text(alert.raised_utc_s),
            "alert": alert.id,
            "incident": alert.incident,
            "kind": alert.kind,
            "status": alert.status,
            "severity": alert.severity,
            "service": alert.service,
            "title": alert.title,
            "body": alert.body,
            "call": alert.call,
            "run": alert.run,
            "campaign": alert.campaign,
        }
        self._sink.write(msgspec.json.encode(line) + b"\n")

    async def close(self) -> None:
        """Nothing to release: the sink belongs to all mocks."""
