"""What the tests of `resilience/` share: a clock by hand, no chance, and a scripted service."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, Final, TypeVar

from callagent_cli.clock import EPOCH_OF_SIMULATIONS_S, Clock
from callagent_cli.errors import (
    AuthenticationFailed,
    CircuitOpen,
    InvalidPayload,
    OutcomeUnknown,
    QuotaExceeded,
    RateLimited,
    ServiceError,
    ServiceUnavailable,
)
from callagent_cli.events import BreakerChanged, Event
from callagent_cli.resilience.breaker import Breaker, Change, Owner, Permit
from callagent_cli.resilience.guard import Guard
from callagent_cli.resilience.outcome import Outcome
from callagent_cli.resilience.policy import BreakerPolicy, Policy, RetryPolicy
from callagent_cli.resilience.work import Operation, Work

T = TypeVar("T")
E = TypeVar("E", bound=Event)

DIAL: Final = Operation("voice.dial")
FOLLOW: Final = Operation("voice.follow")
EXACT: Final = Policy(retry=RetryPolicy(jitter="none"))


class HandClock:
    """A monotonic clock that moves when the test says so."""

    def __init__(self, now_s: float = 1_000.0) -> None:
        self.now_s = now_s

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now_s

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now_s += seconds


class NoChance(Random):
    """Draws the middle of every range, so that jittered times are their nominal values."""

    def uniform(self, a: float, b: float) -> float:
        """Return the middle."""
        return (a + b) / 2


def simulated_clock(seed: int) -> Clock:
    """Return a clock whose calendar follows the running loop, however fast that loop runs."""
    loop_time = asyncio.get_running_loop().time
    return Clock(loop_time, lambda: EPOCH_OF_SIMULATIONS_S + loop_time(), Random(seed))


class Bench:
    """One breaker on a clock moved by hand, and the changes it told of."""

    def __init__(self, policy: BreakerPolicy | None = None, random: Random | None = None) -> None:
        self.clock = HandClock()
        self.changes: list[Change] = []
        self.breaker = Breaker(
            "voice",
            policy or BreakerPolicy(),
            monotonic=self.clock,
            random=random or NoChance(),
            on_change=self.changes.append,
        )

    @property
    def state(self) -> str:
        """The breaker's state."""
        return self.breaker.state

    def fail(self, times: int = 1, operation: str = "voice.dial") -> None:
        """Let attempts be admitted and fail."""
        for _ in range(times):
            self.end(self.breaker.admit(), failed=True, operation=operation)

    def succeed(self, times: int = 1, operation: str = "voice.dial") -> None:
        """Let attempts be admitted and succeed."""
        for _ in range(times):
            self.end(self.breaker.admit(), failed=False, operation=operation)

    def end(
        self, permit: Permit, *, failed: bool, operation: str = "voice.dial", took_s: float = 0.1
    ) -> None:
        """End an attempt that was admitted with `permit`."""
        now_s = self.clock.now_s
        if failed:
            self.breaker.fail(permit, operation, took_s, now_s, reason="503")
        else:
            self.breaker.succeed(permit, operation, took_s, now_s)

    def open(self) -> "Bench":
        """Open the breaker by four failures."""
        self.fail(4)
        return self

    def half_open(self) -> "Bench":
        """Open the breaker and let its open time pass."""
        self.open()
        self.clock.advance(self.breaker.retry_after_s)
        assert self.breaker.poll()
        return self

    def isolated(self, owner: Owner) -> "Bench":
        """Isolate the breaker."""
        self.breaker.isolate(owner, "a reason")
        return self

    def refused(self) -> CircuitOpen:
        """Return the error that a request for a permit meets."""
        with caught(CircuitOpen) as errors:
            self.breaker.admit()
        error: CircuitOpen = errors[0]
        return error


