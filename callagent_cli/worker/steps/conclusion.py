"""What follows from the end of a dial or a conversation: another dial later, or the record."""

from math import isfinite
from typing import Any

from callagent_cli.calls.dial_rules import after
from callagent_cli.calls.evidence import Result
from callagent_cli.calls.model import Step
from callagent_cli.calls.windows import opens_in_s
from callagent_cli.worker.journey import Journey
from callagent_cli.worker.resources import Resources


def conclude(journey: Journey, resources: Resources, result: Result, **changes: Any) -> None:  # noqa: ANN401 — the fields of Call.
    """Schedule the next dial if the dial rules want one, else go on to the record.

    `changes` are what is known by now, among them `dials` if it has grown.
    """
    dials = changes.get("dials", journey.call.dials)
    redial = after(result, dials, resources.settings.dialing, scale=resources.redial_scale)
    to = Step.DIAL if redial.again else Step.RECORD
    journey.finish_step(redial.reason, to=to, result=result.value, **changes)
    if redial.again:
        delay_s = redial.delay_s + _closed_for_s(journey, resources, redial.delay_s)
        journey.schedule(redial.reason, delay_s=delay_s)


def _closed_for_s(journey: Journey, resources: Resources, delay_s: float) -> float:
    """Return how much longer a redial waits for the person's window; 0 when that never opens.

    The dial itself asks again, and says so.
    """
    if resources.window is None:
        return 0.0
    at_utc_s = resources.clock.utc() + delay_s
    wait_s = opens_in_s(resources.window, journey.call.contact.timezone, at_utc_s)
    return wait_s if isfinite(wait_s) else 0.0
