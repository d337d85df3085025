"""Who of a channel's receivers has what: nobody gets an alert twice because others wait for it.

Alerts that the same receivers have go out together. A later one goes to those first who have all
that came before it: they need not wait for one whom the channel puts off, and that one gets all of
it in its order.
"""

from collections.abc import Callable

from callagent_cli.reporting.alert import Alert, Channel, Partial
from callagent_cli.reporting.delivery import Row


def answered(row: Row, channel: str) -> frozenset[str]:
    """Return which receivers of a channel have an alert, or refused it for good."""
    return frozenset(row.deliveries[channel].answers)


def turn(rows: list[Row], channel: str) -> Row:
    """Return whose turn it is: the oldest, unless some receivers wait for what others have.

    Then it is what was tried least, so that no receiver waits for another one.
    """
    if any(answered(row, channel) for row in rows):
        return min(rows, key=lambda row: row.deliveries[channel].attempts)
    return rows[0]


def alike(rows: list[Row], row: Row, channel: str) -> list[Row]:
    """Return the rows that the same receivers wait for."""
    return [each for each in rows if answered(each, channel) == answered(row, channel)]


def ahead(rows: list[Row], batch: list[Row], channel: str) -> frozenset[str] | None:
    """Return who gets a batch before the others: who has what came before; None for everybody."""
    has = answered(batch[0], channel)
    before = (answered(row, channel) for row in rows[: rows.index(batch[-1])])
    older = [receivers for receivers in before if receivers and receivers != has]
    return (frozenset.intersection(*older) - has or None) if older else None


class Sending:
    """One message on its way to those receivers that lack it; with `only` to these of them."""

    def __init__(self, channel: Channel, rows: list[Row], only: frozenset[str] | None) -> None:
        self.for_all = only is None
        self._channel = channel
        self._deliveries = [row.deliveries[channel.name] for row in rows]
        self._only = only
        self._before = self._deliveries[-1].answers
        self._answers = dict(self._before)

    @property
    def reached_nobody(self) -> bool:
        """Whether nobody has the message yet."""
        return "" not in self._answers.values()

    async def deliver(self, alert: Alert) -> None:
        """Hand the message to the channel; raises `ServiceError`."""
        if hasattr(self._channel, "deliver_rest") and isinstance(self._channel, Partial):
            await self._channel.deliver_rest(alert, self._answers, only=self._only)
        else:
            await self._channel.deliver(alert)

    def note(self, *, over: bool, redact: Callable[[str], str], now_utc_s: float) -> bool:
        """Keep with each alert who answered, and when; return whether somebody took it.

        Once it is `over` nobody of `only` is waited for, not even who is no receiver any more.
        """
        asked = dict.fromkeys(self._only or (), "") if over else {}
        answers = asked | {each: redact(said) for each, said in self._answers.items()}
        fresh = (said for each, said in self._answers.items() if each not in self._before)
        taken = any(not said for said in fresh)
        for delivery in self._deliveries:
            delivery.answers = dict(answers)
            if taken:
                delivery.taken_utc_s.append(now_utc_s)
        return taken
