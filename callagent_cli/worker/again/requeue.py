"""Takes failed calls back, from their first unfinished step; a finished dial is never repeated."""

from itertools import islice
from typing import Final

from callagent_cli.calls.model import Call, CallState
from callagent_cli.clock import Clock
from callagent_cli.events import Bus
from callagent_cli.resilience.outcome import Outcome
from callagent_cli.store.port import Store
from callagent_cli.worker.journey import Journey

_OF_AN_OUTAGE: Final = frozenset(
    {
        Outcome.UNAVAILABLE.value,
        Outcome.TIMEOUT.value,
        Outcome.UNKNOWN.value,
        Outcome.NOT_SENT.value,
        Outcome.LOCAL_REJECTION.value,
    }
)
_FAILED: Final = frozenset({CallState.FAILED})


def requeue(
    store: Store,
    bus: Bus,
    clock: Clock,
    *,
    campaign: str,
    failed_by: str = "",
    calls: frozenset[str] = frozenset(),
    outage_only: bool = False,
    at_most: int | None = None,
) -> list[str]:
    """Put failed calls back to pending and return their ids.

    `failed_by` narrows to those that failed by one service, `calls` to these ids, `outage_only`
    to those that failed because a service was down, and `at_most` to the first of them. A call
    whose last dial is still open is looked up before anything is dialed.
    """
    wanted = (
        call
        for call in store.calls(campaign, _FAILED)
        if (not failed_by or call.failed_by == failed_by)
        and (not calls or call.id in calls)
        and (not outage_only or failed_in_outage(call))
    )
    taken = list(islice(wanted, at_most))
    for call in taken:
        results = {name: found for name, found in call.results.items() if name != "failure"}
        Journey(call, store, bus, clock).move(
            CallState.PENDING,
            "requeued",
            attempts=0,
            failed_by="",
            incident="",
            due_utc_s=None,
            results=results,
        )
    return [call.id for call in taken]


def failed_in_outage(call: Call) -> bool:
    """Say whether a call failed because its service was down, and not because it was refused."""
    return call.results.get("failure", {}).get("outcome") in _OF_AN_OUTAGE
