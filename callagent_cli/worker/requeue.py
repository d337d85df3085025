"""Takes failed calls back, from their first unfinished step; a finished dial is never repeated."""

from callagent_cli.calls.model import Call, CallState
from callagent_cli.clock import Clock
from callagent_cli.events import Bus
from callagent_cli.store.port import Store
from callagent_cli.worker.journey import Journey


def requeue(
    store: Store,
    bus: Bus,
    clock: Clock,
    *,
    campaign: str,
    failed_by: str = "",
    calls: frozenset[str] = frozenset(),
) -> list[str]:
    """Put failed calls back to pending and return their ids.

    `failed_by` narrows to those that failed by one service, `calls` to these ids. A call whose
    last dial is still open is looked up before anything is dialed.
    """
    taken = [
        call
        for call in store.calls(campaign, frozenset({CallState.FAILED}))
        if _wanted(call, failed_by, calls)
    ]
    for call in taken:
        journey = Journey(call, store, bus, clock)
        journey.move(
            CallState.PENDING, "requeued", attempts=0, failed_by="", incident="", due_utc_s=None
        )
    return [call.id for call in taken]


def _wanted(call: Call, failed_by: str, calls: frozenset[str]) -> bool:
    return (not failed_by or call.failed_by == failed_by) and (not calls or call.id in calls)
