"""What one channel has still to deliver, and when it may try."""

import asyncio
from collections import deque
from collections.abc import Coroutine
from typing import Final

from callagent_cli.clock import Clock
from callagent_cli.errors import (
    CircuitOpen,
    Deferred,
    ServiceError,
    ServiceTimeout,
    ServiceUnavailable,
)
from callagent_cli.reporting.alert import Channel, PutOff
from callagent_cli.reporting.delivery import POLICY, PUT_OFF_S, Row, delivery_guard
from callagent_cli.reporting.receivers import Sending, ahead, alike, answered, turn
from callagent_cli.resilience.work import Operation

HOURLY_MAX: Final = 10
"""Messages a channel gets in an hour; what comes beyond that is sent together, as a digest."""

KEPT_MESSAGES: Final = 4
"""How many of these are kept for what begins and what ends: updates never use up all."""

DELIVERY_TIMEOUT_S: Final = 30.0

LEAST_WAIT_S: Final = POLICY.retry.initial_delay_s
"""A shorter wait that a receiver asks for counts as none: the channel's own back-off holds."""

MENDED_S: Final = 900.0
"""A channel that only a person can mend is tried again this often: somebody may have done so."""

_MACHINES: Final = frozenset({"pagerduty", "webhook"})
"""Channels that a program reads: each message is about one incident, so that each one ends."""

_BY_ID: Final = frozenset({"webhook"})
"""Channels whose receiver knows a repetition by its id only: it must hold what it held before."""

_FOR_ALL: Final = HOURLY_MAX - KEPT_MESSAGES
_HOUR_S: Final = 3600.0
_NEVER: Final = float("inf")


