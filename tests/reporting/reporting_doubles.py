"""What the tests of reporting share: documents in memory, a book on a leash, a loop that jumps."""

import asyncio
from collections.abc import Coroutine
from itertools import count
from random import Random
from typing import Any, Final, TypeVar

from memory_documents import MemoryDocuments

from callagent_cli.clock import Clock
from callagent_cli.errors import ServiceError
from callagent_cli.events import (
    AlertRaised,
    AttemptFinished,
    BreakerChanged,
    CallChanged,
    Event,
    Stamped,
)
from callagent_cli.reporting.alert import Alert
from callagent_cli.reporting.incidents import IncidentBook, Now
from callagent_cli.reporting.redaction import Redactor

EPOCH_S: Final = 1_767_603_600.0
KEY: Final = "sk_live_0123456789abcdefXYZ"
NUMBER: Final = "+12125550123"

ALERT: Final = Alert(
    id="INC-0001-01",
    message="msg_1",
    incident="INC-0001",
    kind="opened",
    severity="critical",
    service="elevenlabs",
    title="elevenlabs is down: 4 failures in a row (503)",
    body="What: elevenlabs answered 503 – überall",
    call="",
    raised_utc_s=EPOCH_S,
    run="run_1",
    campaign="contacts",
    status="open",
)

Result = TypeVar("Result")


class Drill:
    """A book whose time is set by hand; `told` is every alert so far."""

    def __init__(self, documents: MemoryDocuments | None = None, *, at_s: float = 0.0) -> None:
        self.documents = documents or MemoryDocuments()
        self.now_s = at_s
        self.told: list[AlertRaised] = []
        self.redactor = Redactor([KEY])
        self.restart()

    def restart(self, *, after_s: float = 0.0) -> None:
        """Forget everything but the documents, as a kill does; monotonic time starts anew."""
        self.now_s += after_s
        self._born_s = self.now_s
        self.book = IncidentBook(self.documents, redactor=self.redactor, now=self.instant())

    def instant(self) -> Now:
        """Return this moment on both clocks."""
        return Now(EPOCH_S + self.now_s, self.now_s - self._born_s)

    def at(self, now_s: float) -> "Drill":
        """Let time pass, telling everything that becomes due on the way."""
        while (due_s := self.book.due_s + self._born_s) <= now_s:
            self.now_s = max(self.now_s, due_s)
            self.told += self.book.tick(self.instant())
        self.now_s = now_s
        return self

    def see(self, *events: Event) -> "Drill":
        """Show events to the book at this moment."""
        for event in events:
            now = self.instant()
            self.told += self.book.observe(
                Stamped(now.utc_s, now.monotonic_s, 1, "run_1", "contacts", event)
            )
        return self

    def end_of_run(self) -> "Drill":
        """Tell what must be said at the end of a run."""
        self.told += self.book.end_of_run(self.instant())
        return self

    @property
    def kinds(self) -> list[str]:
        """The kinds of all alerts so far, in their order."""
        return [alert.kind for alert in self.told]


def failed_attempt(
    service: str = "elevenlabs",
    *,
    call: str = "call_1",
    outcome: str = "unavailable",
    **more: Any,  # noqa: ANN401 — fields of events.
) -> AttemptFinished:
    """Return an attempt that failed by a 503 unless told otherwise."""
    fields = {
        "operation": f"{service}.dial",
        "error_class": "ServiceUnavailable",
        "error_message": f"{service} answered 503",
        "http_status": 503,
        "duration_s": 0.1,
    }
    return AttemptFinished(service=service, call=call, outcome=outcome, **{**fields, **more})


def good_attempt(
    service: str = "elevenlabs",
    *,
    call: str = "call_1",
    **more: Any,  # noqa: ANN401 — as above.
) -> AttemptFinished:
    """Return an attempt that went well."""
    fields = {"operation": f"{service}.dial", "duration_s": 0.1}
    return AttemptFinished(service=service, call=call, outcome="ok", **{**fields, **more})


def breaker(old: Any, new: Any, service: str = "elevenlabs", **more: Any) -> BreakerChanged:  # noqa: ANN401 — as above.
    """Return a breaker's move as the guard reports it."""
    bad = new in {"open", "isolated"}
    fields: dict[str, Any] = {
        "reason": f"4 failures since the last success: {service} answered 503" if bad else "",
        "error_class": "ServiceUnavailable" if bad else "",
        "error_message": f"{service} answered 503" if bad else "",
        "outcome": "unavailable" if bad else "",
        "http_status": 503 if bad else None,
        "breaker_state": new,
    }
    return BreakerChanged(service=service, old=old, new=new, **{**fields, **more})


def failed_call(call: str = "call_1", **more: Any) -> CallChanged:  # noqa: ANN401 — as above.
    """Return a call that failed for good."""
    fields: dict[str, Any] = {
        "old": "active",
        "new": "failed",
        "step": "dial",
        "reason": "elevenlabs answered 503",
        "number": "…123",
    }
    return CallChanged(call=call, **{**fields, **more})


def alert(number: int = 1, **more: Any) -> AlertRaised:  # noqa: ANN401 — as above.
    """Return an alert of the first incident."""
    fields: dict[str, Any] = {
        "alert": f"INC-0001-{number:02d}",
        "incident": "INC-0001",
        "kind": "opened",
        "severity": "critical",
        "service": "elevenlabs",
        "title": f"title {number}",
        "body": f"body {number}",
    }
    return AlertRaised(**{**fields, **more})


class ScriptedChannel:
    """A channel that fails, hangs or takes what it gets, as `answers` says; at its end it takes."""

    def __init__(self, name: str = "telegram", answers: list[Any] | None = None) -> None:
        self.name = name
        self.answers = answers or []
        self.taken: list[Alert] = []
        self.tried_s: list[float] = []

    async def deliver(self, alert: Alert) -> None:
        """Do what the script says."""
        self.tried_s.append(asyncio.get_running_loop().time())
        answer = self.answers.pop(0) if self.answers else None
        if answer == "hang":
            await asyncio.Event().wait()
        if isinstance(answer, ServiceError | ValueError):
            raise answer
        self.taken.append(alert)

    async def close(self) -> None:
        """Nothing to release."""


class JumpingLoop(asyncio.SelectorEventLoop):
    """A loop that jumps to its next timer instead of waiting for it."""

    now_s = 0.0

    def time(self) -> float:
        """Return the seconds jumped over so far."""
        return self.now_s

    def _run_once(self) -> None:
        timers = [timer for timer in self._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
        if not self._ready and timers:  # type: ignore[attr-defined]
            self.now_s = max(self.now_s, min(timer.when() for timer in timers))
        super()._run_once()  # type: ignore[misc]


def run_jumping(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine without waiting for real time."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        return runner.run(work)


def loop_clock() -> Clock:
    """Return a clock that follows the running loop."""
    time = asyncio.get_running_loop().time
    return Clock(time, lambda: EPOCH_S + time(), Random(7))


def quick_clock() -> Clock:
    """Return a clock on which a day passes between two looks: no wait is ever too long."""
    days = count()

    def now_s() -> float:
        return next(days) * 86_400.0

    return Clock(now_s, lambda: EPOCH_S, Random(7))
