"""Alerts to whatever else apprise reaches (Discord, Teams, ntfy …); the extra `apprise`."""

import importlib
import re
from typing import Any, Final

from callagent_cli.errors import Misconfigured, ServiceUnavailable, SettingsError
from callagent_cli.masking import safe_text
from callagent_cli.reporting.alert import Alert

TIMEOUT_S: Final = 25.0
"""How long an address may take."""

_TYPES: Final = {"critical": "failure", "warning": "warning", "info": "info"}
_BY_A_PERSON: Final = re.compile(r"\berror=(401|403|404|405|410)\b")
"""How apprise logs the statuses that only another address ends."""


class AppriseChannel:
    """Sends each alert to one address; several addresses are several channels.

    So one that fails is told of and tried again alone: the others have the alert already. `number`
    counts the addresses from 1. Raises `SettingsError` when apprise is not installed or the address
    is none.
    """

    def __init__(self, address: str, *, number: int = 1) -> None:
        try:
            # An extra, and half a second to import.
            apprise: Any = importlib.import_module("apprise")
        except ImportError as error:
            hint = "pip install 'callagent[apprise]', or remove `alerts.apprise`"
            raise SettingsError("`alerts.apprise` needs the package apprise", hint=hint) from error
        self.name = "apprise" if number == 1 else f"apprise-{number}"
        self._address = address
        # Nothing is stored, and no service's own retries: the outbox has those.
        asset = apprise.AppriseAsset(storage_mode="memory")
        self._notifier = apprise.Apprise(asset=asset)
        if not self._notifier.add(address):
            message = f"address {number} of `alerts.apprise` is none that apprise knows"
            raise SettingsError(message, hint="see the list of services in apprise's docs")

    async def deliver(self, alert: Alert) -> None:
        """Send the alert; raises `ServiceError` when the address did not take it."""
        result: Any = await self._notifier.async_notify(
            title=f"[{alert.severity}] {alert.title}",
            body=alert.body,
            notify_type=_TYPES[alert.severity] if alert.status == "open" else "success",
            body_format="text",
            timeout=TIMEOUT_S,
        )
        if result:
            return
        failed = [each for each in result if not each]
        service = ", ".join(str(each.name) for each in failed) or "the address"
        said = "; ".join(entry.message for each in failed for entry in each.logs())
        said = safe_text(said, secret=self._address)
        kind = Misconfigured if _BY_A_PERSON.search(said) else ServiceUnavailable
        fix = "; correct its address in `alerts.apprise`" if kind is Misconfigured else ""
        raise kind(f"{self.name}: {service} did not take it ({said}){fix}")

    async def close(self) -> None:
        """Nothing to release."""
