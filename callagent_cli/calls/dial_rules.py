"""How often a person is dialed: after which result, how much later, and never beyond the limit."""

from dataclasses import dataclass

from callagent_cli.calls.evidence import Result
from callagent_cli.settings import Dialing


@dataclass(frozen=True, slots=True)
class RedialDecision:
    """Whether to dial again, and after how many seconds."""

    again: bool
    delay_s: float
    reason: str


def after(result: Result, dials: int, rules: Dialing, *, scale: float = 1.0) -> RedialDecision:
    """Decide whether a person who was dialed `dials` times is dialed again after `result`.

    `scale` shortens the delays in the sandbox.
    """
    minutes = {
        Result.NO_ANSWER: rules.redial.no_answer_min,
        Result.BUSY: rules.redial.busy_min,
        Result.VOICEMAIL: rules.redial.voicemail_min,
        Result.DECLINED: rules.redial.declined_min,
    }.get(result)
    if minutes is None:
        return RedialDecision(again=False, delay_s=0.0, reason=result.value)
    if dials >= rules.max_dials:
        return RedialDecision(
            again=False, delay_s=0.0, reason=f"{result.value} after {dials} dials"
        )
    return RedialDecision(again=True, delay_s=minutes * 60 * scale, reason=f"{result.value}, again")
