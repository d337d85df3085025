"""What listening costs: `python tests/benchmarks/bench_reporting.py`; asserts nothing.

1. Share of a core that 10,000 events a second take through journal and incident rules: nothing is
   broken, an incident is open, and in it every attempt fails.
2. Calls a second with and without a channel that hangs, three times, so that the noise of a shared
   machine can neither hide a difference nor feign one:
   a. in virtual time, the whole worker through an outage: each call must end at the same instant;
   b. processor seconds of those very runs, in pairs that follow each other;
   c. on real sockets, a real channel whose server never answers, in pairs of short blocks;
   d. a real worker on real sockets through that outage, beside such a channel, in pairs of runs.
   Of pairs the median of the ratios is told, with the interval that holds the true median in 95 of
   100 cases (order statistics of a binomial). The bar is 2 %.
"""

import argparse
import asyncio
import gc
import math
import statistics
import tempfile
import time
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from _beside_channel import ANSWER, DOORS, RealTelegram, telegram

from callagent_cli.clock import Clock, system_clock
from callagent_cli.events import (
    AlertRaised,
    AttemptFinished,
    BreakerChanged,
    Bus,
    CallChanged,
    Event,
    HealthChecked,
    StepFinished,
)
from callagent_cli.reporting.alert import Alert
from callagent_cli.reporting.channels.mock import MockChannel
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.reporting.wiring import Reporting, Surroundings
from callagent_cli.services.httpx_client import HttpxClient
from callagent_cli.settings import Alerts, Settings, Telegram
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.scenario.loader import find_scenario, parse_scenario
from callagent_cli.simulation.worlds.wire_world import WireWorld
from callagent_cli.simulation.worlds.world import World
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
SCENARIO = "elevenlabs-503-lanes"


DOWN = BreakerChanged(
    service="elevenlabs",
    old="closed",
    new="open",
    reason="4 failures since the last success: elevenlabs answered 503",
    error_class="ServiceUnavailable",
    error_message="elevenlabs answered 503",
    outcome="unavailable",
    http_status=503,
    breaker_state="open",
)


def stream(*, failing: bool = False) -> Iterator[Event]:
    """Yield the events of a lively run, for ever: one attempt in a hundred fails, or each does."""
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
                failed = failing or index % 100 == 1
                yield AttemptFinished(
                    service="elevenlabs",
                    operation="elevenlabs.dial",
                    call=call,
                    attempt=1,
                    of=4,
                    outcome="unavailable" if failed else "ok",
                    error_class="ServiceUnavailable" if failed else "",
                    error_message="elevenlabs answered 503" if failed else "",
                    http_status=503 if failed else None,
                    duration_s=0.2,
                )


# A channel that hangs, in virtual time


class HangingMock(MockChannel):
    """A pretended Telegram that answers nothing for a minute; the others take everything."""

    async def deliver(self, alert: Alert) -> None:
        """Hang, or take the alert."""
        if self.name == "telegram":
            await asyncio.sleep(HANG_S)
        await super().deliver(alert)


class Played(NamedTuple):
    """One run: when each call was over, and the processor seconds it took."""

    over_s: tuple[float, ...]
    cpu_s: float


def outage(contacts: int) -> Scenario:
    """Return a campaign with an outage of three minutes."""
    text = find_scenario(SCENARIO).read_text(encoding="utf-8")
    text = text.partition("expect:")[0].replace("contacts: 40", f"contacts: {contacts}")
    return parse_scenario(text, Path(SCENARIO)).scenario


def play(contacts: int, *, hanging: bool) -> Played:
    """Work a campaign through an outage, whole and in virtual time."""
    scenario = outage(contacts)
    channel = HangingMock if hanging else MockChannel
    with patch("callagent_cli.reporting.wiring.MockChannel", channel):
        gc.collect()
        began_s = time.process_time()
        evidence = World(scenario, 7, record=True).run()
        cpu_s = time.process_time() - began_s
    over_s = tuple(stamped.monotonic_s for stamped in evidence.events if _is_over(stamped.event))
    return Played(over_s, cpu_s)


def _is_over(event: Event) -> bool:
    return isinstance(event, CallChanged) and event.new in {"done", "failed"}


