"""The boundary around the work for one call: whatever breaks in it stays in it."""

from collections.abc import Awaitable, Callable

from callagent_cli.calls.ledger import open_dial
from callagent_cli.calls.model import LEGAL_MOVES, Call, CallState, DialStatus
from callagent_cli.errors import StoreError
from callagent_cli.worker.journey import Journey
from callagent_cli.worker.resources import Resources

Work = Callable[[Call], Awaitable[None]]


async def contained(call: Call, work: Work, resources: Resources) -> None:
    """Do the work for one call; raises `StoreError` only, without which nobody can go on."""
    try:
        await work(call)
    except StoreError:
        raise
    except Exception as error:  # noqa: BLE001 — the per-call boundary of DESIGN.md.
        _broken(call, error, resources)


def _broken(call: Call, error: Exception, resources: Resources) -> None:
    """Put a call whose own program failed before a person, or fail it if it never rang."""
    store = resources.store
    dials = store.dials(call.id)
    rang = any(dial.status is DialStatus.PLACED for dial in dials)
    state = CallState.REVIEW if rang or open_dial(dials) else CallState.FAILED
    journey = Journey(store.call(call.id) or call, store, resources.bus, resources.clock)
    reason = f"internal error: {type(error).__name__}: {error}"
    if state in LEGAL_MOVES[journey.call.state]:
        journey.move(state, reason, failed_by="callagent", due_utc_s=None)
    else:
        journey.move(journey.call.state, reason)
