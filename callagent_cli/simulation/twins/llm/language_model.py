"""What the twins of all language models have in common."""

from collections.abc import Mapping
from typing import ClassVar

from callagent_cli.simulation.twins.keys import LLM_KEY
from callagent_cli.simulation.twins.latency import Latency
from callagent_cli.simulation.twins.twin import Facts, RequestIds, TwinRequest


class LanguageModel:
    """Knows its key, its seed and what is asked of it; a subclass answers in its dialect.

    `models` is what it serves; any model when it is empty.
    """

    operations: ClassVar[Mapping[tuple[str, str], str]]
    """The operations by method and path."""

    def __init__(
        self,
        *,
        key: str = LLM_KEY,
        seed: int = 7,
        models: tuple[str, ...] = (),
        latency: Latency | None = None,
        service: str = "llm",
    ) -> None:
        self.service = service
        self._key = key
        self._seed = seed
        self._models = models
        self._latency = latency or Latency(f"{service}:{seed}")
        self._ids = RequestIds("req_")

    def describe(self, request: TwinRequest) -> Facts:
        """Say what a request is about."""
        operation = self.operations.get((request.method, request.path), "")
        return Facts(operation=operation, route=request.path) if operation else Facts()
