"""The operations of each service, with the time each may take."""

from dataclasses import dataclass
from typing import Final

from callagent_cli.resilience.work import Operation
from callagent_cli.settings import Model, Settings

_WAITS_S: Final = 60.0
_MARGIN_S: Final = 5.0

LOOK_UP_REQUESTS: Final = 4
"""A look-up asks for a list and then for each call in it; a person has at most a few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """What the worker asks for. Requests end themselves; the Guard's timeouts stand behind them."""

    crm_look_up: Operation
    crm_record: Operation
    dial: Operation
    look_up: Operation
    follow: Operation
    compose: dict[str, Operation]


def operations(settings: Settings) -> Operations:
    """Return the operations with the timeouts of the settings.

    The deadline of an operation is three timeouts and a minute, which is room for the ladder.
    """
    voice = settings.services.elevenlabs
    models: dict[str, Model] = {"llm": settings.services.llm}
    if settings.services.llm.fallback is not None:
        models["llm_fallback"] = settings.services.llm.fallback
    crm_s = settings.services.crm.timeout_s
    dial_s = voice.dial_timeout
    proof_s = voice.refusal_grace_s + LOOK_UP_REQUESTS * voice.look_up_timeout_s
    return Operations(
        crm_look_up=_operation("crm.look_up", crm_s),
        crm_record=_operation("crm.record", crm_s, requests=2),
        # The dial's own requests have timeouts; a timer above them could cut a dial in two.
        dial=Operation("elevenlabs.dial", None, 3 * dial_s + _WAITS_S, proof_s + dial_s),
        look_up=_operation(
            "elevenlabs.look_up", voice.look_up_timeout_s, requests=LOOK_UP_REQUESTS
        ),
        follow=_operation("elevenlabs.follow", voice.follow_timeout_s),
        compose={
            name: _operation(f"{name}.compose", model.timeout_s) for name, model in models.items()
        },
    )


def _operation(name: str, timeout_s: float, *, requests: int = 1) -> Operation:
    """Return an operation whose attempt makes up to `requests` requests one after the other."""
    attempt_s = requests * timeout_s + _MARGIN_S
    return Operation(name, attempt_s, 3 * attempt_s + _WAITS_S, attempt_s)
