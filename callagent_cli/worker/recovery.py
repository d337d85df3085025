"""What a worker finds of the one before it, and how it goes on from there."""

from callagent_cli.calls.ledger import open_dial
from callagent_cli.calls.model import Call, CallState, Dial, DialStatus, Step
from callagent_cli.worker.dialing import DialLedger
from callagent_cli.worker.journey import Journey
from callagent_cli.worker.resources import Resources


def recover(resources: Resources) -> int:
    """Free every call that held a lane when the last worker ended; return how many there were.

    A call in backoff keeps its attempts and its due time. A dial whose intent is on disk and
    whose answer is not may have rung: its call is reconciling, and that attempt is used.
    """
    held = frozenset({CallState.ACTIVE, CallState.BACKOFF})
    calls = list(resources.store.calls(resources.campaign, held))
    for call in calls:
        _free(call, resources)
    return len(calls)


def _free(call: Call, resources: Resources) -> None:
    journey = Journey(call, resources.store, resources.bus, resources.clock)
    now_utc_s = resources.clock.utc()
    dial = open_dial(resources.store.dials(call.id))
    if dial is not None and dial.status is not DialStatus.UNPROVEN and call.step is Step.DIAL:
        _reconcile(journey, dial, resources)
    elif call.state is CallState.BACKOFF:
        due_utc_s = now_utc_s if call.due_utc_s is None else call.due_utc_s
        delay_s = max(0.0, due_utc_s - now_utc_s)
        journey.park("the worker ended in backoff", delay_s=delay_s, attempts=call.attempts)
    else:
        journey.park("the worker ended", delay_s=0, attempts=call.attempts)


def _reconcile(journey: Journey, dial: Dial, resources: Resources) -> None:
    now_utc_s = resources.clock.utc()
    DialLedger(resources).settle(dial, DialStatus.UNKNOWN, reason="the worker ended in the dial")
    journey.move(
        CallState.RECONCILING,
        "the worker ended in the dial",
        attempts=journey.call.attempts + 1,
        due_utc_s=now_utc_s,
        reconciling_since_utc_s=now_utc_s,
        reconciling_closed_s=0.0,
        look_ups=0,
    )
