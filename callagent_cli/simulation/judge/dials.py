"""Nobody is dialed twice without proof that the first dial placed no call."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from callagent_cli.events import CallChanged, DialSettled, Stamped
from callagent_cli.simulation.judge.evidence import TOLERANCE_S, Broken, Evidence
from callagent_cli.simulation.twins.ledger import PlacedCall, ReceivedRequest

_DIAL: Final = "elevenlabs.dial"
_LOOK_UP: Final = "elevenlabs.look_up"
_REFUSALS: Final = range(400, 500)
_OK: Final = 200


def nobody_dialed_twice(evidence: Evidence) -> Broken | None:
    """Every dial of a person after the first had a proof, or was a redial.

    Two rules, both over what the twins saw: a phone rings again only after the worker knew that
    it had rung and had scheduled a redial; and a request that might ring a phone follows another
    only when that one was refused for certain or a look-up came back in between.
    """
    known = _known_redials(evidence)
    return _rung_twice(evidence, known) or _sent_without_proof(evidence, known)


class _Redials:
    """When the worker knew of a placed call, and when it scheduled calls again."""

    def __init__(self, slack_s: float) -> None:
        self._slack_s = slack_s
        self.placed: dict[str, float] = {}
        self.scheduled: dict[str, list[float]] = defaultdict(list)

    def allows(self, call: str, attempt: str, after_s: float, before_s: float) -> bool:
        """Whether between two instants a placed attempt became known and a redial was decided."""
        known_s = self.placed.get(attempt)
        if known_s is None or known_s > before_s + self._slack_s:
            return False
        return any(
            max(known_s, after_s) - self._slack_s <= at_s <= before_s + self._slack_s
            for at_s in self.scheduled[call]
        )


def _known_redials(evidence: Evidence) -> _Redials:
    known = _Redials(evidence.slack_s)
    for stamped in evidence.events:
        event, at_s = stamped.event, evidence.at_s(stamped)
        if isinstance(event, DialSettled) and event.status == "placed":
            known.placed.setdefault(event.dial, at_s)
        elif isinstance(event, CallChanged) and _is_redial(event):
            known.scheduled[event.call].append(at_s)
    return known


def _is_redial(event: CallChanged) -> bool:
    return event.new == "scheduled" or (event.old == "review" and event.new == "pending")


def _rung_twice(evidence: Evidence, known: _Redials) -> Broken | None:
    for before, after in _pairs_by_person(evidence.placed):
        first_s, second_s = evidence.wire_at_s(before.at), evidence.wire_at_s(after.at)
        if not known.allows(before.call_id, before.attempt_id, first_s, second_s):
            rings = sum(call.call_id == after.call_id for call in evidence.placed)
            text = (
                f"…{after.number[-3:]} rang {rings} times: at {first_s:.1f} s and again at "
                f"{second_s:.1f} s, by {after.call_id}"
            )
            return Broken(text=text, line=_line_at(evidence, second_s))
    return None


def _pairs_by_person(placed: list[PlacedCall]) -> Iterator[tuple[PlacedCall, PlacedCall]]:
    # Two people may share a number, with different extensions: the call tells them apart.
    last: dict[tuple[str, str], PlacedCall] = {}
    for call in placed:
        person = (call.number, call.call_id)
        if person in last:
            yield last[person], call
        last[person] = call


def _sent_without_proof(evidence: Evidence, known: _Redials) -> Broken | None:
    unproven: dict[str, ReceivedRequest] = {}
    for request in evidence.requests:
        if request.target == _LOOK_UP and request.status == _OK:
            before = unproven.get(request.call_id)
            if before is not None and not before.effect:
                del unproven[request.call_id]
        elif request.target == _DIAL:
            before = unproven.get(request.call_id)
            if before is not None and not _redialed(evidence, before, request, known):
                at_s = evidence.wire_at_s(request.at)
                text = f"{request.call_id} was dialed again at {at_s:.1f} s without proof"
                return Broken(text=text, line=_line_at(evidence, at_s))
            if _is_refused(request):
                unproven.pop(request.call_id, None)
            else:
                unproven[request.call_id] = request
    return None


def _redialed(
    evidence: Evidence, before: ReceivedRequest, after: ReceivedRequest, known: _Redials
) -> bool:
    first_s, second_s = evidence.wire_at_s(before.at), evidence.wire_at_s(after.at)
    return before.effect and known.allows(before.call_id, before.attempt_id, first_s, second_s)


def _is_refused(request: ReceivedRequest) -> bool:
    """Whether an answer says for certain that no phone rang."""
    if request.effect:
        return False
    return request.status in _REFUSALS or request.status == _OK


def _line_at(evidence: Evidence, at_s: float) -> int:
    """Return the line of the first event at or after an instant."""

    def is_due(stamped: Stamped) -> bool:
        return evidence.at_s(stamped) >= at_s - TOLERANCE_S

    lines = (line for line, stamped in enumerate(evidence.events, 1) if is_due(stamped))
    return next(lines, len(evidence.events))
