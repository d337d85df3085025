"""Asks the provider what became of a dial whose outcome is open."""

from callagent_cli.calls.ledger import Graces, found_late, match, proof_wait_s
from callagent_cli.calls.model import OPEN_DIALS, Dial, DialStatus
from callagent_cli.events import DialLookedUp
from callagent_cli.services.conversations import Candidate
from callagent_cli.worker.dial.ledger import DialLedger
from callagent_cli.worker.resources import Resources


class Prover:
    """Turns open dials into placed or absent ones."""

    def __init__(self, resources: Resources, ledger: DialLedger) -> None:
        self._resources = resources
        self._ledger = ledger
        voice = resources.settings.services.elevenlabs
        self.graces = Graces(unknown_s=voice.lookup_grace_s, refused_s=voice.refusal_grace_s)

    def wait_s(self, dial: Dial) -> float:
        """Return the seconds until the absence of a dial's call would be proof."""
        return proof_wait_s(dial, self._ledger.waited_s(dial), self.graces)

    async def prove(self, dial: Dial) -> Dial:
        """Return the dial that placed a call, or this one as absent, or as open as it was.

        Raises `ServiceError` when the look-up failed, and `CircuitOpen` when the breaker moved
        between its requests: both prove nothing.
        """
        breaker = self._resources.services.voice.breaker
        generation = breaker.generation
        is_late = self.wait_s(dial) <= 0
        found = await self._resources.services.telephony.look_up(
            call_id=dial.call,
            since_utc_s=0.0,  # The calendar may have been set since: it narrows nothing down.
            may_go_on=lambda: breaker.check(generation),
        )
        dials = self._ledger.dials(dial.call)
        current = next((each for each in dials if each.id == dial.id), dial)
        if current.status not in OPEN_DIALS:
            return current  # Somebody else's look-up, or a person, was faster.
        others = [other for other in dials if other.id != dial.id]
        known = frozenset(other.conversation for other in others if other.conversation)
        call = match(dial, found, known)
        self._tell(dial, call, proven=call is not None or is_late)
        if call is None and not is_late:
            return current
        late = [
            self._placed(other, which, "found by a later look-up")
            for other, which in found_late(others, found)
        ]
        if call is not None:
            return self._placed(current, call, "found by look-up")
        absent = self._ledger.settle(current, DialStatus.ABSENT, reason="proven not called")
        return late[-1] if late else absent

    def _placed(self, dial: Dial, call: Candidate, reason: str) -> Dial:
        return self._ledger.settle(
            dial, DialStatus.PLACED, reason=reason, conversation=call.conversation
        )

    def _tell(self, dial: Dial, call: Candidate | None, *, proven: bool) -> None:
        self._resources.bus.emit(
            DialLookedUp(
                call=dial.call,
                dial=dial.id,
                found=call is not None,
                conversation="" if call is None else call.conversation,
                proven=proven,
            )
        )
