"""One run from its first event to its last: the worker with its listeners and its housekeeping."""

import asyncio
from contextlib import suppress

from callagent_cli import __version__
from callagent_cli.calls.model import CallState
from callagent_cli.errors import ExitCode, StoreError
from callagent_cli.events import RunEnded, RunStarted
from callagent_cli.reporting.wiring import Reporting
from callagent_cli.worker.housekeeping import Housekeeping
from callagent_cli.worker.resources import Resources
from callagent_cli.worker.turn.ending import Ending
from callagent_cli.worker.worker import Worker

FLUSH_S = 30.0
"""How long the end of a run waits for alerts that are still on their way."""


async def run_session(
    worker: Worker,
    reporting: Reporting,
    *,
    mode: str,
    contacts: str,
    housekeeping: Housekeeping | None = None,
) -> Ending:
    """Run the worker to its end and return how it ended.

    Alerts held back are sent before the end is told. Cancelled, it stops at once and says so in
    the log; what was under way is taken up by the next run. Raises `StoreError` when nothing can
    be kept any more, be it for the worker or for its housekeeping.
    """
    resources = worker.resources
    reporting.watch(_Campaign(resources))
    resources.bus.emit(
        RunStarted(mode=mode, contacts=contacts, lanes=worker.control.lanes, version=__version__)
    )
    beside = [asyncio.create_task(reporting.run(), name="reporting")]
    if housekeeping is not None:
        keeping = asyncio.create_task(housekeeping.run(), name="housekeeping")
        worker.watch(keeping)
        beside.append(keeping)
    try:
        ending = await worker.run()
        reporting.end_of_run()
        await reporting.flush(FLUSH_S)
        resources.beat()
        resources.store.flush()  # Only what is on disk is told as done.
    except asyncio.CancelledError:
        code = worker.control.exit_code or ExitCode.INTERRUPTED
        _tell(worker, _broken_off(worker, code, "stopped at once"))
        resources.store.flush()
        raise
    except StoreError as error:
        _tell(worker, _broken_off(worker, error.exit_code, error.message))
        raise
    else:
        _tell(worker, ending)
        resources.store.flush()
        return ending
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)


class _Campaign:
    """What the incidents ask of a run: how many calls nobody has begun."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def pending(self) -> int:
        """Return how many calls have not been begun."""
        resources = self._resources
        return resources.store.totals(resources.campaign).get(CallState.PENDING, 0)


def _broken_off(worker: Worker, exit_code: ExitCode, reason: str) -> Ending:
    resources = worker.resources
    totals: dict[str, int] = {}
    with suppress(StoreError):  # The store may be the very thing that is broken.
        counted = resources.store.totals(resources.campaign)
        totals = {state.value: calls for state, calls in counted.items()}
    return Ending(exit_code=exit_code, reason=reason, totals=totals)


def _tell(worker: Worker, ending: Ending) -> None:
    worker.resources.bus.emit(
        RunEnded(reason=ending.reason, exit_code=int(ending.exit_code), totals=ending.totals)
    )