class Service:
    """An attempt that answers from a script, then as `default` says, and notes when it was asked.

    An answer is a value, an error to raise, or a coroutine function to await.
    """

    def __init__(self, *answers: object, default: object = "fine") -> None:
        self.answers = list(answers)
        self.default = default
        self.asked_s: list[float] = []

    async def __call__(self) -> Any:  # noqa: ANN401 — a script may answer anything.
        """Answer the next request."""
        self.asked_s.append(now())
        answer = self.answers.pop(0) if self.answers else self.default
        if isinstance(answer, BaseException):
            raise answer
        return await answer() if callable(answer) else answer


class Stage:
    """A Guard in virtual time, with everything it told; to be made inside the running loop."""

    def __init__(
        self, policy: Policy = EXACT, *, seed: int = 1, clock: Clock | None = None
    ) -> None:
        self.clock = clock or simulated_clock(seed)
        self.told: list[tuple[float, Event]] = []
        self.guard = Guard("voice", policy, self.clock, emit=self.hear)
        self.breaker = self.guard.breaker

    @property
    def state(self) -> str:
        """The breaker's state."""
        return self.breaker.state

    def hear(self, event: Event) -> None:
        """Note an event and when it came."""
        self.told.append((now(), event))

    def events(self, kind: type[E]) -> list[E]:
        """Return the events of one kind."""
        return [event for _, event in self.told if isinstance(event, kind)]

    def moves(self) -> list[str]:
        """Return the states that the breaker went to, in order."""
        return [event.new for event in self.events(BreakerChanged)]

    def trip(self) -> None:
        """Open the breaker by failures of dialing, without the Guard's ladder."""
        while self.breaker.state == "closed":
            self.breaker.fail(self.breaker.admit(), "voice.dial", 0.1, now(), reason="503")

    async def fail(self, service: Service, times: int, operation: Operation = DIAL) -> None:
        """Let calls of one attempt each fail."""
        for _ in range(times):
            with caught(ServiceError, CircuitOpen):
                await self.guard.run(operation, service, Work(retries=False))


def now() -> float:
    """Return the running loop's time."""
    return asyncio.get_running_loop().time()


@contextmanager
def caught(*kinds: type[BaseException]) -> Iterator[list[Any]]:
    """Yield a list that holds the error the block raised; it must raise one of `kinds`."""
    errors: list[Any] = []
    try:
        yield errors
    except kinds as error:
        errors.append(error)
    else:
        message = f"raised none of {[kind.__name__ for kind in kinds]}"
        raise AssertionError(message)


async def settled(seconds: float = 0.0) -> None:
    """Let everything run that is ready, then let `seconds` of virtual time pass."""
    for _ in range(5):
        await asyncio.sleep(0)
    if seconds:
        await asyncio.sleep(seconds)


async def cancelled(task: asyncio.Task[Any]) -> bool:
    """Cancel a task and return whether it ended as cancelled."""
    task.cancel()
    await asyncio.wait({task})
    return task.cancelled()


def start(make: Callable[[], Awaitable[T]]) -> "asyncio.Task[T]":
    """Start what `make` returns as a task of its own."""

    async def run() -> T:
        return await make()

    return asyncio.create_task(run())


async def for_ever() -> None:
    """Never return."""
    await asyncio.get_running_loop().create_future()


def down(retry_after_s: float | None = None) -> ServiceUnavailable:
    """Return a 503."""
    return ServiceUnavailable("503", status=503, retry_after_s=retry_after_s)


def throttled(retry_after_s: float | None = None) -> RateLimited:
    """Return a 429 of the provider's rate limit."""
    return RateLimited("429", status=429, retry_after_s=retry_after_s)


def busy_here() -> RateLimited:
    """Return a 429 of our own limit."""
    return RateLimited("too many at once", outcome=Outcome.BUSY_HERE, status=429)


def refused(code: str = "bad_number") -> InvalidPayload:
    """Return a 422 of this contact."""
    return InvalidPayload("422", status=422, code=code)


def no_credit() -> QuotaExceeded:
    """Return a 402."""
    return QuotaExceeded("402", status=402)


def wrong_key() -> AuthenticationFailed:
    """Return a 401."""
    return AuthenticationFailed("401", status=401)


def lost() -> OutcomeUnknown:
    """Return the loss of a dial's answer."""
    return OutcomeUnknown("no answer")
