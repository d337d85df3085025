"""One run from its first event to its last: the worker with its listeners and its pulse."""

import asyncio

from callagent_cli import __version__
from callagent_cli.errors import ExitCode
from callagent_cli.events import RunEnded, RunStarted
from callagent_cli.reporting.wiring import Reporting
from callagent_cli.worker.ending import Ending
from callagent_cli.worker.housekeeping import Housekeeping
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
    the log; what was under way is taken up by the next run.
    """
    resources = worker.resources
    resources.bus.emit(
        RunStarted(mode=mode, contacts=contacts, lanes=worker.control.lanes, version=__version__)
    )
    beside = [asyncio.create_task(reporting.run(), name="reporting")]
    if housekeeping is not None:
        beside.append(asyncio.create_task(housekeeping.run(), name="housekeeping"))
    try:
        ending = await worker.run()
    except asyncio.CancelledError:
        ending = _stopped(worker)
        _tell(worker, ending)
        raise
    else:
        reporting.end_of_run()
        await reporting.flush(FLUSH_S)
        _tell(worker, ending)
        return ending
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        resources.store.flush()


def _stopped(worker: Worker) -> Ending:
    resources = worker.resources
    totals = resources.store.totals(resources.campaign)
    return Ending(
        exit_code=worker.control.exit_code or ExitCode.INTERRUPTED,
        reason="stopped at once",
        totals={state.value: calls for state, calls in totals.items()},
    )


def _tell(worker: Worker, ending: Ending) -> None:
    worker.resources.bus.emit(
        RunEnded(reason=ending.reason, exit_code=int(ending.exit_code), totals=ending.totals)
    )
