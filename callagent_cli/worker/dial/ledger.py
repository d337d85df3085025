"""Writes what is known of each dial, tells it, and remembers how long ago it ended."""

from typing import Final, Literal

from callagent_cli.calls.model import Call, Dial, DialStatus
from callagent_cli.clock import Clock
from callagent_cli.events import Bus, DialIntended, DialSettled
from callagent_cli.masking import mask
from callagent_cli.store.port import Store

_Told = Literal["placed", "refused", "unknown", "absent"]

_TOLD: Final[dict[DialStatus, _Told]] = {
    DialStatus.PLACED: "placed",
    DialStatus.REFUSED: "refused",
    DialStatus.UNKNOWN: "unknown",
    DialStatus.UNPROVEN: "unknown",
    DialStatus.ABSENT: "absent",
}


class DialLedger:
    """The dials of one worker. It counts their age itself, whatever happens to the calendar."""

    def __init__(self, store: Store, bus: Bus, clock: Clock) -> None:
        self._store = store
        self._bus = bus
        self._clock = clock
        self._ended_s: dict[str, float] = {}

    def dials(self, call_id: str) -> list[Dial]:
        """Return a call's dials, the oldest first."""
        return self._store.dials(call_id)

    def intend(self, call: Call) -> Dial:
        """Write the intent; it is on disk once the store is durable."""
        clock = self._clock
        dial = Dial(
            id=clock.new_id("dial"),
            call=call.id,
            number=call.contact.number,
            status=DialStatus.INTENT,
            intended_utc_s=clock.utc(),
        )
        self._store.save_dial(dial)
        number = mask(dial.number)
        self._bus.emit(DialIntended(call=call.id, dial=dial.id, number=number))
        return dial

    def settle(
        self, dial: Dial, status: DialStatus, *, reason: str = "", conversation: str = ""
    ) -> Dial:
        """Write what became of a dial; one whose outcome stays open has ended all the same."""
        if status in {DialStatus.UNKNOWN, DialStatus.UNPROVEN}:
            self._ended_s.setdefault(dial.id, self._clock.monotonic())
        else:
            self._ended_s.pop(dial.id, None)
        settled = dial.evolve(
            status=status,
            reason=reason,
            conversation=conversation or dial.conversation,
            ended_utc_s=self._clock.utc() if dial.ended_utc_s is None else dial.ended_utc_s,
        )
        self._store.save_dial(settled)
        self._bus.emit(
            DialSettled(
                call=dial.call,
                dial=dial.id,
                status=_TOLD[status],
                conversation=settled.conversation,
                reason=reason,
            )
        )
        return settled

    def waited_s(self, dial: Dial) -> float:
        """Return how long ago an open dial ended, at least.

        Of a dial of an earlier run it is only sure that it ended before this run first asked.
        """
        now_s = self._clock.monotonic()
        return now_s - self._ended_s.setdefault(dial.id, now_s)
