"""Alerts wait in the store until each channel took them: observed and delivered are two facts."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Final

import msgspec

from callagent_cli.clock import Clock
from callagent_cli.errors import (
    InvalidPayload,
    PermanentError,
    ServiceError,
    ServiceTimeout,
    ServiceUnavailable,
)
from callagent_cli.events import AlertDelivered, AlertRaised, Event, Stamped
from callagent_cli.reporting.alert import Alert, AlertStatus, Channel, alert_of, digest
from callagent_cli.reporting.incidents import Documents
from callagent_cli.reporting.incidents.incident import is_open
from callagent_cli.reporting.redaction import Redactor

KIND: Final = "alert"
"""The kind under which alerts are kept as documents."""

DELIVERY_TIMEOUT_S: Final = 30.0
FIRST_DELAY_S: Final = 5.0
DELAY_CAP_S: Final = 300.0
HOURLY_MAX: Final = 10
"""Messages a channel gets in an hour; what comes beyond that is sent together, as a digest."""

BROKEN_AFTER: Final = 3
"""Failures in a row after which the other channels hear that this one is broken."""

_HOUR_S: Final = 3600.0
_NEVER: Final = float("inf")
_GONE: Final = 410


class Delivery(msgspec.Struct, kw_only=True):
    """How far one alert got on one channel."""

    delivered_utc_s: float | None = None
    attempts: int = 0
    error: str = ""
    given_up: bool = False

    @property
    def settled(self) -> bool:
        """Whether nothing more will be tried."""
        return self.given_up or self.delivered_utc_s is not None


class Row(msgspec.Struct, kw_only=True):
    """An alert and its deliveries by channel, as the store keeps them."""

    alert: Alert
    deliveries: dict[str, Delivery]


class _Queue:
    """What one channel has still to deliver, and when it may try."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.rows: list[Row] = []
        self.sent_s: deque[float] = deque(maxlen=HOURLY_MAX)
        self.failures = 0
        self.not_before_s = 0.0
        self.asked_s = 0.0
        self.gone = False
        self.told_broken = False
        self.known_to_work = False
        self.wake = asyncio.Event()
        self.turn = asyncio.Lock()

    def full(self, now_s: float) -> bool:
        """Tell whether the hour's messages are used up."""
        return len(self.sent_s) == HOURLY_MAX and now_s - self.sent_s[0] < _HOUR_S

    def due_s(self, now_s: float) -> float:
        """Return when the next message may go out; infinity when there is none."""
        if not self.rows or self.gone:
            return _NEVER
        free_s = self.sent_s[0] + _HOUR_S if self.full(now_s) else 0.0
        return max(self.not_before_s, free_s)

    def batch(self, now_s: float) -> list[Row]:
        """Return what goes out together: all that piled up, or else the oldest alone."""
        hour_is_up = len(self.sent_s) == HOURLY_MAX and now_s - self.sent_s[0] < 2 * _HOUR_S
        piled_up = self.failures > 0 or hour_is_up
        return self.rows[:] if piled_up else self.rows[:1]


