"""All twins of one world, with one seed and one ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from callagent_cli.simulation.twins.elevenlabs.twin import ElevenLabsOptions, ElevenLabsTwin
from callagent_cli.simulation.twins.hubspot.twin import HubSpotOptions, HubSpotTwin
from callagent_cli.simulation.twins.latency import INSTANT, Draw, Latency
from callagent_cli.simulation.twins.ledger import Ledger
from callagent_cli.simulation.twins.llm.twin import LlmTwin
from callagent_cli.simulation.twins.personality import Personality
from callagent_cli.simulation.twins.twin import Twin

SERVICES: Final = ("elevenlabs", "llm", "crm", "llm_fallback")
"""The twins; `llm_fallback` stands for the second model, so that only one of the two can fail."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """What a world's twins are like.

    `latencies` are by service, or by operation (`elevenlabs.dial`); what is not named answers at
    once. Paths and the opt-out field are those of the settings.
    """

    seed: int = 7
    personality: Personality = field(default_factory=Personality)
    latencies: Mapping[str, Draw] = field(default_factory=dict)
    list_lag_s: float = 0.0
    known_agents: tuple[str, ...] = ElevenLabsOptions().known_agents
    known_phone_numbers: tuple[str, ...] = ElevenLabsOptions().known_phone_numbers
    objects_path: str = HubSpotOptions().objects_path
    account_path: str = HubSpotOptions().account_path
    opt_out_field: str = ElevenLabsOptions().opt_out_field

    def twins(self, ledger: Ledger) -> dict[str, Twin]:
        """Make the twins by service; what the ledger has kept, they still know."""
        elevenlabs = ElevenLabsOptions(
            seed=self.seed,
            personality=self.personality,
            list_lag_s=self.list_lag_s,
            known_agents=self.known_agents,
            known_phone_numbers=self.known_phone_numbers,
            opt_out_field=self.opt_out_field,
        )
        crm = HubSpotOptions(
            seed=self.seed, objects_path=self.objects_path, account_path=self.account_path
        )
        twins: list[Twin] = [
            ElevenLabsTwin(ledger, options=elevenlabs, latency=self._latency("elevenlabs")),
            LlmTwin(seed=self.seed, latency=self._latency("llm")),
            HubSpotTwin(ledger, options=crm, latency=self._latency("crm")),
            LlmTwin(seed=self.seed, latency=self._latency("llm_fallback"), service="llm_fallback"),
        ]
        return {twin.service: twin for twin in twins}

    def _latency(self, service: str) -> Latency:
        operations = {
            target.removeprefix(f"{service}."): draw
            for target, draw in self.latencies.items()
            if target.startswith(f"{service}.")
        }
        default = self.latencies.get(service, INSTANT)
        return Latency(f"{service}:{self.seed}", default, operations=operations)
