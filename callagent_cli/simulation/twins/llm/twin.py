"""A language model that speaks both dialects, whichever the settings name."""

from callagent_cli.simulation.twins.keys import LLM_KEY
from callagent_cli.simulation.twins.latency import Latency
from callagent_cli.simulation.twins.llm.anthropic import AnthropicTwin
from callagent_cli.simulation.twins.llm.openai import OpenAiTwin
from callagent_cli.simulation.twins.twin import Facts, Twin, TwinAnswer, TwinRequest


class LlmTwin:
    """Answers as OpenAI or as Anthropic would, by what the request looks like."""

    def __init__(
        self,
        *,
        key: str = LLM_KEY,
        seed: int = 7,
        latency: Latency | None = None,
        service: str = "llm",
    ) -> None:
        self.service = service
        latency = latency or Latency(f"{service}:{seed}")
        self._openai = OpenAiTwin(key=key, seed=seed, latency=latency, service=service)
        self._anthropic = AnthropicTwin(key=key, seed=seed, latency=latency, service=service)

    def describe(self, request: TwinRequest) -> Facts:
        """Say what a request is about."""
        return self._addressed(request).describe(request)

    def handle(self, request: TwinRequest, at: float, facts: Facts | None = None) -> TwinAnswer:
        """Carry the request out and answer it."""
        return self._addressed(request).handle(request, at, facts)

    def _addressed(self, request: TwinRequest) -> Twin:
        headers = request.headers
        if request.path == "/v1/messages" or "anthropic-version" in headers:
            return self._anthropic
        return self._openai