def in_virtual_time(contacts: int, pairs: int) -> None:
    """Compare runs to the millisecond, and their processor seconds in pairs."""
    ratios, rates, same = [], dict[bool, float](), True
    for turn in range(pairs):
        played = {hanging: play(contacts, hanging=hanging) for hanging in _order(turn)}
        same = same and played[True].over_s == played[False].over_s
        rates = {key: len(run.over_s) / run.over_s[-1] for key, run in played.items()}
        ratios.append(played[False].cpu_s / played[True].cpu_s)
    verdict = "each call ends at the same instant" if same else "CALLS END AT OTHER INSTANTS"
    change = (rates[True] / rates[False] - 1) * 100
    print(
        f"a. {contacts} calls in virtual time: {rates[False]:.6f} calls/s, {rates[True]:.6f} with a"
        f" hanging channel, {change:+.6f} %; {verdict}"
    )
    print(f"b. calls a processor second of the same runs: {_told(ratios)}")


# A channel that hangs, on real sockets


class Wire:
    """A reporting on a loop of its own, with a real channel to a server on loopback."""

    def __init__(self, folder: Path, *, hanging: bool) -> None:
        self._folder, self._hanging = folder, hanging
        self._runner = asyncio.Runner()
        self._events = stream()
        self._runner.run(self._open())

    async def _open(self) -> None:
        clock = system_clock()
        self._held: set[asyncio.StreamWriter] = set()
        self._server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        alerts = Alerts(telegram=Telegram(base_url=f"http://127.0.0.1:{port}", chat_id="-100"))
        self._bus = Bus(clock, run="run_bench", campaign="bench")
        self._store = SqliteStore.open(self._folder / "bench.db")
        self._reporting = _reporting(self._folder, self._bus, clock, self._store, alerts)
        self._beside = asyncio.create_task(self._reporting.run())
        self._bus.emit(ALERT)
        await asyncio.sleep(0.2)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._hanging:
            self._held.add(writer)  # And never a word: our own time limits end it.
            return
        await reader.readuntil(b"\r\n\r\n")
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    def block(self, calls: int) -> float:
        """Tell of some calls of eight events each; return the processor seconds that took."""
        began_s = time.process_time()
        self._runner.run(self._tell(calls))
        return time.process_time() - began_s

    async def _tell(self, calls: int) -> None:
        for _ in range(calls):
            for event in islice(self._events, 8):
                self._bus.emit(event)
            await asyncio.sleep(0)

    def waiting(self) -> int:
        """Count the alerts that Telegram has not taken."""
        return self._reporting.outbox.undelivered().get("telegram", 0)

    def close(self) -> None:
        """End the run."""
        self._runner.run(self._end())
        self._runner.close()
        self._store.close()

    async def _end(self) -> None:
        self._beside.cancel()
        self._server.close()
        for writer in self._held:
            writer.transport.abort()
        await asyncio.wait({self._beside})
        await self._reporting.close()


def on_the_wire(calls: int, pairs: int) -> None:
    """Compare blocks of calls that follow each other, one with a channel that hangs."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        wires = {
            False: Wire(Path(one), hanging=False),
            True: Wire(Path(other), hanging=True),
        }
        for wire in wires.values():
            wire.block(calls)
        spent = {hanging: list[float]() for hanging in wires}
        gc.collect()
        gc.disable()
        for turn in range(pairs):
            for hanging in _order(turn):
                spent[hanging].append(wires[hanging].block(calls))
        gc.enable()
        hung = wires[True].waiting()
        for wire in wires.values():
            wire.close()
    ratios = [quick / slow for quick, slow in zip(spent[False], spent[True], strict=True)]
    rate = calls / statistics.median(spent[False])
    print(
        f"c. on real sockets, {rate:.0f} calls a processor second of listeners, {hung} alert hangs:"
        f" {_told(ratios)}"
    )


# A worker on real sockets


def work(contacts: int, *, hanging: bool) -> Played:
    """Let a worker work through an outage over sockets, Telegram's among them."""
    with (
        telegram(hanging=hanging) as RealTelegram.base_url,
        patch("callagent_cli.reporting.wiring.MockChannel", RealTelegram),
    ):
        gc.collect()
        began_s = time.process_time()
        evidence = WireWorld(outage(contacts), 7, client=_dial, record=True).run()
        cpu_s = time.process_time() - began_s
    over_s = tuple(stamped.monotonic_s for stamped in evidence.events if _is_over(stamped.event))
    return Played(over_s, cpu_s)


