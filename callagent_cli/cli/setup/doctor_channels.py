"""What `doctor` asks alert channels and the sheet: all that can be asked without sending."""

import asyncio
from collections.abc import Mapping
from typing import Final

from callagent_cli.cli.alerts.learned import recall_learned
from callagent_cli.cli.place.workplace import Workplace
from callagent_cli.cli.setup.doctor_checks import Check
from callagent_cli.clock import system_clock
from callagent_cli.errors import PermanentError, ServiceError, SettingsError
from callagent_cli.reporting.alert import Channel, Checked, Learning
from callagent_cli.reporting.google_sheet import SheetError
from callagent_cli.reporting.real_doors import RealDoors
from callagent_cli.reporting.redaction import Redactor, readable_secrets_of
from callagent_cli.services.httpx_client import HttpxClient
from callagent_cli.settings import Alerts

_CHANNELS: Final = ("email", "telegram", "webhook", "slack", "pagerduty", "apprise")
_SHEET: Final = "sheet"
_HEARTBEAT: Final = "heartbeat"


async def channel_checks(place: Workplace, environ: Mapping[str, str]) -> list[Check]:
    """Return what the channels and the sheet say; a sandbox asks nobody."""
    redactor = Redactor(readable_secrets_of(place.settings, environ))
    doors = RealDoors(http_for=lambda base_url: HttpxClient(base_url=base_url), environ=environ)
    checks = [
        await _channel(place, doors, redactor, name=name)
        for name in _CHANNELS
        if getattr(place.settings.alerts, name) is not None
    ]
    if not checks:
        checks.append(_nobody(place))
    if place.settings.alerts.heartbeat_url:
        checks.append(await _heartbeat(place, doors))
    if place.settings.sheet.spreadsheet_id:
        checks.append(await _sheet(place, doors, redactor))
    return checks


async def _heartbeat(place: Workplace, doors: RealDoors) -> Check:
    """Look at the address alone: a request would start the watch outside."""
    try:
        await doors.heartbeat(place.settings.alerts.heartbeat_url, system_clock()).close()
    except SettingsError as error:
        return Check(name=_HEARTBEAT, status="failed", text=error.message, fix=error.hint)
    text = "is set; it cannot be checked without starting the watch"
    fix = "see whether the service outside hears of a run"
    return Check(name=_HEARTBEAT, status="ok", text=text, fix=fix)


def _nobody(place: Workplace) -> Check:
    return Check(
        name="channels",
        status="ok" if place.sandbox else "warning",
        text="alerts reach nobody: all channels are pretended",
        fix="set one under `alerts` in `callagent.yaml`",
    )


async def _channel(place: Workplace, doors: RealDoors, redactor: Redactor, *, name: str) -> Check:
    alone = Alerts(**{name: getattr(place.settings.alerts, name)})
    try:
        channel, *others = doors.channels(alone, system_clock())
    except SettingsError as error:
        return Check(name=name, status="failed", text=error.message, fix=error.hint)
    try:
        recall_learned(place, channel)
        return await _asked(place, channel, redactor)
    finally:
        for each in (channel, *others):
            await each.close()


async def _asked(place: Workplace, channel: Channel, redactor: Redactor) -> Check:
    name = channel.name
    by_hand = f"run `callagent alerts test {name}`"
    if not isinstance(channel, Checked):
        text = "is set; it cannot be checked without sending"
        return Check(name=name, status="ok", text=text, fix=by_hand)
    if place.sandbox:
        text = "is set; `mode: live` checks it"
        return Check(name=name, status="ok", text=text, fix=by_hand)
    try:
        found = redactor.text(await channel.check())
    except ServiceError as error:
        text = redactor.text(error.message)
        return Check(name=name, status="failed", text=text, fix=_fix(error, f"alerts.{name}"))
    if isinstance(channel, Learning) and channel.learned:
        return Check(name=name, status="warning", text=found, fix=channel.advice)
    return Check(name=name, status="ok", text=found)


async def _sheet(place: Workplace, doors: RealDoors, redactor: Redactor) -> Check:
    """Open the spreadsheet and read its worksheet; nothing is made and nothing is written."""
    try:
        make = doors.sheet(place.settings.sheet)
    except SettingsError as error:
        return Check(name=_SHEET, status="failed", text=error.message, fix=error.hint)
    if place.sandbox:
        return Check(name=_SHEET, status="ok", text="is set; `mode: live` checks it")
    try:
        found = await asyncio.to_thread(lambda: make().look())
    except SheetError as error:
        text = redactor.text(str(error))
        return Check(name=_SHEET, status="failed", text=text, fix=_fix(error, "sheet"))
    return Check(name=_SHEET, status="ok", text=redactor.text(found))


def _fix(error: ServiceError | SheetError, section: str) -> str:
    kind = error.kind if isinstance(error, SheetError) else type(error)
    if issubclass(kind, PermanentError):
        return f"correct `{section}` or its secret, then `callagent doctor` again"
    return "see whether it can be reached from here; what cannot be sent waits meanwhile"
