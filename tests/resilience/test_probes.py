"""The correctness probes that breakers and retries were compared by, judged from the service.

Each probe found its failure in the field: in most of sixteen Python libraries, and several in
resilience4j, Polly, failsafe-go, Hystrix and opossum. The names are those of the comparison; what
it found about retries is in `test_retry_probes.py`.
"""

import asyncio
import gc
import tracemalloc

import pytest
from probe_stage import Line, begun_before_an_outage, call, ended, window_ends
from resilience_doubles import (
    DIAL,
    Service,
    Stage,
    cancelled,
    caught,
    down,
    for_ever,
    now,
    refused,
    settled,
    simulated_clock,
    start,
)

from callagent_cli.clock import Clock
from callagent_cli.errors import CircuitOpen, InvalidPayload
from callagent_cli.events import Bus, Stamped
from callagent_cli.resilience.guard import Guard
from callagent_cli.resilience.policy import BreakerPolicy, Policy
from callagent_cli.resilience.work import Work
from callagent_cli.simulation.virtual.run import run_virtual

ONCE = Work(retries=False)


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize("slots", [16, 100])
def test_herd(*, up: bool, slots: int) -> None:
    """Of 50 callers at the instant the window ends exactly one reaches the service."""

    async def main() -> None:
        stage = Stage(Policy(slots=slots))
        await stage.fail(Service(default=down()), 4)
        service = Service()

        async def answer() -> str:
            await asyncio.sleep(0.2)
            if not up:
                raise down()
            return "fine"

        service.default = answer
        at_s = now() + stage.breaker.retry_after_s

        async def caller() -> str:
            await asyncio.sleep(at_s - now())
            return str(await stage.guard.run(DIAL, service, Work()))

        results = await ended(*(start(caller) for _ in range(50)))

        assert len(service.asked_s) == 1
        assert sum(isinstance(result, CircuitOpen) for result in results) == (49 if up else 50)
        assert stage.state == ("half_open" if up else "open")

    run_virtual(main())


def test_herd_after_the_close() -> None:
    """The callers behind the recovery go one by one, not all at once."""

    async def main() -> None:
        stage = Stage(Policy(slots=16))
        await stage.fail(Service(default=down()), 4)
        await window_ends(stage)
        for _ in range(2):
            await stage.guard.run(DIAL, Service(), Work())
        in_flight, highest = 0, 0

        async def answer() -> None:
            nonlocal in_flight, highest
            in_flight += 1
            highest = max(highest, in_flight)
            await asyncio.sleep(0.5)
            in_flight -= 1

        await asyncio.gather(*(stage.guard.run(DIAL, answer, Work()) for _ in range(6)))
        assert highest == 1

    run_virtual(main())


def test_cancel_probe() -> None:
    """A cancelled trial is delivered as cancelled, and is not stuck, not closed, not counted."""

    async def main() -> None:
        stage = Stage(Policy(breaker=BreakerPolicy(successes_to_close=1)))
        await stage.fail(Service(default=down()), 4)
        await window_ends(stage)
        for _ in range(10):
            trial = call(stage, Service(for_ever))
            await settled()
            assert await cancelled(trial)
            assert stage.state == "half_open"
        assert await call(stage, Service()) == "fine"
        assert stage.state == "closed"

    run_virtual(main())


def test_cancel_closed() -> None:
    """Cancelled calls of a closed breaker are delivered as cancelled and count for nothing."""

    async def main() -> None:
        stage = Stage()
        await stage.fail(Service(default=down()), 3)
        tasks = [call(stage, Service(for_ever)) for _ in range(3)]
        await settled()
        assert all([await cancelled(task) for task in tasks])
        assert stage.state == "closed"
        assert stage.guard.slots.in_flight == 0

    run_virtual(main())


