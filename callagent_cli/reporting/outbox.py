"""Alerts wait in the store until each channel took them: observed and delivered are two facts."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

import msgspec

from callagent_cli.clock import Clock, utc_text
from callagent_cli.errors import (
    CircuitOpen,
    Deferred,
    InvalidPayload,
    ServiceError,
)
from callagent_cli.events import AlertDelivered, AlertRaised, CommandObeyed, Event, Stamped
from callagent_cli.reporting.acknowledgement import ACKNOWLEDGING, acknowledgement, endings
from callagent_cli.reporting.acknowledgement import KIND as ACKNOWLEDGEMENT
from callagent_cli.reporting.acknowledgement import keep as keep_acknowledgement
from callagent_cli.reporting.alert import (
    AlertStatus,
    Channel,
    PutOff,
    alert_of,
    digest,
    thread_of,
)
from callagent_cli.reporting.channel_news import ChannelNews, say_nothing
from callagent_cli.reporting.channels.mock import MockChannel
from callagent_cli.reporting.delivery import Delivery, Row
from callagent_cli.reporting.incidents import Documents
from callagent_cli.reporting.incidents.incident import is_open, load, named_by
from callagent_cli.reporting.incidents.mutes import Mutes, mute_of
from callagent_cli.reporting.queue import Queue, outcome_of
from callagent_cli.reporting.redaction import Redactor
from callagent_cli.resilience.work import Work

KIND: Final = "alert"
"""The kind under which alerts are kept as documents."""

NOT_SET: Final = "given up: the channel is not set any more"
"""Why an alert is not tried any more that waited for a channel which the settings name no more."""

_NEVER: Final = float("inf")
_GONE: Final = 410


class Outbox:
    """Delivers alerts on each channel at its own pace; a channel that hangs holds up no other.

    Each channel has a Guard: it retries with growing waits, keeps the waits a receiver asks for,
    and leaves a broken channel alone for a while. `on_broken(channel, error)` is called once when
    a channel stops working, `on_works(channel)` when it delivers for the first time and after it
    was broken, `on_learned(channel, advice)` when it learned what a setting should say. With a
    `service` only what is told of that service is taken over from the store: the rest belongs to a
    worker that still lives.
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
        on_learned: Callable[[str, str], None] = say_nothing,
        service: str = "",
    ) -> None:
        self._documents = documents
        self._service = service
        self._clock = clock
        self._redactor = redactor
        self._emit = emit
        self._news = ChannelNews(
            documents,
            on_broken=lambda channel, error: on_broken(channel, redactor.text(error)),
            on_works=on_works,
            on_learned=on_learned,
        )
        self._mutes = Mutes(documents)
        self._queues = {channel.name: Queue(channel, clock) for channel in channels}
        self._told: dict[str, set[str]] = {}
        self._threads: dict[str, str] = {}
        self._leases: dict[str, asyncio.TimerHandle] = {}
        self._leased_until_utc_s = 0.0
        self._orphans: list[tuple[Row, str]] = []
        self._news.recall(channels)
        self._load()

    def __call__(self, stamped: Stamped) -> None:
        """Listen to the bus: keep each alert, and wake the channels; obey mutes."""
        event = stamped.event
        if isinstance(event, AlertRaised):
            self._take(stamped, event)
        elif isinstance(event, CommandObeyed):
            self._obey(event)

    @property
    def channels(self) -> list[str]:
        """The names of the channels; each is to be served by a task of its own."""
        return list(self._queues)

    async def serve(self, channel: str) -> None:
        """Deliver on one channel until cancelled."""
        queue = self._queues[channel]
        while True:
            now_s = self._clock.monotonic()
            due_s = queue.due_s
            if due_s <= now_s:
                await self._deliver(queue, retries=True)
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

    def end_quietly(self) -> None:
        """Resolve at PagerDuty what ended without an alert that says so."""
        if not ACKNOWLEDGING.isdisjoint(self._queues):
            for row in endings(self._documents, now_utc_s=self._clock.utc()):
                self._wait(row)

    def retire(self) -> None:
        """Give up what waits for channels that are not set any more, and say so of each alert."""
        orphans, self._orphans = self._orphans, []
        for row, name in orphans:
            delivery = row.deliveries[name]
            delivery.error, delivery.given_up = NOT_SET, True
            self._keep(row)
        for queue in self._queues.values():
            queue.drop_settled()
        for row, name in orphans:
            given_up = AlertDelivered(
                alert=row.alert.id, channel=name, delivered=False, error_message=NOT_SET
            )
            self._emit(given_up)

    def close(self) -> None:
        """Stop the Guards' timers; what waits stays in the store."""
        for queue in self._queues.values():
            queue.guard.disarm()
        for timer in self._leases.values():
            timer.cancel()

    # Leasing

    def lease(self, until_utc_s: float) -> None:
        """Keep a worker that begins meanwhile from sending what this process is about to send."""
        self._leased_until_utc_s = until_utc_s
        for queue in self._queues.values():
            for row in queue.rows:
                row.leased_until_utc_s = until_utc_s
                self._keep(row)

    def end_lease(self) -> None:
        """Leave what was not delivered to whoever comes next."""
        self.lease(0.0)

    def _await_lease(self, alert: str, seconds: float) -> None:
        timer = asyncio.get_running_loop().call_later(seconds, self._take_over, alert)
        self._leases[alert] = timer

    def _take_over(self, alert: str) -> None:
        """Deliver what another process leased and has not delivered."""
        del self._leases[alert]
        body = self._documents.get(KIND, alert)
        if body is not None:
            row = msgspec.json.decode(body, type=Row)
            self._load_row(row, self._clock.utc())
            self.retire()

    # Keeping

    def _take(self, stamped: Stamped, event: AlertRaised) -> None:
        # A channel is not told by itself that it is broken.
        names = [name for name in self._queues if event.service != f"alerts.{name}"]
        mute = self._mutes.covering(event.incident, event.service, stamped.utc_s)
        muted = ""
        over = event.kind == "resolved" or not is_open(self._documents, event.incident)
        if mute is not None:
            muted = f"muted by {mute.by or 'operator'} until {utc_text(mute.until_utc_s)}"
            # Whoever heard that it began hears that it is over.
            told = self._told.get(event.incident, set()) if over else set()
            names = [name for name in names if name in told]
        status: AlertStatus = "resolved" if over else "open"
        thread = self._threads.setdefault(event.incident, f"{stamped.run}.{event.incident}")
        alert = alert_of(stamped, event, self._redactor, status=status, thread=thread)
        row = Row(
            alert=alert,
            deliveries={name: Delivery() for name in names},
            muted=muted,
            leased_until_utc_s=self._leased_until_utc_s,
        )
        self._wait(row)

    def _wait(self, row: Row) -> None:
        self._keep(row)
        self._enqueue(row)

    def _obey(self, event: CommandObeyed) -> None:
        mute = mute_of(event.argument) if event.command == "mute" else None
        if mute is not None:
            self._mutes.set(msgspec.structs.replace(mute, by=event.by))
        elif event.command == "unmute":
            self._mutes.lift(event.argument)
        elif event.command == "ack":
            self._acknowledge(event)

    def _acknowledge(self, event: CommandObeyed) -> None:
        now_utc_s = self._clock.utc()
        for incident in load(self._documents):
            meant = event.argument in {"", "all"} or named_by(incident.id, event.argument)
            if meant and incident.status == "opened":
                seen, by = incident.id, event.by
                row = acknowledgement(self._documents, seen, by=by, now_utc_s=now_utc_s)
                if row is not None:
                    self._wait(row)

    def _load(self) -> None:
        utc_s, monotonic_s = self._clock.utc(), self._clock.monotonic()
        sent: set[tuple[str, float]] = set()
        for body in self._kept():
            row = msgspec.json.decode(body, type=Row)
            self._threads.setdefault(row.alert.incident, thread_of(row.alert))
            self._load_row(row, utc_s)
            for name, delivery in row.deliveries.items():
                if delivery.heard:
                    self._told.setdefault(row.alert.incident, set()).add(name)
                sent |= {(name, at_utc_s) for at_utc_s in delivery.sent_utc_s}
        for name, sent_utc_s in sorted(sent, key=lambda entry: entry[1]):
            if name in self._queues:
                ago_s = max(0.0, utc_s - sent_utc_s)
                self._queues[name].sent_s.append(monotonic_s - ago_s)

    def _kept(self) -> list[bytes]:
        """Return what is kept for the channels, alerts before what answers them."""
        found = self._documents.documents(KIND)
        seen = self._documents.documents(ACKNOWLEDGEMENT, open_only=True)
        return [body for _, body in [*found, *seen]]

    def _load_row(self, row: Row, now_utc_s: float) -> None:
        if self._service not in {"", row.alert.service}:
            return
        waits = any(not delivery.settled for delivery in row.deliveries.values())
        waits = waits and not row.silent  # It may be sent twice.
        if waits and row.leased_until_utc_s > now_utc_s:
            self._await_lease(row.alert.id, row.leased_until_utc_s - now_utc_s)
        else:
            self._enqueue(row)
            self._orphans += [(row, name) for name in row.deliveries if self._is_orphan(row, name)]

    def _is_orphan(self, row: Row, name: str) -> bool:
        """Tell whether an alert waits for a channel that nobody serves.

        What was tried was meant for a real channel: a mock in its place cannot deliver it.
        """
        delivery, queue = row.deliveries[name], self._queues.get(name)
        if delivery.settled:
            return False
        pretended = queue is not None and isinstance(queue.channel, MockChannel)
        return queue is None or (pretended and delivery.attempts > 0)

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
        if row.silent:
            keep_acknowledgement(self._documents, row, waits=waits)
        else:
            self._documents.put(KIND, row.alert.id, msgspec.json.encode(row), open_=waits)

    # Delivering

    async def _empty(self, queue: Queue) -> None:
        """Deliver what waits now, its back-off cut short.

        The wait a receiver asked for is kept, and so is the number of messages an hour.
        """
        breaker = queue.guard.breaker
        queue.put_off_until_s = 0.0
        if breaker.state != "closed" and not queue.gone:
            breaker.reset("the run ends")
        while queue.rows and not queue.gone and queue.room_s <= self._clock.monotonic():
            if not await self._deliver(queue, retries=False):
                return

    async def _deliver(self, queue: Queue, *, retries: bool) -> bool:
        """Try the next message through the Guard; return whether to go on at once."""
        guard = queue.guard
        if guard.breaker.state == "isolated":
            guard.breaker.reset("tried again: somebody may have mended it")
        work = Work(queue.channel.name, retries=retries)
        try:
            await guard.run(queue.operation, lambda: self._attempt(queue), work)
        except InvalidPayload:
            return True
        except (ServiceError, CircuitOpen, Deferred) as error:
            queue.not_before_s = self._clock.monotonic() + queue.rest_s(error)
            return False
        queue.not_before_s = 0.0
        return queue.due_s <= self._clock.monotonic()

    async def _attempt(self, queue: Queue) -> None:
        """Send one message; raises `ServiceError` when the channel did not take it.

        A channel that puts off some receivers works for the others: that is no failure of it.
        """
        rows = queue.batch(self._clock.monotonic())
        if not rows:
            return  # The end of the run was faster.
        alert = rows[0].alert if len(rows) == 1 else digest([row.alert for row in rows])
        if queue.bind(rows, alert.message):
            for row in rows:
                self._keep(row)
        sending = queue.sending(rows)
        error = await outcome_of(sending.deliver(alert))
        self._news.learn(queue.channel)
        if error is None and sending.for_all:
            self._delivered(queue, rows)
            return
        over, utc_s = error is None, self._clock.utc()
        if sending.note(over=over, redact=self._redactor.text, now_utc_s=utc_s):
            queue.sent_s.append(self._clock.monotonic())
        if error is None:
            self._delivered_ahead(queue, rows)
            return
        self._failed(queue, rows, error)
        if not isinstance(error, PutOff) or sending.reached_nobody:
            self._news.failed(queue, error)
            raise error
        queue.put_off(rows, error, self._clock.monotonic())
        self._news.put_off(queue, error)

    def _delivered(self, queue: Queue, rows: list[Row]) -> None:
        name, utc_s = queue.channel.name, self._clock.utc()
        queue.reached_all(self._clock.monotonic())
        for row in rows:
            delivery = row.deliveries[name]
            delivery.attempts += 1
            delivery.delivered_utc_s = utc_s
            delivery.pretended = isinstance(queue.channel, MockChannel)
        self._settle(queue, rows)
        for row in rows:
            self._emit(AlertDelivered(alert=row.alert.id, channel=name, delivered=True))
        self._news.delivered(queue)

    def _delivered_ahead(self, queue: Queue, rows: list[Row]) -> None:
        """Note that some receivers took it; the others get it with what they wait for already."""
        for row in rows:
            row.deliveries[queue.channel.name].attempts += 1
        self._settle(queue, rows)
        self._news.works(queue)

    def _failed(self, queue: Queue, rows: list[Row], error: ServiceError) -> None:
        """Note a failure of some alerts."""
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
        queue.gone = error.status == _GONE

    def _settle(self, queue: Queue, rows: list[Row]) -> None:
        name = queue.channel.name
        for row in rows:
            self._keep(row)
            if row.deliveries[name].heard:
                self._told.setdefault(row.alert.incident, set()).add(name)
        queue.drop_settled()