def _dial(base_url: str) -> HttpxClient:
    return HttpxClient(base_url=base_url)


def beside_a_worker(contacts: int, pairs: int) -> None:
    """Compare whole runs that follow each other, one with a channel that hangs."""
    ratios, calls = [], 0
    for turn in range(pairs):
        played = {hanging: work(contacts, hanging=hanging) for hanging in _order(turn)}
        calls = len(played[True].over_s)
        ratios.append(played[False].cpu_s / played[True].cpu_s)
    print(f"d. a worker on real sockets, {calls} calls, by the processor second: {_told(ratios)}")


def _order(turn: int) -> tuple[bool, bool]:
    """Each goes first every other time, so that neither profits from its place."""
    return (False, True) if turn % 2 else (True, False)


def _told(ratios: list[float]) -> str:
    """Return the median of ratios as a change, with its 95 % interval."""
    changes = sorted((ratio - 1) * 100 for ratio in ratios)
    reach = math.ceil(0.98 * math.sqrt(len(changes)))
    middle = (len(changes) - 1) / 2
    low = changes[max(0, math.floor(middle - reach))]
    high = changes[min(len(changes) - 1, math.ceil(middle + reach))]
    return (
        f"{statistics.median(changes):+.2f} % (median of {len(changes)} pairs; 95 %:"
        f" {low:+.2f} to {high:+.2f} %)"
    )


# What events cost


def _reporting(
    folder: Path, bus: Bus, clock: Clock, store: SqliteStore, alerts: Alerts
) -> Reporting:
    return Reporting(
        Surroundings(
            clock=clock,
            bus=bus,
            settings=Settings(alerts=alerts),
            documents=store,
            folder=folder,
            redactor=Redactor(["sk_live_0123456789abcdefXYZ"]),
            screen=lambda _: None,
            real=True,
            doors=DOORS,
        )
    )


async def cost(events: int, *, down: bool, failing: bool) -> float:
    """Return CPU microseconds an event, threads included; `down` opens an incident before."""
    with tempfile.TemporaryDirectory() as name:
        clock = system_clock()
        bus = Bus(clock, run="run_bench", campaign="bench")
        store = SqliteStore.open(Path(name) / "bench.db")
        reporting = _reporting(Path(name), bus, clock, store, Alerts())
        chosen = list(islice(stream(failing=failing), events))
        if down:
            bus.emit(DOWN)
        began_s = time.process_time()
        for index, event in enumerate(chosen):
            bus.emit(event)
            if index % 1000 == 0:
                await asyncio.sleep(0)
        await reporting.close()
        store.close()
        return (time.process_time() - began_s) / events * 1e6


def costs(events: int) -> None:
    """Print what an event costs while nothing is broken, and in an outage."""
    cases = {
        "nothing is broken": (False, False),
        "an incident is open": (True, False),
        "every attempt fails in it": (True, True),
    }
    for words, (down, failing) in cases.items():
        found = sorted(asyncio.run(cost(events, down=down, failing=failing)) for _ in range(3))
        share = found[1] * RATE / 1e4
        print(
            f"1. {words}: {found[1]:.1f} µs an event ({found[0]:.1f} to {found[2]:.1f}):"
            f" {share:.1f} % of a core at {RATE}/s (the bar is 25 %)"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--contacts", type=int, default=400)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--blocks", type=int, default=100)
    parser.add_argument("--wired", type=int, default=100)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    costs(options.events)
    print("2. a channel that hangs for 60 s changes calls/s by (the bar is 2 %):")
    in_virtual_time(options.contacts, options.pairs)
    on_the_wire(1500, options.blocks)
    beside_a_worker(options.wired, options.runs)


if __name__ == "__main__":
    main()
