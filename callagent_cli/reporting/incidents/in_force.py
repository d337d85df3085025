"""The settings in force when an incident began, as its report shows them."""

from typing import Final

import msgspec

from callagent_cli.durations import duration_text
from callagent_cli.resilience.policy import Policy
from callagent_cli.settings import Settings

_SECONDS: Final = "_s"


def in_force(settings: Settings, service: str) -> dict[str, str]:
    """Return what shapes an outage of a service, by the names of `callagent.yaml`; no secret."""
    found = {"mode": settings.mode, "lanes": str(settings.lanes)}
    policy = _policy(settings, service)
    if policy is None:
        return found
    for section in ("retry", "breaker", "health"):
        for name, value in msgspec.to_builtins(getattr(policy, section)).items():
            if value is not None:
                found[f"{section}.{name}"] = _text(name, value)
    return found


def _policy(settings: Settings, service: str) -> Policy | None:
    services = settings.services
    fallback = services.llm.fallback
    return {
        "elevenlabs": services.elevenlabs.policy,
        "llm": services.llm.policy,
        "llm_fallback": fallback.policy if fallback else None,
        "crm": services.crm.policy,
    }.get(service)


def _text(name: str, value: float | str) -> str:
    if name.endswith(_SECONDS) and isinstance(value, int | float):
        return duration_text(float(value))
    return f"{value:g}" if isinstance(value, float) else str(value)
