"""The step before the dial: a model writes the opening, and another one stands in for it."""

from typing import Final

from callagent_cli.calls.model import Step
from callagent_cli.errors import CircuitOpen, Deferred, ServiceError
from callagent_cli.resilience.outcome import Outcome
from callagent_cli.resilience.work import Work
from callagent_cli.worker.journey import Journey
from callagent_cli.worker.operations import Operations
from callagent_cli.worker.ports import Composer
from callagent_cli.worker.resources import Resources
from callagent_cli.worker.steps.degraded import Degraded
from callagent_cli.worker.steps.prompts import fill

_REFUSED_WAIT_S: Final = 30.0
"""How soon, at the earliest, a text that one model refused is tried again with the next one."""


class ComposeStep:
    """Has the first model write the opening; the second stands in while the first is down."""

    def __init__(self, resources: Resources, operations: Operations, degraded: Degraded) -> None:
        self._services = resources.services
        self._operations = operations.compose
        self._degraded = degraded
        self._prompt = resources.settings.services.llm.prompt

    async def __call__(self, journey: Journey) -> None:
        """Do the step; the last model's problem is raised when no model could."""
        prompt = fill(self._prompt, journey.call)
        composers = self._services.composers
        refused = False
        for name, composer in composers[:-1]:
            # A model that has a stand-in gets one attempt: waiting would help nobody.
            once = Work(journey.call.id, retries=False)
            try:
                text = await self._compose(name, composer, prompt, once)
            except (ServiceError, CircuitOpen, Deferred) as problem:
                refused = refused or _is_refusal(problem)
                self._stand_in(name, problem)
                continue
            if self._services.guards[name].breaker.state == "closed":
                self._degraded.end(Step.COMPOSE.value, name)
            self._finish(journey, name, text)
            return
        name, composer = composers[-1]
        try:
            text = await self._compose(name, composer, prompt, journey.work)
        except CircuitOpen as shut:
            if refused:
                # The first one admits calls, and would refuse this text again as fast as it can.
                wait_s = max(shut.retry_after_s, _REFUSED_WAIT_S)
                raise Deferred(name, delay_s=wait_s, reason=shut.message) from shut
            raise
        self._finish(journey, name, text)

    def _stand_in(self, name: str, problem: ServiceError | CircuitOpen | Deferred) -> None:
        """Say that the next model writes instead, unless only this text was refused."""
        if not _is_refusal(problem):
            second = self._services.composers[-1][0]
            self._degraded.begin(Step.COMPOSE.value, name, instead=second, reason=problem.message)

    async def _compose(self, name: str, composer: Composer, prompt: str, work: Work) -> str:
        return await self._services.guards[name].run(
            self._operations[name], lambda: composer.compose(prompt=prompt), work
        )

    @staticmethod
    def _finish(journey: Journey, name: str, text: str) -> None:
        journey.finish_step(f"composed by {name}", results=journey.results_with(text=text, by=name))


def _is_refusal(problem: ServiceError | CircuitOpen | Deferred) -> bool:
    """Say whether a model works, but refused this very text."""
    return isinstance(problem, ServiceError) and problem.outcome is Outcome.REJECTED
