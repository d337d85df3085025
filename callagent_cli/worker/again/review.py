"""What only a person may decide: whether a phone rang of which nobody else knows."""

from collections.abc import Callable
from typing import Final

from callagent_cli.calls.evidence import Result
from callagent_cli.calls.ledger import open_dial
from callagent_cli.calls.model import BEFORE_DIAL, Call, CallState, Dial, DialStatus, Step
from callagent_cli.clock import Clock
from callagent_cli.errors import UsageError
from callagent_cli.events import Bus, CommandObeyed
from callagent_cli.store.port import Store
from callagent_cli.worker.dial.ledger import DialLedger
from callagent_cli.worker.journey import Journey

DECISIONS: Final = ("called", "not_called", "redial")
"""What a person may say of a call."""


def calls_to_review(store: Store, campaign: str) -> list[Call]:
    """Return the calls in review, and the failed ones whose last dial may have rung (unproven)."""
    in_review = list(store.calls(campaign, frozenset({CallState.REVIEW})))
    unproven = [
        call
        for call_id in store.calls_with_open_dials(campaign)
        if (call := store.call(call_id)) is not None and call.state is CallState.FAILED
    ]
    return in_review + unproven


def review(store: Store, bus: Bus, clock: Clock, *, call_id: str, decision: str, by: str) -> Call:
    """Carry out a person's decision over one call, tell who made it, and return the call.

    `called`: the phone rang; the call is followed when its conversation is known and has not been
    followed yet, else done. `not_called`: it did not; the call is failed and may be requeued.
    `redial`: dial again, whatever happened. The last two settle an open dial by the person's word.
    Raises `UsageError` when the call waits for no decision.
    """
    call = store.call(call_id)
    if decision not in DECISIONS:
        raise UsageError(f"`{decision}` is no decision", hint=f"one of {', '.join(DECISIONS)}")
    if call is None:
        raise UsageError(f"there is no call {call_id}", hint="`callagent review` lists them")
    dials = store.dials(call_id)
    is_unproven = call.state is CallState.FAILED and open_dial(dials) is not None
    if call.state is not CallState.REVIEW and not is_unproven:
        raise UsageError(
            f"{call_id} is {call.state.value}: there is nothing to decide",
            hint="`callagent review` lists the calls that wait for a person",
        )
    case = _Case(Journey(call, store, bus, clock), DialLedger(store, bus, clock), by)
    _DECIDE[decision](case, dials[-1] if dials else None)
    bus.emit(CommandObeyed(command="review", argument=f"{call_id} {decision}", by=by))
    return case.journey.call


class _Case:
    """One call before a person."""

    def __init__(self, journey: Journey, ledger: DialLedger, by: str) -> None:
        self.journey = journey
        self._ledger = ledger
        self._by = by

    def called(self, dial: Dial | None) -> None:
        """Follow a conversation that is known and was never followed; else the call is done."""
        call = self.journey.call
        reason = f"called, says {self._by}"
        self._settle(dial, DialStatus.PLACED, reason)
        rang = call.step in BEFORE_DIAL or call.step is Step.DIAL
        if rang and dial is not None and dial.conversation:
            placed = {"placed_utc_s": dial.intended_utc_s, "reason": reason}
            self.journey.note(
                step=Step.FOLLOW,
                conversation=dial.conversation,
                dials=call.dials + 1,
                failed_by="",
                incident="",
                results={**call.results, Step.DIAL.value: placed},
            )
            self.journey.park(reason, delay_s=0, attempts=0)
            return
        self.journey.move(
            CallState.DONE,
            reason,
            attempts=0,
            failed_by="",
            incident="",
            dials=call.dials + rang,
            result=call.result if call.result and not rang else Result.UNKNOWN.value,
        )

    def not_called(self, dial: Dial | None) -> None:
        """Fail the call; a requeue begins with its dial."""
        reason = f"not called, says {self._by}"
        call = self.journey.call
        rang_once = dial is not None and dial.status is DialStatus.PLACED
        self._settle(dial, DialStatus.ABSENT, reason)
        self.journey.move(
            CallState.FAILED,
            reason,
            step=_back_to_dial(call.step),
            dials=max(0, call.dials - (rang_once and call.step is Step.FOLLOW)),
            attempts=0,
            failed_by=call.failed_by or "elevenlabs",
        )

    def redial(self, dial: Dial | None) -> None:
        """Take the call back, to be dialed again."""
        reason = f"to be dialed again, says {self._by}"
        call = self.journey.call
        self._settle(dial, DialStatus.ABSENT, reason)
        self.journey.move(
            CallState.PENDING,
            reason,
            step=_back_to_dial(call.step),
            attempts=0,
            failed_by="",
            incident="",
            result="",
        )

    def _settle(self, dial: Dial | None, status: DialStatus, reason: str) -> None:
        """Close the open dial by the person's word; what is proven stays as it was."""
        if dial is not None and open_dial([dial]) is not None:
            self._ledger.settle(dial, status, reason=reason)


def _back_to_dial(step: Step) -> Step:
    return step if step in BEFORE_DIAL else Step.DIAL


_DECIDE: Final[dict[str, Callable[[_Case, Dial | None], None]]] = {
    "called": _Case.called,
    "not_called": _Case.not_called,
    "redial": _Case.redial,
}
