"""What listening costs: `python tests/benchmarks/bench_reporting.py`; asserts nothing.

1. Share of a core that 10,000 events a second take through journal and incident rules.
2. Calls a second of a run in the sandbox's loop, with healthy channels and with one that hangs.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

from callagent_cli.clock import Clock, system_clock
from callagent_cli.events import (
    AlertRaised,
    AttemptFinished,
    Bus,
    CallChanged,
    Event,
    HealthChecked,
    StepFinished,
)
from callagent_cli.reporting.alert import Alert, Channel
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.reporting.wiring import Reporting, Surroundings
from callagent_cli.settings import Alerts, Settings, Telegram
from callagent_cli.store.sqlite_store import SqliteStore

RATE = 10_000
ALERT = AlertRaised(
    alert="INC-0001-01",
    incident="INC-0001",
    kind="opened",
    severity="critical",
    service="elevenlabs",
    title="elevenlabs is down",
    body="What: elevenlabs answered 503",
)
HANG_S = 60.0


def stream() -> Iterator[Event]:
    """Yield the events of a lively run, for ever: one failed attempt in a hundred."""
    for index in count():
        call = f"call_{index // 8:06d}"
        match index % 8:
            case 0:
                yield CallChanged(call=call, old="pending", new="active", step="look_up", reason="")
            case 7:
                yield CallChanged(
                    call=call, old="active", new="done", step="record", reason="", result="answered"
                )
            case 6:
                yield HealthChecked(
                    service="crm", health="healthy", duration_s=0.1, next_check_s=10.0
                )
            case 2 | 4:
                yield StepFinished(call=call, step="dial", detail="placed")
            case _:
                failed = index % 100 == 1
                yield AttemptFinished(
                    service="elevenlabs",
                    operation="elevenlabs.dial",
                    call=call,
                    attempt=1,
                    of=4,
                    outcome="unavailable" if failed else "ok",
                    error_message="elevenlabs answered 503" if failed else "",
                    http_status=503 if failed else None,
                    duration_s=0.2,
                )


class Hanging:
    """A channel that answers nothing for a minute."""

    name = "telegram"

    async def deliver(self, _: Alert) -> None:
        """Hang."""
        await asyncio.sleep(HANG_S)

    async def close(self) -> None:
        """Nothing to release."""


class Doors:
    """Opens the hanging channel."""

    def channels(self, _alerts: Alerts, _clock: Clock) -> list[Channel]:
        """Return it."""
        return [Hanging()]


def _reporting(folder: Path, bus: Bus, clock: Clock, *, hanging: bool) -> Reporting:
    alerts = Alerts(telegram=Telegram(chat_id="1")) if hanging else Alerts()
    return Reporting(
        Surroundings(
            clock=clock,
            bus=bus,
            settings=Settings(alerts=alerts),
            documents=SqliteStore.open(folder / "bench.db"),
            folder=folder,
            redactor=Redactor(["sk_live_0123456789abcdefXYZ"]),
            screen=lambda _: None,
            real=True,
            doors=Doors(),  # type: ignore[arg-type]
        )
    )


async def cost(events: int) -> float:
    """Return CPU microseconds an event, threads included."""
    with tempfile.TemporaryDirectory() as name:
        clock = system_clock()
        bus = Bus(clock, run="run_bench", campaign="bench")
        reporting = _reporting(Path(name), bus, clock, hanging=False)
        chosen = list(islice(stream(), events))
        began_s = time.process_time()
        for index, event in enumerate(chosen):
            bus.emit(event)
            if index % 1000 == 0:
                await asyncio.sleep(0)
        await reporting.close()
        return (time.process_time() - began_s) / events * 1e6


async def calls_a_second(seconds: float, *, hanging: bool) -> float:
    """Return how many pretended calls of eight events each get done in a second of a core.

    CPU seconds, not those of the wall: what else runs on the machine says nothing about channels.
    """
    with tempfile.TemporaryDirectory() as name:
        clock = system_clock()
        bus = Bus(clock, run="run_bench", campaign="bench")
        reporting = _reporting(Path(name), bus, clock, hanging=hanging)
        beside = asyncio.create_task(reporting.run())
        events = stream()
        bus.emit(ALERT)
        calls, ends_s = 0, time.process_time() + seconds
        while time.process_time() < ends_s:
            for event in islice(events, 8):
                bus.emit(event)
            calls += 1
            await asyncio.sleep(0)
        beside.cancel()
        await asyncio.wait({beside})
        await reporting.close()
        return calls / seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--turns", type=int, default=6)
    options = parser.parse_args()
    micros = asyncio.run(cost(options.events))
    print(f"{micros:.1f} µs an event: {micros * RATE / 1e4:.1f} % of a core at {RATE}/s")
    changes = []
    for turn in range(options.turns):
        # Each goes first every other time, so that neither profits from its place.
        rates = {}
        for hanging in (False, True) if turn % 2 else (True, False):
            rates[hanging] = asyncio.run(calls_a_second(options.seconds, hanging=hanging))
        changes.append((rates[True] - rates[False]) / rates[False] * 100)
        print(
            f"turn {turn + 1}: {rates[False]:.0f} calls/s, {rates[True]:.0f} with a hanging channel"
        )
    print(f"a channel that hangs changes calls/s by {statistics.median(changes):+.1f} % (median)")


if __name__ == "__main__":
    main()
