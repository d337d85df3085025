"""Alerts to whatever else apprise reaches (Discord, Teams, ntfy …); the extra `apprise`."""

import importlib
from typing import Any, Final

from callagent_cli.errors import Misconfigured, ServiceUnavailable, SettingsError
from callagent_cli.masking import HIDDEN, safe_text
from callagent_cli.reporting.alert import Alert

TIMEOUT_S: Final = 25.0
"""How long all addresses together may take."""

_TYPES: Final = {"critical": "failure", "warning": "warning", "info": "info"}


class AppriseChannel:
    """Sends each alert to every address; one that fails fails the delivery, which is repeated.

    Raises `SettingsError` when apprise is not installed or an address is none.
    """

    name = "apprise"

    def __init__(self, addresses: list[str]) -> None:
        try:
            # An extra, and half a second to import.
            apprise: Any = importlib.import_module("apprise")
        except ImportError as error:
            hint = "pip install 'callagent[apprise]', or remove `alerts.apprise`"
            raise SettingsError("`alerts.apprise` needs the package apprise", hint=hint) from error
        self._secrets = addresses
        # Nothing is stored, and no service's own retries: the outbox has those.
        asset = apprise.AppriseAsset(storage_mode="memory")
        self._notifier = apprise.Apprise(asset=asset)
        for number, address in enumerate(addresses, 1):
            if not self._notifier.add(address):
                message = f"address {number} of `alerts.apprise` is none that apprise knows"
                raise SettingsError(message, hint="see the list of services in apprise's docs")

    async def deliver(self, alert: Alert) -> None:
        """Send the alert; raises `ServiceError` when an address did not take it."""
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
        names = ", ".join(str(each.name) for each in failed) or "no address"
        said = "; ".join(entry.message for each in failed for entry in each.logs())
        for address in self._secrets:
            said = said.replace(address, HIDDEN)
        kind = Misconfigured if "error=401" in said or "error=403" in said else ServiceUnavailable
        raise kind(f"apprise: {names} did not take it ({safe_text(said)})")

    async def close(self) -> None:
        """Nothing to release."""
