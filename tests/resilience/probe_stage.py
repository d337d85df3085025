"""What the probes share: calls of one attempt, and a service whose answers come by hand."""

import asyncio

from resilience_doubles import DIAL, Service, Stage, down, settled, start

from callagent_cli.resilience.policy import Policy
from callagent_cli.resilience.work import Work


class Line:
    """A service whose answers are given by hand, so that a late one can be late."""

    def __init__(self) -> None:
        self.pending: list[asyncio.Future[str]] = []

    async def __call__(self) -> str:
        """Wait for the answer given by hand."""
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.pending.append(answer)
        return await answer

    async def answer(self, index: int, *, ok: bool) -> None:
        """Answer a request, and let its caller go on."""
        if ok:
            self.pending[index].set_result("fine")
        else:
            self.pending[index].set_exception(down())
        await settled()


def call(stage: Stage, service: Service | Line) -> "asyncio.Task[str]":
    """Start a call of one attempt."""
    return start(lambda: stage.guard.run(DIAL, service, Work(retries=False)))


async def ended(*tasks: "asyncio.Task[str]") -> list[str | BaseException]:
    """Return what the tasks ended with."""
    return await asyncio.gather(*tasks, return_exceptions=True)


async def begun_before_an_outage(count: int, policy: Policy | None = None) -> tuple[Stage, Line]:
    """Return a stage that opened while `count` calls were under way, and their line."""
    stage, line = Stage(policy or Policy()), Line()
    for _ in range(count):
        call(stage, line)
    await settled()
    await stage.fail(Service(default=down()), 4)
    assert stage.state == "open"
    return stage, line


async def window_ends(stage: Stage) -> None:
    """Let the open time pass to the very instant of its end."""
    await asyncio.sleep(stage.breaker.retry_after_s)
