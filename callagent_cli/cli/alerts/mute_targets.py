"""What a mute may name: a typo would wake somebody who asked for quiet."""

from typing import Final

from callagent_cli.cli.place.service_names import service_names
from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.cli.text.suggestions import hint_for
from callagent_cli.errors import UsageError
from callagent_cli.reporting.incidents import Documents
from callagent_cli.reporting.incidents.channel_wording import HEARTBEAT, SHEET
from callagent_cli.reporting.incidents.incident import load, named_by
from callagent_cli.reporting.incidents.mutes import EVERYTHING, mutes_of
from callagent_cli.reporting.incidents.other_rules import STALL_SLOT
from callagent_cli.reporting.incidents.worker_rules import LOST_SLOT
from callagent_cli.reporting.wiring import CHANNELS

_OURS: Final = (HEARTBEAT, SHEET, STALL_SLOT, LOST_SLOT, "alerts.apprise")
"""What alerts are about besides services and channels."""


def require_target(place: Workplace, documents: Documents, target: str) -> None:
    """Raise `UsageError` with the nearest name unless an alert could be about the target."""
    incidents = load(documents)
    channels = [f"alerts.{channel}" for channel in CHANNELS]
    known = [EVERYTHING, *service_names(place.settings), *channels, *_OURS]
    known += [incident.service for incident in incidents if incident.service]
    if target in known or any(named_by(incident.id, target) for incident in incidents):
        return
    listed = ", ".join(f"`{each}`" for each in (EVERYTHING, *service_names(place.settings)))
    otherwise = f"name {listed}, a channel as `alerts.email`, or an id of `callagent incidents`"
    hint = hint_for(target, [*known, *(each.id for each in incidents)], otherwise=otherwise)
    raise UsageError(f"nothing is called `{target}` that could be muted", hint=hint)


def require_muted(documents: Documents, target: str, now_utc_s: float) -> None:
    """Raise `UsageError` with what is muted unless the target is: a typo would lift nothing."""
    muted = [mute.target for mute in mutes_of(documents) if now_utc_s < mute.until_utc_s]
    if target in muted:
        return
    listed = ", ".join(f"`{each}`" for each in muted)
    otherwise = f"muted are: {listed}" if muted else "nothing is muted"
    raise UsageError(f"`{target}` is not muted", hint=hint_for(target, muted, otherwise=otherwise))
