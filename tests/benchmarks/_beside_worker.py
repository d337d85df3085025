"""Measures a real worker with and without a screen; also the program that runs inside tmux."""

import asyncio
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "shared"))

from working_stage import Begun, begun

from callagent_cli.events import Stamped
from callagent_cli.monitor.app import MonitorApp
from callagent_cli.simulation.scenario.format import Scenario
from callagent_cli.simulation.scenario.loader import find_scenario, load_scenario

Where = Literal["nowhere", "headless", "terminal"]

LANES = 320
"""About 1,000 events a second: a call tells 19 of them in 6 seconds."""

SLEEP_S = 0.005
WARM_UP_S = 6.0
SIZE = (120, 40)


@dataclass(frozen=True, slots=True)
class Measured:
    """A worker for some seconds: events and share of a core, latenesses of a 5 ms sleep, losses."""

    events_s: float
    core: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    lost: int


def plan() -> Scenario:
    """Return healthy services and 320 calls at a time, each six seconds long."""
    replace = msgspec.structs.replace
    base = load_scenario(find_scenario("elevenlabs-503")).scenario
    quick = replace(base.services.elevenlabs, latency=0.02)
    return replace(
        base,
        timeline=[],
        campaign=replace(base.campaign, contacts=50_000, lanes=LANES),
        people=replace(base.people, ring=1.0, talk=3.0, processing=0.2),
        services=replace(base.services, elevenlabs=quick, llm=quick, crm=quick),
    )


@asynccontextmanager
async def shown(work: Begun, where: Where) -> AsyncIterator[None]:
    """Show the screen beside a worker, or nothing."""
    app = MonitorApp(work.state, work.commands, time.time)
    if where == "nowhere":
        yield
    elif where == "headless":
        async with app.run_test(size=SIZE):
            yield
    else:
        screen = asyncio.create_task(app.run_async())
        yield
        app.exit("closed")
        await screen


async def measure(where: Where, more_per_s: int, seconds: float) -> Measured:
    """Let a worker work beside a screen; `more_per_s` events come on top of its own."""
    from bench_monitor import stream  # noqa: PLC0415 — that file imports this one.

    told = 0

    def count(_stamped: Stamped) -> None:
        nonlocal told
        told += 1

    async with begun(plan(), count) as work, shown(work, where):
        await asyncio.sleep(WARM_UP_S)
        source, loop = stream(), asyncio.get_running_loop()
        before, begun_s, used_s = told, loop.time(), time.process_time()
        late_s: list[float] = []
        emitted = 0
        while (elapsed_s := loop.time() - begun_s) < seconds:
            due = int(elapsed_s * more_per_s)
            for event in islice(source, due - emitted):
                work.bus.emit(event)
            emitted = due
            wanted_s = loop.time() + SLEEP_S
            await asyncio.sleep(SLEEP_S)
            late_s.append(loop.time() - wanted_s)
        used_s = time.process_time() - used_s
        cuts = statistics.quantiles([late * 1000 for late in late_s], n=100)
        rate = (told - before) / seconds
        lost = told - work.state.events
    return Measured(rate, used_s / seconds * 100, cuts[49], cuts[94], cuts[98], lost)


def measured(where: Where, more_per_s: int, seconds: float) -> Measured | None:
    """Measure here, or for `terminal` in a tmux of its own; none when there is no tmux."""
    if where != "terminal":
        return asyncio.run(measure(where, more_per_s, seconds))
    if shutil.which("tmux") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer"
        command = [sys.executable, __file__, str(more_per_s), str(seconds), str(answer)]
        tmux = ["tmux", "-f", "/dev/null", "-L", f"bench-{time.monotonic_ns()}"]
        size = ["-x", str(SIZE[0]), "-y", str(SIZE[1])]
        subprocess.run([*tmux, "new-session", "-d", *size, *command], check=True)
        until_s = time.monotonic() + seconds + 60
        while not answer.exists() and time.monotonic() < until_s:
            time.sleep(0.2)
        subprocess.run([*tmux, "kill-server"], capture_output=True, check=False)
        return Measured(**json.loads(answer.read_text())) if answer.exists() else None


if __name__ == "__main__":
    more, for_s, path = sys.argv[1:]
    result = asyncio.run(measure("terminal", int(more), float(for_s)))
    written = Path(f"{path}.part")
    written.write_text(json.dumps(asdict(result)), encoding="utf-8")
    written.rename(path)
