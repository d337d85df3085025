"""Whatever a channel does, no call ends a millisecond earlier or later: whole runs, compared."""

import asyncio
from typing import Any

import pytest
from outage_worlds import library

from callagent_cli.errors import AuthenticationFailed, ServiceUnavailable
from callagent_cli.events import AlertRaised, CallChanged
from callagent_cli.reporting.alert import Alert
from callagent_cli.reporting.channels.mock import MockChannel
from callagent_cli.simulation.worlds.world import World

Story = tuple[list[tuple[float, str, str]], list[str]]


def _played(scenario: str, monkeypatch: pytest.MonkeyPatch, trouble: Any) -> Story:  # noqa: ANN401 — what the channel does.
    """Return when each call changed, and what was told of Telegram."""

    class Troubled(MockChannel):
        async def deliver(self, alert: Alert) -> None:
            if self.name == "telegram" and trouble == "hangs":
                await asyncio.sleep(60)
            elif self.name == "telegram" and trouble is not None:
                raise trouble
            await super().deliver(alert)

    monkeypatch.setattr("callagent_cli.reporting.wiring.MockChannel", Troubled)
    events = list(World(library(scenario), 7, record=True).run().events)
    changes = [
        (stamped.monotonic_s, stamped.event.call, str(stamped.event.new))
        for stamped in events
        if isinstance(stamped.event, CallChanged)
    ]
    told = [
        str(stamped.event.kind)
        for stamped in events
        if isinstance(stamped.event, AlertRaised) and stamped.event.service == "alerts.telegram"
    ]
    return changes, told


@pytest.mark.parametrize("scenario", ["elevenlabs-503-lanes", "crm-down"])
@pytest.mark.parametrize(
    "trouble",
    [
        "hangs",
        ServiceUnavailable("telegram answered 503"),
        AuthenticationFailed("telegram answered 401", status=401),
        RuntimeError("a defect"),
    ],
    ids=["hangs", "is down", "refuses", "has a defect"],
)
def test_a_channel_in_trouble_moves_no_call_by_a_millisecond(
    monkeypatch: pytest.MonkeyPatch, scenario: str, trouble: object
) -> None:
    """The same seed gives the same calls at the same instants, with and without the trouble."""
    with monkeypatch.context() as patched:
        healthy, silence = _played(scenario, patched, None)
    with monkeypatch.context() as patched:
        troubled, told = _played(scenario, patched, trouble)

    assert healthy
    assert troubled == healthy
    assert silence == []
    assert told[:1] == ["opened"]
    assert told.count("opened") == 1