class Outbox:
    """Delivers alerts on each channel at its own pace; a channel that hangs holds up no other.

    `on_broken(channel, error)` is called once when a channel stops working, `on_works(channel)`
    when it delivers for the first time and after it was broken.
    """

    def __init__(
        self,
        documents: Documents,
        channels: Sequence[Channel],
        *,
        clock: Clock,
        redactor: Redactor,
        emit: Callable[[Event], None],
        on_broken: Callable[[str, str], None],
        on_works: Callable[[str], None],
    ) -> None:
        self._documents = documents
        self._clock = clock
        self._redactor = redactor
        self._emit = emit
        self._on_broken = on_broken
        self._on_works = on_works
        self._queues = {channel.name: _Queue(channel) for channel in channels}
        self._load()

    def __call__(self, stamped: Stamped) -> None:
        """Listen to the bus: keep each alert, and wake the channels."""
        event = stamped.event
        if not isinstance(event, AlertRaised):
            return
        # A channel is not told by itself that it is broken.
        names = [name for name in self._queues if event.service != f"alerts.{name}"]
        over = event.kind == "resolved" or not is_open(self._documents, event.incident)
        status: AlertStatus = "resolved" if over else "open"
        alert = alert_of(stamped, event, self._redactor, status=status)
        row = Row(alert=alert, deliveries={name: Delivery() for name in names})
        self._keep(row)
        self._enqueue(row)

    @property
    def channels(self) -> list[str]:
        """The names of the channels; each is to be served by a task of its own."""
        return list(self._queues)

    async def serve(self, channel: str) -> None:
        """Deliver on one channel until cancelled."""
        queue = self._queues[channel]
        while True:
            now_s = self._clock.monotonic()
            due_s = queue.due_s(now_s)
            if due_s <= now_s:
                await self._deliver(queue)
                continue
            queue.wake.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if due_s == _NEVER else due_s - now_s):
                    await queue.wake.wait()

    async def flush(self, timeout_s: float) -> int:
        """Try what waits once more, for at most `timeout_s`; return how many alerts still wait."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s), asyncio.TaskGroup() as tasks:
                for queue in self._queues.values():
                    tasks.create_task(self._empty(queue))
        return len({row.alert.id for queue in self._queues.values() for row in queue.rows})

    def undelivered(self) -> dict[str, int]:
        """Return how many alerts wait, by channel; channels with none are left out."""
        return {name: len(queue.rows) for name, queue in self._queues.items() if queue.rows}

    # Keeping

    def _load(self) -> None:
        utc_s, monotonic_s = self._clock.utc(), self._clock.monotonic()
        sent: set[tuple[str, float]] = set()
        for _, body in self._documents.documents(KIND):
            row = msgspec.json.decode(body, type=Row)
            self._enqueue(row)
            sent |= {
                (name, delivery.delivered_utc_s)
                for name, delivery in row.deliveries.items()
                if delivery.delivered_utc_s is not None and name in self._queues
            }
        for name, sent_utc_s in sorted(sent, key=lambda entry: entry[1]):
            ago_s = max(0.0, utc_s - sent_utc_s)
            self._queues[name].sent_s.append(monotonic_s - ago_s)

    def _enqueue(self, row: Row) -> None:
        for name, delivery in row.deliveries.items():
            queue = self._queues.get(name)
            if queue is not None and not delivery.settled:
                queue.rows.append(row)
                queue.wake.set()

    def _keep(self, row: Row) -> None:
        waits = any(
            not delivery.settled and name in self._queues
            for name, delivery in row.deliveries.items()
        )
        self._documents.put(KIND, row.alert.id, msgspec.json.encode(row), open_=waits)

    # Delivering

    async def _empty(self, queue: _Queue) -> None:
        """Deliver what waits now, its back-off cut short; a wait the receiver asked for is kept."""
        while queue.rows and not queue.gone:
            wait_s = queue.asked_s - self._clock.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            if not await self._deliver(queue):
                return

    async def _deliver(self, queue: _Queue) -> bool:
        """Try one message; return whether the channel took it."""
        async with queue.turn:
            rows = queue.batch(self._clock.monotonic())
            if not rows:
                return True
            alert = rows[0].alert if len(rows) == 1 else digest([row.alert for row in rows])
            error = await _outcome(queue.channel.deliver(alert))
            if error is not None:
                return self._failed(queue, rows, error)
            self._delivered(queue, rows)
            return True

    def _delivered(self, queue: _Queue, rows: list[Row]) -> None:
        name, utc_s = queue.channel.name, self._clock.utc()
        queue.sent_s.append(self._clock.monotonic())
        queue.failures, queue.not_before_s = 0, 0.0
        for row in rows:
            delivery = row.deliveries[name]
            delivery.attempts += 1
            delivery.delivered_utc_s = utc_s
        self._settle(queue, rows)
        for row in rows:
            self._emit(AlertDelivered(alert=row.alert.id, channel=name, delivered=True))
        if not queue.known_to_work or queue.told_broken:
            queue.known_to_work, queue.told_broken = True, False
            self._on_works(name)

    def _failed(self, queue: _Queue, rows: list[Row], error: ServiceError) -> bool:
        """Note a failure; return whether the next message may be tried all the same."""
        name, message = queue.channel.name, self._redactor.text(error.message)
        unusable = isinstance(error, InvalidPayload)
        for row in rows:
            delivery = row.deliveries[name]
            delivery.attempts += 1
            delivery.error, delivery.given_up = message, unusable
        self._settle(queue, rows)
        for row in rows:
            failed = AlertDelivered(
                alert=row.alert.id, channel=name, delivered=False, error_message=message
            )
            self._emit(failed)
        if not unusable:
            self._back_off(queue, error)
        permanent = isinstance(error, PermanentError)
        if (permanent or queue.failures >= BROKEN_AFTER) and not queue.told_broken:
            queue.told_broken = True
            self._on_broken(name, message)
        return unusable

    def _back_off(self, queue: _Queue, error: ServiceError) -> None:
        now_s = self._clock.monotonic()
        asked_s = error.retry_after_s or 0.0
        delay_s = min(FIRST_DELAY_S * 2.0 ** min(queue.failures, 10), DELAY_CAP_S)
        queue.failures += 1
        queue.gone = error.status == _GONE
        queue.asked_s = now_s + asked_s
        queue.not_before_s = now_s + max(delay_s, asked_s)

    def _settle(self, queue: _Queue, rows: list[Row]) -> None:
        for row in rows:
            self._keep(row)
        name = queue.channel.name
        queue.rows = [row for row in queue.rows if not row.deliveries[name].settled]


async def _outcome(delivery: Coroutine[None, None, None]) -> ServiceError | None:
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
    if error is None or isinstance(error, ServiceError):
        return error
    return ServiceUnavailable(f"{type(error).__name__}: {error}")