@pytest.mark.parametrize("ok", [True, False])
def test_late_result_while_open(*, ok: bool) -> None:
    """A call begun before the outage ends in it: no close, and no longer open time."""

    async def main() -> None:
        stage, line = await begun_before_an_outage(5)
        until_s = now() + stage.breaker.retry_after_s
        await asyncio.sleep(10)
        for index in range(5):
            await line.answer(index, ok=ok)
        assert stage.state == "open"
        assert now() + stage.breaker.retry_after_s == pytest.approx(until_s)
        assert stage.moves() == ["open"]

    run_virtual(main())


def test_late_ok_while_half_open() -> None:
    """A stale success does not close the breaker while the real trial is failing."""

    async def main() -> None:
        stage, line = await begun_before_an_outage(5)
        await window_ends(stage)
        trial = call(stage, line)
        await settled()
        for index in range(5):
            await line.answer(index, ok=True)
        assert stage.state == "half_open"
        service = Service()
        assert {type(end) for end in await ended(*(call(stage, service) for _ in range(20)))} == {
            CircuitOpen
        }
        assert service.asked_s == []
        await line.answer(5, ok=False)
        await ended(trial)
        assert stage.moves() == ["open", "half_open", "open"]

    run_virtual(main())


def test_late_fail_while_half_open() -> None:
    """A stale failure does not override a good trial, nor mint another permit."""

    async def main() -> None:
        stage, line = await begun_before_an_outage(
            5, Policy(breaker=BreakerPolicy(successes_to_close=1))
        )
        await window_ends(stage)
        trial = call(stage, line)
        await settled()
        for index in range(5):
            await line.answer(index, ok=False)
        assert stage.state == "half_open"
        assert not stage.breaker.trial_is_free
        await line.answer(5, ok=True)
        assert await trial == "fine"
        assert stage.state == "closed"

    run_virtual(main())


def test_late_fail_in_a_new_era() -> None:
    """Failures of calls begun before the outage do not open the breaker that has recovered."""

    async def main() -> None:
        stage, line = await begun_before_an_outage(10)
        await window_ends(stage)
        for _ in range(2):
            await stage.guard.run(DIAL, Service(), Work())
        assert stage.state == "closed"
        for index in range(10):
            await line.answer(index, ok=False)
        assert stage.moves() == ["open", "half_open", "closed"]

    run_virtual(main())


def test_stale_probe() -> None:
    """A trial of the first round that succeeds in the second is no trial of the second."""

    async def main() -> None:
        stage, line = Stage(Policy(breaker=BreakerPolicy(trials=2))), Line()
        await stage.fail(Service(default=down()), 4)
        await window_ends(stage)
        call(stage, line)
        await settled()
        await stage.fail(Service(down()), 1)
        await window_ends(stage)
        trials = [call(stage, line) for _ in range(4)]
        await settled()
        assert len(line.pending) == 3
        await line.answer(0, ok=True)
        assert stage.state == "half_open"
        assert not stage.breaker.trial_is_free
        await line.answer(1, ok=True)
        assert stage.state == "half_open"
        await line.answer(2, ok=True)
        assert stage.state == "closed"
        await ended(*trials)

    run_virtual(main())


def test_hung_probe() -> None:
    """A trial that never returns wedges nobody: its lease ends, and the next trial goes out."""

    async def main() -> None:
        stage, line = Stage(), Line()
        await stage.fail(Service(default=down()), 4)
        await window_ends(stage)
        hung = call(stage, line)
        await asyncio.sleep(34.9)
        assert {type(end) for end in await ended(call(stage, line))} == {CircuitOpen}
        await asyncio.sleep(0.2)
        for _ in range(2):
            assert await call(stage, Service()) == "fine"
        assert stage.state == "closed"
        await line.answer(0, ok=False)
        assert stage.state == "closed"
        await ended(hung)

    run_virtual(main())


