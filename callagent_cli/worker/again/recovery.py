"""What a worker finds of the one before it, and how it goes on from there."""

from callagent_cli.calls.ledger import open_dial
from callagent_cli.calls.model import Call, CallState, Dial, DialStatus, Step
from callagent_cli.worker.dial.ledger import DialLedger
from callagent_cli.worker.journey import Journey
from callagent_cli.worker.resources import Resources


def recover(resources: Resources, ledger: DialLedger) -> int:
    """Free every call that held a lane when the last worker ended; return how many there were.

    A call in backoff keeps its attempts and its due time. A dial whose intent is on disk and
    whose answer is not may have rung: its call is reconciling, and that attempt is used.
    """
    held = frozenset({CallState.ACTIVE, CallState.BACKOFF})
    calls = list(resources.store.calls(resources.campaign, held))
    for call in calls:
        dial = open_dial(resources.store.dials(call.id))
        if dial is not None and dial.status is not DialStatus.UNPROVEN and call.step is Step.DIAL:
            _reconcile(call, dial, resources, ledger=ledger)
        else:
            free(call, resources, "the worker ended")
    return len(calls)


def free(call: Call, resources: Resources, reason: str) -> None:
    """Take a call out of its lane; one in backoff goes on when its retry is due."""
    journey = Journey(call, resources.store, resources.bus, resources.clock)
    delay_s = 0.0
    if call.state is CallState.BACKOFF and call.due_utc_s is not None:
        delay_s = max(0.0, call.due_utc_s - resources.clock.utc())
        reason = f"{reason} in backoff"
    journey.park(reason, delay_s=delay_s, attempts=call.attempts)


def _reconcile(call: Call, dial: Dial, resources: Resources, *, ledger: DialLedger) -> None:
    now_utc_s = resources.clock.utc()
    ledger.settle(dial, DialStatus.UNKNOWN, reason="the worker ended in the dial")
    journey = Journey(call, resources.store, resources.bus, resources.clock)
    journey.move(
        CallState.RECONCILING,
        "the worker ended in the dial",
        attempts=call.attempts + (dial.status is DialStatus.INTENT),
        due_utc_s=now_utc_s,
        reconciling_since_utc_s=now_utc_s,
        reconciling_closed_s=0.0,
        look_ups=0,
    )
