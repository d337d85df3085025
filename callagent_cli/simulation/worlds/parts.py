"""What a scenario says about settings, people and providers, turned into the real things."""

from typing import Final

import msgspec

from callagent_cli.settings import Credential, Settings
from callagent_cli.simulation.faults.latency import drawer
from callagent_cli.simulation.scenario.format import People, Scenario, TwinSpec
from callagent_cli.simulation.twins.keys import (
    AGENT_ID,
    CRM_TOKEN,
    ELEVENLABS_KEY,
    LLM_KEY,
    PHONE_NUMBER_ID,
)
from callagent_cli.simulation.twins.latency import Draw
from callagent_cli.simulation.twins.personality import Ending, Personality
from callagent_cli.simulation.twins.roster import Roster

SECRETS: Final = {
    "SIMULATED_ELEVENLABS_KEY": ELEVENLABS_KEY,
    "SIMULATED_LLM_KEY": LLM_KEY,
    "SIMULATED_CRM_TOKEN": CRM_TOKEN,
}
"""The twins' keys, by the environment variables that the simulated settings name."""


def settings_of(scenario: Scenario) -> Settings:
    """Return the scenario's settings with the twins' ids and keys, and its lanes."""
    replace = msgspec.structs.replace
    services = scenario.settings.services
    llm_key = Credential(env="SIMULATED_LLM_KEY")
    fallback = services.llm.fallback
    if fallback is not None:
        fallback = replace(fallback, api_key=llm_key)
    pointed = replace(
        services,
        elevenlabs=replace(
            services.elevenlabs,
            api_key=Credential(env="SIMULATED_ELEVENLABS_KEY"),
            agent_id=AGENT_ID,
            agent_phone_number_id=PHONE_NUMBER_ID,
        ),
        llm=replace(services.llm, api_key=llm_key, fallback=fallback),
        crm=replace(services.crm, token=Credential(env="SIMULATED_CRM_TOKEN")),
    )
    return replace(
        scenario.settings, mode="sandbox", services=pointed, lanes=scenario.campaign.lanes
    )


def roster_of(scenario: Scenario, seed: int) -> Roster:
    """Return what the twins of a scenario are like under a seed."""
    voice = scenario.services.elevenlabs
    specs: dict[str, TwinSpec] = {
        "elevenlabs": voice,
        "llm": scenario.services.llm,
        "llm_fallback": scenario.services.llm_fallback,
        "crm": scenario.services.crm,
    }
    latencies: dict[str, Draw] = {}
    for service, spec in specs.items():
        latencies[service] = drawer(spec.latency)
        for operation, latency in spec.operations.items():
            latencies[f"{service}.{operation}"] = drawer(latency)
    return Roster(
        seed=seed,
        personality=_personality(scenario.people),
        latencies=latencies,
        list_lag_s=voice.list_lag,
        opt_out_field=scenario.settings.services.elevenlabs.opt_out_field,
    )


def _personality(people: People) -> Personality:
    return Personality(
        weights={
            Ending.ANSWERED: people.answered,
            Ending.NO_ANSWER: people.no_answer,
            Ending.BUSY: people.busy,
            Ending.VOICEMAIL: people.voicemail,
            Ending.DECLINED: people.declined,
            Ending.FAILED: people.failed,
        },
        ring_s=_range(people.ring),
        talk_s=_range(people.talk),
        voicemail_s=_range(people.voicemail_talk),
        processing_s=_range(people.processing),
        no_answer_s=_range(people.no_answer_ring),
        refused_s=_range(people.refused_ring),
        opts_out=people.opts_out,
    )


def _range(seconds: float | list[float]) -> tuple[float, float]:
    if isinstance(seconds, list):
        return seconds[0], seconds[1]
    return seconds, seconds