class Queue:
    """The rows of one channel behind its Guard; the oldest goes out first."""

    def __init__(self, channel: Channel, clock: Clock) -> None:
        self.channel = channel
        self.guard = delivery_guard(f"alerts.{channel.name}", clock)
        self.operation = Operation(f"alerts.{channel.name}", lease_s=DELIVERY_TIMEOUT_S)
        self.rows: list[Row] = []
        self.sent_s: deque[float] = deque(maxlen=HOURLY_MAX)
        self.failures = 0
        self.put_offs = 0
        self.not_before_s = 0.0
        self.put_off_until_s = 0.0
        self.gone = False
        self.wake = asyncio.Event()

    @property
    def due_s(self) -> float:
        """When the next message may go out, by the monotonic clock; infinity without one."""
        if not self.rows or self.gone:
            return _NEVER
        due_s = max(self.room_s, self.put_off_until_s)
        held_by_nobody = self._held_by_nobody()
        if held_by_nobody:
            due_s = min(due_s, self._room_for(held_by_nobody))
        return max(self.not_before_s, due_s)

    def put_off(self, rows: list[Row], error: PutOff, now_s: float) -> None:
        """Let some receivers of a batch wait, and nobody else; longer each time."""
        tried = max(row.deliveries[self.channel.name].attempts for row in rows)
        pause_s = PUT_OFF_S[min(tried, len(PUT_OFF_S)) - 1]
        self.put_off_until_s = now_s + max(pause_s, error.retry_after_s or 0.0)
        self.failures, self.put_offs = 0, self.put_offs + 1

    def reached_all(self, now_s: float) -> None:
        """Note that all receivers took a message."""
        self.sent_s.append(now_s)
        self.failures, self.put_offs, self.put_off_until_s = 0, 0, 0.0

    @property
    def room_s(self) -> float:
        """When the hour has room for the next message, by the monotonic clock."""
        return self._room_for(self.rows)

    def batch(self, now_s: float) -> list[Row]:
        """Return what goes out together: all that piled up, or else the oldest alone.

        What a webhook may have taken already is repeated as it was. Nothing when another task has
        sent it meanwhile, or has used up the room in the hour.
        """
        rows, name = self._next(now_s), self.channel.name
        message = next((tried for row in rows if (tried := row.deliveries[name].message)), "")
        if message:
            return [row for row in self.rows if row.deliveries[name].message == message]
        return rows

    def bind(self, rows: list[Row], message: str) -> bool:
        """Note what a webhook gets together, for it goes by the id; tell whether that is news."""
        name = self.channel.name
        if name not in _BY_ID or rows[0].deliveries[name].message == message:
            return False
        for row in rows:
            row.deliveries[name].message = message
        return True

    def sending(self, rows: list[Row]) -> Sending:
        """Return a batch on its way; it is for the receivers that lack it."""
        return Sending(self.channel, rows, ahead(self.rows, rows, self.channel.name))

    def _next(self, now_s: float) -> list[Row]:
        """Choose from what waits.

        What is silent goes alone, for in a digest it would hide that there is an alert.
        """
        rows, name = self._may_go(now_s), self.channel.name
        if not rows or self._room_for(rows) > now_s:
            return []
        if self._used_up_s(_FOR_ALL) > now_s and not self._was_used_up(HOURLY_MAX, now_s):
            return self._told_first(rows)
        rows = alike(rows, turn(rows, name), name)
        first = rows[0]
        if first.silent or not self._piled_up(now_s):
            return [first]
        rows = [row for row in rows if not row.silent]
        if name not in _MACHINES:
            return rows
        return [row for row in rows if row.alert.incident == first.alert.incident]

    def _may_go(self, now_s: float) -> list[Row]:
        """Return what may go out: as long as receivers are put off, only what nobody has yet."""
        return self.rows if now_s >= self.put_off_until_s else self._held_by_nobody()

    def _held_by_nobody(self) -> list[Row]:
        return [row for row in self.rows if not answered(row, self.channel.name)]

    def _told_first(self, rows: list[Row]) -> list[Row]:
        """Return what begins or ends, after all that was said of its incident before."""
        name = self.channel.name
        last = turn([row for row in rows if _begins_or_ends(row)] or rows[:1], name)
        if last.silent:
            return [last]
        before = alike(rows[: rows.index(last)], last, name)
        of_it = [row for row in before if row.alert.incident == last.alert.incident]
        return [*(row for row in of_it if not row.silent), last]

    def _room_for(self, rows: list[Row]) -> float:
        """Return when the hour has room for one of these."""
        ends = any(_begins_or_ends(row) for row in rows)
        return self._used_up_s(HOURLY_MAX if ends else _FOR_ALL)

    def _used_up_s(self, messages: int) -> float:
        """Return until when the hour's messages are used up; zero when there is room."""
        return self.sent_s[-messages] + _HOUR_S if len(self.sent_s) >= messages else 0.0

    def _was_used_up(self, messages: int, now_s: float) -> bool:
        """Tell whether the hour's messages are used up, or were within this last hour."""
        return len(self.sent_s) >= messages and self._used_up_s(messages) + _HOUR_S > now_s

    def _piled_up(self, now_s: float) -> bool:
        """Tell whether to send a digest."""
        if self._was_used_up(_FOR_ALL, now_s):
            return True
        return self.failures + self.put_offs > 0 and self.channel.name not in _BY_ID

    def drop_settled(self) -> None:
        """Let go of the rows of which nothing more will be tried."""
        name = self.channel.name
        self.rows = [row for row in self.rows if not row.deliveries[name].settled]

    def rest_s(self, error: ServiceError | CircuitOpen | Deferred) -> float:
        """Return how long to leave the channel alone after its Guard gave up."""
        breaker = self.guard.breaker
        if breaker.state == "isolated":
            return MENDED_S
        if isinstance(error, Deferred):
            return error.delay_s
        return breaker.retry_after_s


def _begins_or_ends(row: Row) -> bool:
    return row.alert.kind == "opened" or row.alert.status != "open"


async def outcome_of(delivery: Coroutine[None, None, None]) -> ServiceError | None:
    """Return what a delivery failed with, whatever that was; a task of its own contains it."""
    task = asyncio.create_task(delivery)
    try:
        await asyncio.wait({task}, timeout=DELIVERY_TIMEOUT_S)
    finally:
        in_time = task.done()
        task.cancel()
    if not in_time:
        return ServiceTimeout(f"no answer within {DELIVERY_TIMEOUT_S:g} s")
    if task.cancelled():
        return ServiceUnavailable("the delivery was cancelled")
    error = task.exception()
    if isinstance(error, ServiceError) and (error.retry_after_s or 0.0) < LEAST_WAIT_S:
        error.retry_after_s = None  # "At once" is no wait: the back-off grows as without it.
    if error is None or isinstance(error, ServiceError):
        return error
    return ServiceUnavailable(f"{type(error).__name__}: {error}")