def test_excluded() -> None:
    """An outcome that is no evidence does not wedge a half-open breaker."""

    async def main() -> None:
        stage = Stage()
        await stage.fail(Service(default=down()), 4)
        await window_ends(stage)
        for _ in range(3):
            with caught(InvalidPayload):
                await stage.guard.run(DIAL, Service(refused()), Work())
            assert stage.state == "half_open"
        for _ in range(2):
            await stage.guard.run(DIAL, Service(), Work())
        assert stage.state == "closed"

    run_virtual(main())


@pytest.mark.parametrize("step_s", [-3_600.0, 3_600.0])
def test_clock_steps(step_s: float) -> None:
    """The wall clock steps by an hour during an outage and during a wait: nothing changes."""

    async def main() -> None:
        utc_s = [1_767_600_000.0]
        plain = simulated_clock(1)
        clock = Clock(plain.monotonic, lambda: utc_s[0] + now(), plain.random)
        stage = Stage(clock=clock)
        await stage.fail(Service(default=down()), 4)
        until_s = now() + stage.breaker.retry_after_s
        await asyncio.sleep(5)
        utc_s[0] += step_s
        assert now() + stage.breaker.retry_after_s == pytest.approx(until_s)
        assert {type(end) for end in await ended(call(stage, Service()))} == {CircuitOpen}
        await window_ends(stage)
        assert await call(stage, Service()) == "fine"
        stage.breaker.reset("by hand")
        service = Service(down())
        task = start(lambda: stage.guard.run(DIAL, service, Work()))
        await settled()
        utc_s[0] -= step_s
        await task
        assert service.asked_s[1] - service.asked_s[0] == pytest.approx(5.0)

    run_virtual(main())


def test_listener() -> None:
    """A listener that raises on every event touches neither the calls nor the breaker."""

    async def main() -> None:
        clock = simulated_clock(1)
        bus = Bus(clock)
        heard: list[Stamped] = []

        def broken(_: Stamped) -> None:
            raise ZeroDivisionError

        bus.listen(broken)
        bus.listen(heard.append)
        guard = Guard("voice", Policy(), clock, emit=bus.emit)
        assert await guard.run(DIAL, Service(down()), Work()) == "fine"
        for _ in range(4):
            with caught(Exception):
                await guard.run(DIAL, Service(down()), ONCE)
        assert str(guard.breaker.state) == "open"
        with caught(CircuitOpen):
            await guard.run(DIAL, Service(), Work())
        await asyncio.sleep(guard.breaker.retry_after_s)
        for _ in range(2):
            await guard.run(DIAL, Service(), Work())
        assert str(guard.breaker.state) == "closed"
        assert len(heard) > 10

    run_virtual(main())


def test_reject_leak() -> None:
    """20,000 rejections leave no memory behind, and each is an error of its own."""

    async def main() -> None:
        stage = Stage()
        stage.trip()
        last: CircuitOpen | None = None

        async def reject() -> CircuitOpen:
            with caught(CircuitOpen) as errors:
                await stage.guard.run(DIAL, Service(), ONCE)
            error: CircuitOpen = errors[0]
            return error

        for _ in range(100):
            await reject()
        gc.collect()
        tracemalloc.start()
        before, _ = tracemalloc.get_traced_memory()
        for _ in range(20_000):
            error = await reject()
            assert error is not last
            last = error
        last = error = None  # type: ignore[assignment]
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert after - before < 10_000
        assert stage.breaker._trials == []

    run_virtual(main())


def test_a_rejections_traceback_does_not_grow() -> None:
    """The thousandth rejection has as many frames as the first."""

    async def main() -> set[int]:
        stage = Stage()
        stage.trip()
        depths = set()
        for _ in range(1_000):
            try:
                await stage.guard.run(DIAL, Service(), ONCE)
            except CircuitOpen as error:
                frames, trace = 0, error.__traceback__
                while trace is not None:
                    frames, trace = frames + 1, trace.tb_next
                depths.add(frames)
        return depths

    assert len(run_virtual(main())) <= 2  # The first one still asks when to come again.
