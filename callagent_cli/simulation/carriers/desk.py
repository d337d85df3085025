"""Where a request meets a twin: fault, effect and ledger, the same for both carriers."""

from typing import Final, Protocol, runtime_checkable

import msgspec

from callagent_cli.simulation.carriers.action import PASS, FaultHook, WireAction
from callagent_cli.simulation.twins.ledger import Ledger, ReceivedRequest
from callagent_cli.simulation.twins.twin import Facts, Twin, TwinAnswer, TwinRequest


@runtime_checkable
class _Counting(Protocol):
    """A fault hook that counts its strikes."""

    def take_back(self) -> None:
        """Count the last strike no longer."""


class Decided(msgspec.Struct, frozen=True):
    """What happens to a request: `answer` is what the twin gave, if it carried it out.

    `sent` is the answer to send when nothing breaks on the way, and `after_s` when.
    """

    action: WireAction
    facts: Facts
    answer: TwinAnswer | None
    sent: TwinAnswer
    after_s: float


_ANSWERED: Final = frozenset({"pass", "answer", "drip"})
_ERRORS: Final = 400
_ASKING: Final = {"retry-after-ms": 1000, "x-ms-retry-after-ms": 1000, "retry-after": 1}
"""The headers that ask for time, in the order of their weight, and how many make a second."""

_ASKED_MAX_S: Final = 24 * 3600.0
"""Nobody is asked to wait for longer than a day."""

_NOTHING = TwinAnswer(200, {"content-type": "application/json"}, b"{}")


class Desk:
    """Takes the requests of one service; the carriers only deliver what it decides."""

    def __init__(self, twin: Twin, ledger: Ledger, faults: FaultHook | None = None) -> None:
        self.twin = twin
        self.service = twin.service
        self.ledger = ledger
        self.faults = faults

    def receive(
        self, request: TwinRequest, at: float, *, target: str = "", is_reused: bool = False
    ) -> Decided:
        """Decide about a request, let the twin carry it out, and note it in the ledger.

        `target` is the operation if the carrier knows it, else it is derived from the request;
        `is_reused` says that its connection has carried another request before.
        """
        facts = self.twin.describe(request)
        target = target or f"{self.service}.{facts.operation or 'unknown'}"
        action = self._action(target, request, at, facts=facts)
        if action is PASS:
            answer = self.twin.handle(request, at, facts)
            decided = Decided(PASS, facts, answer, answer, answer.after_s)
        else:
            decided = self._struck(action, request, at, facts=facts, is_reused=is_reused)
        if decided.answer is not None or not decided.action.never_leaves:
            self._note(request, target, at, decided=decided)
        return decided

    def _struck(
        self, action: WireAction, request: TwinRequest, at: float, *, facts: Facts, is_reused: bool
    ) -> Decided:
        if action.kind == "stale_keepalive" and not is_reused:
            action = WireAction(delay_s=action.delay_s) if action.delay_s else PASS
            if action is PASS and isinstance(self.faults, _Counting):
                self.faults.take_back()
        answer = self.twin.handle(request, at, facts) if action.is_handled else None
        return _decided(action, facts, answer)

    def _action(self, target: str, request: TwinRequest, at: float, *, facts: Facts) -> WireAction:
        if self.faults is None:
            return PASS
        return self.faults.decide(target, request, at, facts=facts)

    def _note(self, request: TwinRequest, target: str, at: float, *, decided: Decided) -> None:
        facts = decided.facts
        status = decided.sent.status if decided.action.kind in _ANSWERED else 0
        noted = ReceivedRequest(
            sequence=self.ledger.next_sequence,
            at=at,
            service=self.service,
            target=target,
            method=request.method,
            route=facts.route,
            status=status,
            effect=decided.answer is not None and decided.answer.effect,
            call_id=facts.call_id,
            attempt_id=facts.attempt_id,
            number=facts.number,
            fault=_fault(decided.action),
            after_s=decided.after_s,
            # Nearly every answer is a good one, and no good one asks for time.
            retry_after_s=_asked_s(decided.sent) if status >= _ERRORS else None,
        )
        self.ledger.record(noted)


def _asked_s(sent: TwinAnswer) -> float | None:
    """Return for how many seconds an answer asks to be left alone; a date is not looked at."""
    for name, per_second in _ASKING.items():
        stated = sent.headers.get(name, "")
        if stated.replace(".", "", 1).isdecimal():
            return min(float(stated) / per_second, _ASKED_MAX_S)
    return None


def _fault(action: WireAction) -> str:
    if action is PASS:
        return ""
    if action.kind != "pass":
        return action.kind
    return "latency" if action.delay_s else ""


def _decided(action: WireAction, facts: Facts, answer: TwinAnswer | None) -> Decided:
    sent = answer or _NOTHING
    if action.kind == "answer":
        headers = {"content-type": "application/json", **action.headers}
        sent = TwinAnswer(action.status, headers, action.body)
    own_s = answer.after_s if answer is not None and action.is_handled else 0.0
    return Decided(action, facts, answer, sent, own_s + action.delay_s)
